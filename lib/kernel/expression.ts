import * as t from 'io-ts'
import { NumberCodec } from '../codec.ts'
import type { DType } from '../dtype.ts'
import { inRangeOfSingle } from './float64.ts'
import { formOf, isScalarName, type ScalarName, scalars } from './scalar.ts'

/**
 * The arithmetic of an op for one element, as data. Ops build expressions once; backends turn them into
 * closures or WGSL. `input` n is the n-th operand's element, `fold` n the result of a row kernel's n-th
 * reduction, `index` n the position along the n-th loop dimension in the whole (unsharded) tensor.
 */
export type Expression =
  | { readonly input: number }
  | { readonly fold: number }
  | { readonly index: number }
  | { readonly constant: number; readonly type: DType }
  | { readonly call: ScalarName; readonly of: readonly Expression[] }

const ScalarCodec = new t.Type<ScalarName, string, unknown>(
  'scalar function',
  (value): value is ScalarName => typeof value === 'string' && isScalarName(value),
  (value, context) => typeof value === 'string' && isScalarName(value) ? t.success(value) : t.failure(value, context),
  (name) => name,
)

export const ExpressionCodec: t.Type<Expression, unknown> = t.recursion('expression', () =>
  t.union([
    t.strict({ input: t.number }),
    t.strict({ fold: t.number }),
    t.strict({ index: t.number }),
    t.strict({ constant: NumberCodec, type: t.keyof({ f32: null, i32: null, bool: null }) }),
    t.strict({ call: ScalarCodec, of: t.readonlyArray(ExpressionCodec) }),
  ]))

// ---- writing expressions -------------------------------------------------------------------------------------------

export const input = (n: number): Expression => ({ input: n })
export const fold = (n: number): Expression => ({ fold: n })
export const index = (n: number): Expression => ({ index: n })
export const real = (value: number): Expression => ({ constant: value, type: 'f32' })
export const integer = (value: number): Expression => ({ constant: value, type: 'i32' })
/** A number that a program gives, as an element of a type: a real number is the nearest float32, so 1e300 is ∞. */
export const literal = (value: number, type: DType): Expression => ({ constant: type === 'f32' ? Math.fround(value) : value, type })
export const call = (name: ScalarName, ...of: readonly Expression[]): Expression => ({ call: name, of })

/** Parts put together in pairs, and the pairs in pairs: a sum of n of them is off by log n roundings and not by n. */
export const inPairs = (name: ScalarName, parts: readonly Expression[]): Expression => {
  let pairs = parts
  while (pairs.length > 1) {
    pairs = pairs.flatMap((part, n) => n % 2 === 1 ? [] : n + 1 < pairs.length ? [call(name, part, pairs[n + 1]!)] : [part])
  }
  return pairs[0]!
}

// ---- reading expressions -------------------------------------------------------------------------------------------

/** The element type of an expression, given the types of the operands and of the reductions. */
export const typeOf = (e: Expression, inputs: readonly DType[], folds: readonly DType[] = []): DType => {
  if ('input' in e) return inputs[e.input]!
  if ('fold' in e) return folds[e.fold]!
  if ('index' in e) return 'i32'
  if ('constant' in e) return e.type
  const type: (...a: DType[]) => DType = scalars[e.call].type
  return type(...e.of.map((part) => typeOf(part, inputs, folds)))
}

/** Replaces leaves; everything else stays. */
export const substitute = (e: Expression, leaf: (leaf: Exclude<Expression, { call: ScalarName }>) => Expression): Expression =>
  'call' in e ? { call: e.call, of: e.of.map((part) => substitute(part, leaf)) } : leaf(e)

/** Number of calls in an expression: the work of one element. */
export const callsIn = (e: Expression): number => 'call' in e ? e.of.reduce((sum, part) => sum + callsIn(part), 1) : 0

export const usesIndex = (e: Expression): boolean => 'call' in e ? e.of.some(usesIndex) : 'index' in e

export type Evaluate = (inputs: ArrayLike<number>, folds: ArrayLike<number>, indices: ArrayLike<number>) => number

/**
 * An expression's float64 meaning as a closure. Real results have float64's digits and float32's range. Where the types of
 * operands and reductions are given, integer arithmetic is that of 32 bits: division drops the fraction, sums and products
 * wrap around.
 */
export const compile = (e: Expression, inputs: readonly DType[] = [], folds: readonly DType[] = []): Evaluate => {
  if ('input' in e) {
    const n = e.input
    return (x) => x[n]!
  }
  if ('fold' in e) {
    const n = e.fold
    return (_, y) => y[n]!
  }
  if ('index' in e) {
    const n = e.index
    return (_, __, z) => z[n]!
  }
  if ('constant' in e) {
    const c = e.type === 'f32' ? inRangeOfSingle(e.constant) : e.constant
    return () => c
  }
  const f = formOf(e.call, e.of[0] === undefined ? undefined : typeOf(e.of[0], inputs, folds)).evaluate as (...a: number[]) => number
  const type = typeOf(e, inputs, folds)
  const finish = type === 'i32' ? toInt32 : type === 'bool' ? asItIs : inRangeOfSingle
  const [a, b, c, d] = e.of.map((part) => compile(part, inputs, folds))
  // No scalar function has more than four arguments.
  if (d !== undefined) return (x, y, z) => finish(f(a!(x, y, z), b!(x, y, z), c!(x, y, z), d(x, y, z)))
  if (c !== undefined) return (x, y, z) => finish(f(a!(x, y, z), b!(x, y, z), c(x, y, z)))
  if (b !== undefined) return (x, y, z) => finish(f(a!(x, y, z), b(x, y, z)))
  return (x, y, z) => finish(f(a!(x, y, z)))
}

const toInt32 = (x: number): number => x | 0
const asItIs = (x: number): number => x
