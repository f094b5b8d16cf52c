import { erf } from '#lib/kernel/error-function.ts'
import type { ScalarName } from '#lib/kernel/scalar.ts'
import { aroundEach, fromBits, join, multiplesOf, pairsOf, powerPairs, spread } from './points.ts'

/** The functions whose errors are measured: what is right, where to look, and the bounds that `docs/numbers.md` states. */
export interface Measured {
  readonly name: ScalarName
  /** In float64, good to about 1e-15 of its value. */
  readonly oracle: (x: number, y: number) => number
  /** So many points: random bit patterns of all exponents, and the places where it is hard. One list per argument. */
  readonly points: (count: number) => readonly Float32Array[]
  /** The largest error on WebGPU, in units of the last place of the right float32. */
  readonly bound: number
}

const half = (count: number): number => Math.ceil(count / 2)

export const measured: readonly Measured[] = [
  {
    name: 'exponential',
    oracle: Math.exp,
    points: (n) => [join(fromBits(half(n)), spread(-104, 89, half(n)), aroundEach([0, 88.72284, -87.33655, -103.97208, 1], 64))],
    bound: 2,
  },
  {
    name: 'logarithm',
    oracle: Math.log,
    points: (
      n,
    ) => [join(fromBits(half(n), 'positive'), spread(0.5, 2, half(n)), aroundEach([1, Math.SQRT1_2, Math.SQRT2, 2 ** -126], 512))],
    bound: 2,
  },
  {
    name: 'logarithmOfOnePlus',
    oracle: Math.log1p,
    points: (n) => [join(fromBits(half(n), 'above -1'), spread(-1, 2, half(n)), aroundEach([-0.2928932, 0.41421356, 1, 1e-7], 512))],
    bound: 4,
  },
  {
    name: 'sine',
    oracle: Math.sin,
    points: (n) => [join(fromBits(half(n)), spread(-20000, 20000, half(n)), multiplesOf(Math.PI / 2, 1e30), aroundEach([8192], 64))],
    bound: 3,
  },
  {
    name: 'cosine',
    oracle: Math.cos,
    points: (n) => [join(fromBits(half(n)), spread(-20000, 20000, half(n)), multiplesOf(Math.PI / 2, 1e30), aroundEach([8192], 64))],
    bound: 3,
  },
  {
    name: 'hyperbolicTangent',
    oracle: Math.tanh,
    points: (n) => [join(fromBits(half(n)), spread(-12, 12, half(n)), aroundEach([2 ** -12, 0.1733, 9.01], 512))],
    bound: 3,
  },
  {
    name: 'errorFunction',
    oracle: erf,
    points: (n) => [join(fromBits(half(n)), spread(-5, 5, half(n)), aroundEach([3.95, 0.3], 512))],
    bound: 3,
  },
  { name: 'power', oracle: Math.pow, points: (n) => powerPairs(n), bound: 8 },
  { name: 'squareRoot', oracle: Math.sqrt, points: (n) => [join(fromBits(n, 'positive'), aroundEach([1, 2 ** -126], 512))], bound: 2.5 },
  {
    name: 'reciprocalSquareRoot',
    oracle: (x) => 1 / Math.sqrt(x),
    points: (n) => [join(fromBits(n, 'positive'), aroundEach([1, 2 ** -126], 512))],
    bound: 2.5,
  },
  {
    name: 'divide',
    oracle: (x, y) => x / y,
    // Subnormal operands may count as 0.
    points: (n) =>
      pairsOf(n).map((operand) => operand.map((x) => Math.abs(x) < 2 ** -126 ? x * 2 ** 30 : x)) as [Float32Array, Float32Array],
    bound: 2.5,
  },
]
