import { call, type Expression, input } from '../kernel/expression.ts'
import type { Combine } from '../kernel/kernel.ts'
import { type Shape, sizeOf } from '../layout/layout.ts'
import { needDim, needKind, noExtra, sameSizes, sameType } from '../layout/shapes.ts'
import { crossByName, type Op } from '../op.ts'
import { type KnownOptions, knownOptions, mustBe, notNegative } from './options.ts'
import { record } from './record.ts'
import { atLine } from './refusal.ts'
import type { AlongAffine, Given } from './rules/along.ts'
import { sourceLine } from './source.ts'
import { type AnyTensor, type Stage, stage } from './tensor.ts'

/** Scale and shift of a norm: tensors whose dims are among the input's. `epsilon` is added under the root. */
export interface Affine {
  readonly scale?: AnyTensor
  readonly shift?: AnyTensor
  readonly epsilon?: number
}

type AffineOptions = ['scale', 'shift', 'epsilon']
const affineOptions: AffineOptions = ['scale', 'shift', 'epsilon']

type ParametersOf<A extends Affine> = [
  ...(A['scale'] extends AnyTensor ? [readonly ['scale', A['scale']]] : []),
  ...(A['shift'] extends AnyTensor ? [readonly ['shift', A['shift']]] : []),
] extends infer Ps extends readonly Given[] ? Ps : never

type NormAttributes = { readonly dim: string; readonly epsilon: number; readonly scale: boolean; readonly shift: boolean }

const parameterFits = (name: string, x: Shape, parameter: Shape, side: string): void => {
  noExtra(name, parameter, x, 'input')
  sameSizes(name, x, parameter, 'input', side)
  sameType(name, x, parameter, 'input', side)
}

/** A norm along one dim: reductions of a row, and the normed element, for rows of `count` elements. */
export const norm = <const Name extends string>(
  name: Name,
  row: (count: number, epsilon: number) => {
    readonly folds: readonly { readonly combine: Combine; readonly expression: Expression }[]
    readonly normed: Expression
  },
) => {
  const sides = ({ scale, shift }: NormAttributes): readonly string[] => ['input', ...(scale ? ['scale'] : []), ...(shift ? ['shift'] : [])]
  const op: Op<NormAttributes> = {
    name,
    sides,
    shape: ([x, ...parameters], attributes) => {
      const { dim } = attributes
      needDim(name, x!, dim)
      parameters.forEach((parameter, i) => parameterFits(name, x!, parameter, sides(attributes)[i + 1]!))
      needKind(name, x!, 'real')
      return x!
    },
    crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
    linear: [],
    kernel: ([x], _, { dim, epsilon, scale, shift }) => {
      const { folds, normed } = row(sizeOf(x!, dim)!, epsilon)
      const times = scale ? call('multiply', normed, input(1)) : normed
      return {
        family: 'row',
        inner: [dim],
        per: 'element',
        folds,
        result: shift ? call('add', times, input(scale ? 2 : 1)) : times,
      }
    },
  }
  return <const D extends string, const A extends Affine = Affine>(
    dim: D,
    affine?: KnownOptions<Name, A, AffineOptions>,
  ): Stage<AlongAffine<Name, D, ParametersOf<A>>> => {
    const where = sourceLine()
    const given = (affine ?? {}) as Affine
    const { scale, shift, epsilon = 1e-6 } = given
    const parameters = [scale, shift].filter((parameter) => parameter !== undefined)
    return stage((x) => {
      atLine(where, () => {
        knownOptions(name, given, affineOptions)
        mustBe(notNegative, name, 'epsilon', epsilon)
      })
      return record(op, { dim, epsilon, scale: scale !== undefined, shift: shift !== undefined }, [x, ...parameters], where)
    })
  }
}
