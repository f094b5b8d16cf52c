import { threefry } from '#lib/kernel/threefry.ts'

/** Points at which scalar functions are measured, the same in every run. */

const bitsOf = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!

/** Joined lists. */
export const join = (...lists: readonly Float32Array[]): Float32Array => {
  const all = new Float32Array(lists.reduce((sum, list) => sum + list.length, 0))
  lists.reduce((at, list) => {
    all.set(list, at)
    return at + list.length
  }, 0)
  return all
}

const keeps = {
  any: () => true,
  positive: (x: number) => x > 0,
  'above -1': (x: number) => x > -1,
  normal: (x: number) => Math.abs(x) >= 2 ** -126,
} as const

/** Finite numbers of random bits: every exponent is as likely as any other, subnormal numbers included. */
export const fromBits = (count: number, which: keyof typeof keeps = 'any', key = 1): Float32Array => {
  const points = new Float32Array(count)
  const bits = new Int32Array(points.buffer)
  const keep: (x: number) => boolean = keeps[which]
  for (let i = 0, counter = 0; i < count; counter++) {
    bits[i] = threefry(key, counter)
    if (Number.isFinite(points[i]!) && keep(points[i]!)) i++
  }
  return points
}

/** Random numbers between two, in equal density. */
export const spread = (from: number, to: number, count: number, key = 2): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => from + (to - from) * (threefry(key, i) + 0.5) * 2 ** -32)

/** So many neighbours on both sides of each number and of its negative. */
export const aroundEach = (centres: readonly number[], reach: number): Float32Array => {
  const points = new Float32Array(centres.length * 2 * (2 * reach + 1))
  const bits = new Int32Array(points.buffer)
  let at = 0
  for (const centre of centres) {
    for (const sign of [0, -2147483648]) {
      for (let step = -reach; step <= reach; step++) bits[at++] = (bitsOf(Math.abs(centre)) + (centre === 0 ? Math.abs(step) : step)) ^ sign
    }
  }
  return points
}

/** The float32 neighbours of whole multiples of a number: the first 20 000, then more and more thinly, up to a limit. */
export const multiplesOf = (unit: number, limit: number): Float32Array => {
  const multiples: number[] = []
  for (let n = 1; n * unit < limit; n = n < 20000 ? n + 1 : Math.ceil(n * 1.001)) multiples.push(n * unit)
  return aroundEach(multiples, 1)
}

/** Pairs of random bits, and pairs with divisors at the ends of the range. */
export const pairsOf = (count: number): readonly [Float32Array, Float32Array] => {
  const extremes = [2 ** 126, 2 ** 127, 3e38, 2 ** -126, 2 ** -149, 1e-40]
  const some = Math.ceil(count / 2)
  const ends = Float32Array.from({ length: count - some }, (_, i) => extremes[i % extremes.length]! * (i % 2 === 0 ? 1 : -1))
  return [fromBits(count, 'normal', 3), join(fromBits(some, 'any', 4), ends)]
}

/**
 * Bases and exponents whose powers lie within the range for the most part: any base with an exponent that leads anywhere from
 * 2^-150 to 2^129, bases near 1 with large exponents, and negative bases with whole exponents.
 */
export const powerPairs = (count: number): readonly [Float32Array, Float32Array] => {
  const bases = new Float32Array(count)
  const exponents = new Float32Array(count)
  const any = fromBits(count, 'positive', 5)
  const target = spread(-150, 129, count, 6)
  const offset = spread(-12, -1, count, 7)
  for (let i = 0; i < count; i++) {
    bases[i] = i % 3 === 0 ? any[i]! : i % 3 === 1 ? 1 + (i % 2 === 0 ? 1 : -1) * 10 ** (offset[i]! * 0.6) : 0.5 + (offset[i]! + 12) / 6
    const exponent = target[i]! / Math.log2(bases[i]!)
    exponents[i] = Number.isFinite(exponent) ? exponent : target[i]!
    if (i % 8 !== 0) continue
    bases[i] = -bases[i]!
    exponents[i] = Math.round(exponents[i]!)
  }
  return [bases, exponents]
}
