import type { DType } from '../dtype.ts'
import { complete } from '../grad/cotangent.ts'
import { fused } from '../grad/fused.ts'
import { times } from '../kernel/derivative.ts'
import { call, type Expression, input, literal, real } from '../kernel/expression.ts'
import type { RowTemplate } from '../kernel/template.ts'
import { sizeOf } from '../layout/layout.ts'
import { broadcast, needDim, needDims, needKind, sameSizes, sameType, without, words } from '../layout/shapes.ts'
import { type Attributes, crossByName, type Differential, type Op } from '../op.ts'
import { nodeOf, record } from './record.ts'
import * as say from './messages.ts'
import { needLiteral } from './literal.ts'
import { refuse } from './refusal.ts'
import type { Binary, Linearity, WithNumber } from './rules/binary.ts'
import type { Kind, Nonlinear } from './rules/unary.ts'
import { sourceLine } from './source.ts'
import { type AnyTensor, type Stage, stage } from './tensor.ts'

/** The shapes that most ops have; an op file says its arithmetic with one of these and is done. */

interface ElementwiseOptions {
  readonly linear?: boolean
  /** The derivative in terms of x and of the result, where that which follows from the arithmetic loses digits or overflows. */
  readonly derivative?: (x: Expression, y: Expression) => Expression
}

/** A function of one element, with attributes where it needs any. */
export const elementwise = <A extends Attributes = Attributes>(
  name: string,
  expression: (x: Expression, attributes: A) => Expression,
  { linear = false, derivative }: ElementwiseOptions = {},
): Op<A> => ({
  name,
  shape: ([x]) => {
    needKind(name, x!, 'real')
    return x!
  },
  crossings: (operands, result) => crossByName(operands, result),
  linear: linear ? [[0]] : [],
  ...(derivative === undefined ? {} : {
    gradient: ({ operands: [x], result, cotangent }) => [() =>
      fused({
        name: `${name} gradient`,
        operands: [x!, result, cotangent],
        result: nodeOf(result).shape,
        expression: times(input(2), derivative(input(0), input(1))) ?? real(0),
        linear: [2],
      })],
  }),
  kernel: (_, __, attributes) => ({ family: 'map', expression: expression(input(0), attributes) }),
})

/** A nonlinear function of one element, as a stage. */
export const nonlinear = <const Name extends string>(
  name: Name,
  expression: (x: Expression) => Expression,
  derivative?: ElementwiseOptions['derivative'],
): Stage<Nonlinear<Name>> => {
  const op = elementwise(name, expression, derivative === undefined ? {} : { derivative })
  return stage((x) => record(op, {}, [x], sourceLine()))
}

const linearSets = { together: [[0, 1]], either: [[0], [1]], left: [[0]], never: [] } as const

/**
 * The right operand of a function of two elements: a tensor, or a number that every element meets. Where elements are f32 it is
 * rounded to float32 (1e300 is ∞); where they can't be it, as 0.5 among i32, it is refused.
 */
export type Operand = AnyTensor | number
export type Applied<Name extends string, Y extends Operand, L extends Linearity, K extends Kind, To extends DType | 'same'> = Stage<
  Y extends AnyTensor ? Binary<Name, Y, L, K, To> : Y extends number ? WithNumber<Name, Y, L, K, To> : never
>

/**
 * A function of two elements, broadcast by name, as a data-last function: `add(y)(x) = x + y`, where y is a tensor or a
 * number. The operands are numbers unless said, and the result is of their type.
 */
export const binary = <const Name extends string, L extends Linearity, K extends Kind = 'number', To extends DType | 'same' = 'same'>(
  name: Name,
  linearity: L,
  expression: (x: Expression, y: Expression) => Expression,
  { of = 'number' as K, to = 'same' as To }: { readonly of?: K; readonly to?: To } = {},
) => {
  const withTensor: Op = {
    name,
    shape: ([x, y]) => {
      sameSizes(name, x!, y!)
      needKind(name, x!, of, 'left')
      sameType(name, x!, y!)
      return { ...broadcast(x!, y!), ...(to === 'same' ? {} : { type: to }) }
    },
    crossings: (operands, result) => crossByName(operands, result),
    linear: linearSets[linearity],
    kernel: () => ({ family: 'map', expression: expression(input(0), input(1)) }),
  }
  const withNumber: Op<{ readonly value: number }> = {
    ...withTensor,
    shape: ([x], { value }) => {
      needKind(name, x!, of)
      needLiteral(name, value, x!.type)
      // A quotient is what is linear in its left operand alone.
      if (linearity === 'left' && x!.type === 'i32' && value === 0) refuse(say.dividedByZero(name))
      return to === 'same' ? x! : { ...x!, type: to }
    },
    linear: linearity === 'either' || linearity === 'left' ? [[0]] : [],
    // What is compared must be what the elements can be; the reference calculates with all digits of a number.
    kernel: ([x], _, { value }) => ({
      family: 'map',
      expression: expression(input(0), to === 'bool' || x!.type !== 'f32' ? literal(value, x!.type) : real(value)),
    }),
  }
  return <const Y extends K extends 'truth' ? AnyTensor : Operand>(y: Y): Applied<Name, Y, L, K, To> => {
    const where = sourceLine()
    return stage((x) => typeof y === 'number' ? record(withNumber, { value: y }, [x], where) : record(withTensor, {}, [x, y], where))
  }
}

/** The gradient of an extreme goes to the positions that have it, in equal parts if there are several. */
const extremeGradient =
  (name: string) => ({ operands: [x], result, cotangent, attributes: { dims } }: Differential<{ readonly dims: string }>) => [() => {
    // An extreme that came over a link is a float32, and equal to the same float32 only.
    const isThere = call('equal', call('single', input(0)), call('single', input(1)))
    const [extreme, has] = [complete(result), call('select', isThere, real(1), real(0))]
    const count = fused({
      name: `${name} gradient`,
      operands: [x!, extreme],
      result: nodeOf(result).shape,
      inner: words(dims),
      folds: [{ combine: 'sum', expression: has }],
      per: 'row',
      expression: { fold: 0 },
    })
    return fused({
      name: `${name} gradient`,
      operands: [x!, extreme, complete(count), cotangent],
      result: nodeOf(x!).shape,
      expression: call('multiply', has, call('divide', input(3), input(2))),
      linear: [3],
    })
  }]

/** Folds blank-separated dims away by a sum or an extreme. */
export const foldOp = (
  name: string,
  kind: 'sum' | 'max' | 'min',
  finish: (folded: Expression, count: number) => Expression = (folded) => folded,
): Op<{ readonly dims: string }> => ({
  name,
  shape: ([x], { dims }) => {
    needDims(name, x!, words(dims))
    needKind(name, x!, 'real')
    return without(x!, words(dims))
  },
  crossings: (operands, result, { dims }) => crossByName(operands, result, Object.fromEntries(words(dims).map((dim) => [dim, kind]))),
  linear: kind === 'sum' ? [[0]] : [],
  ...(kind === 'sum' ? {} : { gradient: extremeGradient(name) }),
  kernel: ([x], _, { dims }) => {
    const count = words(dims).reduce((product, dim) => product * sizeOf(x!, dim)!, 1)
    return {
      family: 'row',
      inner: words(dims),
      folds: [{ combine: kind, expression: input(0) }],
      result: finish({ fold: 0 }, count),
      per: 'row',
    }
  },
})

/**
 * Needs all positions of one dim at once: reductions one after another, and from them a result for each element (`per`
 * element: the dim stays) or for each row (it goes away). `row` is told how many positions the dim has.
 */
export const wholeRowOp = (
  name: string,
  per: RowTemplate['per'],
  row: (count: number) => Pick<RowTemplate, 'folds' | 'result'>,
): Op<{ readonly dim: string }> => ({
  name,
  shape: ([x], { dim }) => {
    needDim(name, x!, dim)
    needKind(name, x!, 'real')
    return per === 'row' ? without(x!, [dim]) : x!
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [],
  kernel: ([x], _, { dim }) => ({ family: 'row', inner: [dim], per, ...row(sizeOf(x!, dim)!) }),
})

export const scaled = (x: Expression, by: number): Expression => call('multiply', x, real(by))
/** A factor that vanishes times one that may grow to ∞: 0 where the first is, not 0 · ∞. */
export const finiteLimit = (vanishing: Expression, growing: Expression): Expression =>
  call('select', call('equal', vanishing, real(0)), real(0), call('multiply', vanishing, growing))
/** 1 / (1 + e^-x) by way of e^-|x|: what is derived from it is finite too where e^-x is not. */
export const logistic = (x: Expression): Expression => {
  const [power, inverse] = [call('exponential', x), call('exponential', call('negate', x))]
  const onePlus = (y: Expression): Expression => call('add', real(1), y)
  return call('select', call('less', x, real(0)), call('divide', power, onePlus(power)), call('divide', real(1), onePlus(inverse)))
}
export const plus = (x: Expression, by: number): Expression => call('add', x, real(by))
