import { call, type Expression, real } from './expression.ts'
import type { ScalarName } from './scalar.ts'

/**
 * Derivatives of expressions. Zero is null, so that what doesn't contribute is never computed. At a kink (the tip of |x|,
 * equal sides of a maximum) the derivative is one of those from the sides; at that of `maximum(x, 0)` it is 0.
 */
type Derivative = Expression | null

const isNumber = (e: Expression, value: number): boolean => 'constant' in e && e.constant === value

/** x · y without needless work. */
export const times = (x: Derivative, y: Derivative): Derivative =>
  x === null || y === null ? null : isNumber(x, 1) ? y : isNumber(y, 1) ? x : call('multiply', x, y)

/** x + y without needless work. */
export const plus = (x: Derivative, y: Derivative): Derivative => x === null ? y : y === null ? x : call('add', x, y)

const minus = (x: Expression): Expression => call('negate', x)
const over = (x: Expression, y: Expression): Expression => call('divide', x, y)
const square = (x: Expression): Expression => call('multiply', x, x)
const choose = (condition: Expression, x: Expression, y: Expression): Expression => call('select', condition, x, y)
const [zero, one] = [real(0), real(1)]

/** The derivative by each argument, given the arguments and the value; left out, a function is a step or not of real numbers. */
type Partials = (of: readonly Expression[], value: Expression) => readonly Derivative[]

const partials: { readonly [name in ScalarName]?: Partials } = {
  add: () => [one, one],
  subtract: () => [one, real(-1)],
  multiply: ([x, y]) => [y!, x!],
  divide: ([, y], value) => [over(one, y!), minus(over(value, y!))],
  negate: () => [real(-1)],
  absolute: ([x]) => [choose(call('less', x!, zero), real(-1), one)],
  maximum: ([x, y]) => [choose(call('less', y!, x!), one, zero), choose(call('less', y!, x!), zero, one)],
  minimum: ([x, y]) => [choose(call('less', x!, y!), one, zero), choose(call('less', x!, y!), zero, one)],
  power: ([x, y], value) => [
    call('multiply', y!, call('power', x!, call('subtract', y!, one))),
    choose(call('equal', x!, zero), zero, call('multiply', value, call('logarithm', x!))),
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
