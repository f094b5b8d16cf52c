import { call, type Expression, input } from '../kernel/expression.ts'
import type { Combine } from '../kernel/kernel.ts'
import { namesOf, type Shape, sizeOf } from '../layout/layout.ts'
import { extraDims, needDims, needType, sameSizes, sameType } from '../layout/shapes.ts'
import { crossByName, type Op } from '../op.ts'
import * as say from './messages.ts'
import { record } from './record.ts'
import { refuse } from './refusal.ts'
import type { AlongAffine } from './rules/along.ts'
import { sourceLine } from './source.ts'
import { type AnyTensor, type Stage, stage } from './tensor.ts'

/** Scale and shift of a norm: tensors whose dims are among the input's. `epsilon` is added under the root. */
export interface Affine {
  readonly scale?: AnyTensor
  readonly shift?: AnyTensor
  readonly epsilon?: number
}

type Given<A extends Affine> = [
  ...(A['scale'] extends AnyTensor ? [A['scale']] : []),
  ...(A['shift'] extends AnyTensor ? [A['shift']] : []),
]

type NormAttributes = { readonly dim: string; readonly epsilon: number; readonly scale: boolean; readonly shift: boolean }

const parameterFits = (name: string, x: Shape, parameter: Shape): void => {
  const extra = extraDims(parameter, x)[0]
  if (extra !== undefined) refuse(say.noDim(name, extra.name, namesOf(x)))
  sameSizes(name, x, parameter)
  sameType(name, x, parameter)
}

/** A norm along one dim: reductions of a row, and the normed element, for rows of `count` elements. */
export const norm = <const Name extends string>(
  name: Name,
  row: (count: number, epsilon: number) => {
    readonly folds: readonly { readonly combine: Combine; readonly expression: Expression }[]
    readonly normed: Expression
  },
) => {
  const op: Op<NormAttributes> = {
    name,
    shape: ([x, ...parameters], { dim }) => {
      needDims(name, x!, [dim])
      for (const parameter of parameters) parameterFits(name, x!, parameter)
      needType(name, x!, 'f32')
      return x!
    },
    crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
    linear: [],
    kernel: ([x], _, { dim, epsilon, scale, shift }) => {
      const { folds, normed } = row(sizeOf(x!, dim)!, epsilon)
      const times = scale ? call('multiply', normed, input(1)) : normed
      return {
        family: 'row', inner: [dim], per: 'element', folds,
        result: shift ? call('add', times, input(scale ? 2 : 1)) : times,
      }
    },
  }
  return <const D extends string, const A extends Affine = {}>(dim: D, affine?: A): Stage<AlongAffine<Name, D, Given<A>>> => {
    const where = sourceLine()
    const { scale, shift, epsilon = 1e-6 } = affine ?? {}
    const parameters = [scale, shift].filter((parameter) => parameter !== undefined)
    return stage((x) => record(op, { dim, epsilon, scale: scale !== undefined, shift: shift !== undefined }, [x, ...parameters], where))
  }
}
