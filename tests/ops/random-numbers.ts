import assert from 'node:assert/strict'
import type { Elements } from '#lib/dtype.ts'
import { uniformInBigInts } from './laws/generators.ts'

/** Random numbers by their definition, for tests: those of a whole tensor, in memory order. */

type Use = Parameters<typeof uniformInBigInts>[1]

/** Uniform numbers of a use. */
export const numbers = (count: number, seed: number, use: Use, stream = 0): readonly number[] =>
  Array.from({ length: count }, (_, i) => uniformInBigInts(seed, use, stream, i))

/** Normal numbers. */
export const normals = (count: number, seed: number, stream = 0): readonly number[] => {
  const angles = numbers(count, seed, 'angle', stream)
  return numbers(count, seed, 'radius', stream).map((u, i) => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * angles[i]!))
}

/** What dropout leaves of elements. */
export const dropped = (x: ArrayLike<number>, rate: number, seed: number, stream = 0): readonly number[] =>
  numbers(x.length, seed, 'dropout', stream).map((u, i) => u < rate ? 0 : x[i]! / (1 - rate))

export const close = (got: Elements, wanted: ArrayLike<number>, tolerance: number, what: string): void => {
  assert.equal(got.length, wanted.length, what)
  for (let i = 0; i < got.length; i++) {
    assert.ok(Math.abs(got[i]! - wanted[i]!) <= tolerance, `${what}: element ${i} is ${got[i]}, not ${wanted[i]}`)
  }
}

/** Exceeded by seven samples of so many in a million, were the numbers random; seeds of tests are fixed, so the tests are too. */
export const limit = (count: number): number => 4.5 / Math.sqrt(count)

export const meanOf = (x: readonly number[]): number => x.reduce((sum, one) => sum + one, 0) / x.length
/** Pearson's coefficient of correlation. */
export const correlation = (x: readonly number[], y: readonly number[]): number => {
  const [ofX, ofY] = [meanOf(x), meanOf(y)]
  const product = (a: readonly number[], b: readonly number[], ofA: number, ofB: number): number =>
    a.reduce((sum, one, i) => sum + (one - ofA) * (b[i]! - ofB), 0)
  return product(x, y, ofX, ofY) / Math.sqrt(product(x, x, ofX, ofX) * product(y, y, ofY, ofY))
}
