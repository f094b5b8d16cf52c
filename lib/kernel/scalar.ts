import type { DType } from '../dtype.ts'
import { erf } from './error-function.ts'
import { cPower, divideIntegers, toInteger } from './float64.ts'
import { uniformNumber, uniformText } from './threefry.ts'
import { bits } from './wgsl/bits.ts'
import { division } from './wgsl/division.ts'
import { emulated } from './wgsl/emulated.ts'
import { exponential } from './wgsl/exponential.ts'
import { logarithm } from './wgsl/logarithm.ts'
import { power } from './wgsl/power.ts'
import { trigonometric } from './wgsl/trigonometric.ts'

/** A function of elements of one type, written twice side by side: for float64 in TypeScript (its meaning) and for WGSL. */
export interface Form {
  readonly evaluate: (...a: number[]) => number
  /** Receives the already generated argument texts. */
  readonly wgsl: (...a: string[]) => string
}

/**
 * The scalar functions an expression may call, and nowhere else is said what they do. The form at hand is that of real numbers;
 * `integers` and `truths` stand beside it where the first argument's type makes a difference. `type` gives the result's type from
 * the arguments'. Edges (NaN, ±∞, -0, overflow, casts out of range) are those of NumPy and JAX, and where these two differ
 * those of JAX on a CPU; docs/numbers.md lists them.
 */
interface Scalar extends Form {
  readonly integers?: Form
  readonly truths?: Form
  readonly type: (...a: DType[]) => DType
}

const same = (...a: DType[]): DType => a[0]!
const real = (): DType => 'f32'
const truth = (): DType => 'bool'
const integer = (): DType => 'i32'

const form = (evaluate: Form['evaluate'], wgsl: Form['wgsl']): Form => ({ evaluate, wgsl })
const both = form((a, b) => +(a! !== 0 && b! !== 0), (a, b) => `(${a} && ${b})`)
const either = form((a, b) => +(a! !== 0 || b! !== 0), (a, b) => `(${a} || ${b})`)

export const scalars = {
  add: { evaluate: (a, b) => a! + b!, wgsl: (a, b) => `(${a} + ${b})`, type: same },
  subtract: { evaluate: (a, b) => a! - b!, wgsl: (a, b) => `(${a} - ${b})`, type: same },
  multiply: {
    evaluate: (a, b) => a! * b!,
    wgsl: (a, b) => `(${a} * ${b})`,
    integers: form(Math.imul as Form['evaluate'], (a, b) => `(${a} * ${b})`),
    type: same,
  },
  /** Integers divide towards zero; x / 0 is -1. */
  divide: {
    evaluate: (a, b) => a! / b!,
    wgsl: (a, b) => `divide_(${a}, ${b})`,
    integers: form((a, b) => divideIntegers(a!, b!), (a, b) => `quotient_(${a}, ${b})`),
    type: same,
  },
  negate: { evaluate: (a) => -a!, wgsl: (a) => `negate_(${a})`, integers: form((a) => -a!, (a) => `(-${a})`), type: same },
  absolute: {
    evaluate: (a) => Math.abs(a!),
    wgsl: (a) => `absolute_(${a})`,
    integers: form((a) => Math.abs(a!), (a) => `abs(${a})`),
    type: same,
  },
  /** -1, 1, or x itself where that is 0, -0 or NaN. */
  sign: {
    evaluate: (a) => Math.sign(a!),
    wgsl: (a) => `sign_(${a})`,
    integers: form((a) => Math.sign(a!), (a) => `sign(${a})`),
    type: same,
  },
  /** NaN from either side; 0 is larger than -0. */
  maximum: {
    evaluate: (a, b) => Math.max(a!, b!),
    wgsl: (a, b) => `maximum_(${a}, ${b})`,
    integers: form((a, b) => Math.max(a!, b!), (a, b) => `max(${a}, ${b})`),
    truths: either,
    type: same,
  },
  minimum: {
    evaluate: (a, b) => Math.min(a!, b!),
    wgsl: (a, b) => `minimum_(${a}, ${b})`,
    integers: form((a, b) => Math.min(a!, b!), (a, b) => `min(${a}, ${b})`),
    truths: both,
    type: same,
  },
  power: { evaluate: (a, b) => cPower(a!, b!), wgsl: (a, b) => `power_(${a}, ${b})`, type: real },
  exponential: { evaluate: (a) => Math.exp(a!), wgsl: (a) => `exponential_(${a})`, type: real },
  logarithm: { evaluate: (a) => Math.log(a!), wgsl: (a) => `logarithm_(${a})`, type: real },
  /** log(1 + x), with all digits where x is small. */
  logarithmOfOnePlus: { evaluate: (a) => Math.log1p(a!), wgsl: (a) => `logarithm_of_one_plus_(${a})`, type: real },
  squareRoot: { evaluate: (a) => Math.sqrt(a!), wgsl: (a) => `square_root_(${a})`, type: real },
  reciprocalSquareRoot: { evaluate: (a) => 1 / Math.sqrt(a!), wgsl: (a) => `reciprocal_square_root_(${a})`, type: real },
  sine: { evaluate: (a) => Math.sin(a!), wgsl: (a) => `sine_(${a})`, type: real },
  cosine: { evaluate: (a) => Math.cos(a!), wgsl: (a) => `cosine_(${a})`, type: real },
  hyperbolicTangent: { evaluate: (a) => Math.tanh(a!), wgsl: (a) => `hyperbolic_tangent_(${a})`, type: real },
  errorFunction: { evaluate: (a) => erf(a!), wgsl: (a) => `error_function_(${a})`, type: real },
  floor: { evaluate: (a) => Math.floor(a!), wgsl: (a) => `floor_(${a})`, type: real },
  less: {
    evaluate: (a, b) => +(a! < b!),
    wgsl: (a, b) => `less_(${a}, ${b})`,
    integers: form((a, b) => +(a! < b!), (a, b) => `(${a} < ${b})`),
    truths: form((a, b) => +(a! === 0 && b! !== 0), (a, b) => `(!${a} && ${b})`),
    type: truth,
  },
  lessOrEqual: {
    evaluate: (a, b) => +(a! <= b!),
    wgsl: (a, b) => `less_or_equal_(${a}, ${b})`,
    integers: form((a, b) => +(a! <= b!), (a, b) => `(${a} <= ${b})`),
    truths: form((a, b) => +(a! === 0 || b! !== 0), (a, b) => `(!${a} || ${b})`),
    type: truth,
  },
  equal: {
    evaluate: (a, b) => +(a! === b!),
    wgsl: (a, b) => `equal_(${a}, ${b})`,
    integers: form((a, b) => +(a! === b!), (a, b) => `(${a} == ${b})`),
    truths: form((a, b) => +((a! !== 0) === (b! !== 0)), (a, b) => `(${a} == ${b})`),
    type: truth,
  },
  and: { ...both, type: truth },
  or: { ...either, type: truth },
  not: { evaluate: (a) => +(a! === 0), wgsl: (a) => `(!${a})`, type: truth },
  /** select(condition, whenTrue, whenFalse) */
  select: { evaluate: (c, a, b) => (c! !== 0 ? a! : b!), wgsl: (c, a, b) => `select(${b}, ${a}, ${c})`, type: (_c, a) => a! },
  isFinite: { evaluate: (a) => +Number.isFinite(Math.fround(a!)), wgsl: (a) => `is_finite_(${a})`, type: truth },
  /** The nearest float32: on the reference backend too. */
  single: { evaluate: (a) => Math.fround(a!), wgsl: (a) => `${a}`, type: real },
  /** An integer becomes the nearest float32; a truth 0 or 1. */
  toReal: {
    evaluate: (a) => a!,
    wgsl: (a) => `${a}`,
    integers: form((a) => Math.fround(a!), (a) => `f32(${a})`),
    truths: form((a) => +(a! !== 0), (a) => `f32(${a})`),
    type: real,
  },
  /** Towards zero, and no further than the least and the greatest integer; NaN becomes 0. */
  toInteger: {
    evaluate: (a) => toInteger(a!),
    wgsl: (a) => `to_integer_(${a})`,
    integers: form((a) => a!, (a) => `${a}`),
    truths: form((a) => +(a! !== 0), (a) => `i32(${a})`),
    type: integer,
  },
  /** Whether it is not 0; NaN is not. */
  toTruth: {
    evaluate: (a) => +(a! !== 0),
    wgsl: (a) => `is_true_(${a})`,
    integers: form((a) => +(a! !== 0), (a) => `bool(${a})`),
    truths: form((a) => +(a! !== 0), (a) => `${a}`),
    type: truth,
  },
  /** uniform(keyLow, keyHigh, counter, stream): one number in [0, 1) from 24 random bits; the same for every layout and backend. */
  uniform: {
    evaluate: (low, high, counter, stream) => uniformNumber(low!, high!, counter!, stream!),
    wgsl: (low, high, counter, stream) => `uniform_(u32(${low}), u32(${high}), u32(${counter}), u32(${stream}))`,
    type: real,
  },
} as const satisfies Record<string, Scalar>

export type ScalarName = keyof typeof scalars

export const isScalarName = (name: string): name is ScalarName => Object.hasOwn(scalars, name)

/** The form of a function whose first argument is of a type. */
export const formOf = (name: ScalarName, first: DType | undefined): Form => {
  const scalar: Scalar = scalars[name]
  return (first === 'i32' ? scalar.integers : first === 'bool' ? scalar.truths : undefined) ?? scalar
}

/**
 * WGSL functions the texts above call; an emitter puts those that it needs before the kernel. WGSL's own transcendental functions may
 * be off by 2^-11 and may turn a NaN into a number, and on some drivers they do both; these are good to a few units in
 * the last place (docs/numbers.md) and keep NaN. Names end in `_`, so that an emitter can tell which it needs.
 */
export const wgslPrelude = /* wgsl */ `${bits}${division}${exponential}${logarithm}${trigonometric}${power}${uniformText}`

/** Those that have another form where a GPU is emulated. */
export const emulatedPrelude = emulated
