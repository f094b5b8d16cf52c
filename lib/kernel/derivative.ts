import { call, type Expression, real } from './expression.ts'
import type { ScalarName } from './scalar.ts'

/**
 * Derivatives of expressions. Zero is null, so that what doesn't contribute is never computed. At a kink the derivative is the
 * mean of those from the sides, as in JAX and PyTorch: 0 at the tip of |x|, ½ to each of the equal sides of a maximum. Where a
 * derivative is 0 it is chosen, not multiplied by: 0 · ∞ would be NaN.
 */
type Derivative = Expression | null

const isNumber = (e: Expression, value: number): boolean => 'constant' in e && e.constant === value

type Call = Extract<Expression, { call: ScalarName }>

/** A choice of a number or of 0: `select(c, 1, 0)` and the like. */
const isMask = (e: Expression): e is Call =>
  'call' in e && e.call === 'select' && (isNumber(e.of[1]!, 0) || isNumber(e.of[2]!, 0)) &&
  e.of.slice(1).every((side) => 'constant' in side)

/** The mask's number times x where it is not 0; 0 where it is, whatever x is there. */
const masked = ({ of: [condition, whenTrue, whenFalse] }: Call, x: Expression): Expression => {
  const side = (number: Expression): Expression => isNumber(number, 0) ? zero : times(number, x) ?? zero
  return call('select', condition!, side(whenTrue!), side(whenFalse!))
}

/** x · y without needless work, and 0 where one of them is a choice of 0. */
export const times = (x: Derivative, y: Derivative): Derivative =>
  x === null || y === null
    ? null
    : isNumber(x, 1)
    ? y
    : isNumber(y, 1)
    ? x
    : isMask(y)
    ? masked(y, x)
    : isMask(x)
    ? masked(x, y)
    : call('multiply', x, y)

/** x + y without needless work. */
export const plus = (x: Derivative, y: Derivative): Derivative => x === null ? y : y === null ? x : call('add', x, y)

const minus = (x: Expression): Expression => call('negate', x)
const over = (x: Expression, y: Expression): Expression => call('divide', x, y)
const square = (x: Expression): Expression => call('multiply', x, x)
const choose = (condition: Expression, x: Expression, y: Expression): Expression => call('select', condition, x, y)
const equal = (x: Expression, y: Expression): Expression => call('equal', x, y)
const [zero, half, one] = [real(0), real(0.5), real(1)]
/** What goes to x where it is less than y, and where they are equal. */
const shareOfLess = (x: Expression, y: Expression): Expression => choose(call('less', x, y), one, choose(equal(x, y), half, zero))

/** The derivative by each argument, given the arguments and the value; left out, a function is a step or not of real numbers. */
type Partials = (of: readonly Expression[], value: Expression) => readonly Derivative[]

const partials: { readonly [name in ScalarName]?: Partials } = {
  add: () => [one, one],
  subtract: () => [one, real(-1)],
  multiply: ([x, y]) => [y!, x!],
  divide: ([, y], value) => [over(one, y!), minus(over(value, y!))],
  negate: () => [real(-1)],
  absolute: ([x]) => [call('sign', x!)],
  maximum: ([x, y]) => [shareOfLess(y!, x!), shareOfLess(x!, y!)],
  minimum: ([x, y]) => [shareOfLess(x!, y!), shareOfLess(y!, x!)],
  // By x it is 0 where y is; by y it is 0 where x or the value is: limits of what would be 0 · ∞.
  power: ([x, y], value) => [
    choose(equal(y!, zero), zero, call('multiply', y!, call('power', x!, call('subtract', y!, one)))),
    choose(call('or', equal(x!, zero), equal(value, zero)), zero, call('multiply', value, call('logarithm', x!))),
  ],
  exponential: (_, value) => [value],
  logarithm: ([x]) => [over(one, x!)],
  logarithmOfOnePlus: ([x]) => [over(one, call('add', one, x!))],
  squareRoot: (_, value) => [over(real(0.5), value)],
  reciprocalSquareRoot: (_, value) => [call('multiply', real(-0.5), call('multiply', value, square(value)))],
  sine: ([x]) => [call('cosine', x!)],
  cosine: ([x]) => [minus(call('sine', x!))],
  hyperbolicTangent: (_, value) => [call('subtract', one, square(value))],
  errorFunction: ([x]) => [call('multiply', real(2 / Math.sqrt(Math.PI)), call('exponential', minus(square(x!))))],
  select: ([condition]) => [null, choose(condition!, one, zero), choose(condition!, zero, one)],
  single: () => [one],
  toReal: () => [one],
}

type Leaf = { readonly input: number } | { readonly fold: number }

const isLeaf = (e: Expression, leaf: Leaf): boolean =>
  'input' in leaf ? 'input' in e && e.input === leaf.input : 'fold' in e && e.fold === leaf.fold

/** The derivative of an expression by one of its inputs or folds; null where it is 0. */
export const derivative = (e: Expression, by: Leaf): Derivative => {
  if (isLeaf(e, by)) return one
  if (!('call' in e)) return null
  const inner = e.of.map((part) => derivative(part, by))
  if (inner.every((part) => part === null)) return null
  const outer = partials[e.call]?.(e.of, e) ?? []
  return inner.reduce<Derivative>((sum, part, i) => plus(sum, times(outer[i] ?? null, part)), null)
}
