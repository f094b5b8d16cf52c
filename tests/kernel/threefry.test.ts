import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isSeed, keyOf, mostStreams, streamOf, threefry, type Use } from '#lib/kernel/threefry.ts'
import { threefryInBigInts } from '../ops/laws/generators.ts'

/** Known answers of Random123's own test for threefry2x32 with 20 rounds: key, counter, result, low words first. */
const knownAnswers = [
  [[0, 0], [0, 0], [0x6b200159, 0x99ba4efe]],
  [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], [0x1cb996fc, 0xbb002be7]],
  [[0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], [0xc4923a9c, 0x483df7a0]],
] as const

const inOne = ([low, high]: readonly [number, number]): bigint => BigInt(low) + (BigInt(high) << 32n)
const bothWords = ([keyLow, keyHigh]: readonly [number, number], [low, high]: readonly [number, number]) =>
  ([0, 1] as const).map((word) => threefry(keyLow, low, keyHigh, high, word))

describe('the random generator', () => {
  it('gives the known answers, and so does the one that the laws are made of', () => {
    for (const [key, counter, wanted] of knownAnswers) {
      assert.deepEqual(bothWords(key, counter), wanted)
      assert.deepEqual(threefryInBigInts(inOne(key), inOne(counter)), wanted)
    }
  })

  it('is that of whole numbers of 64 bits for every key and counter, its words signed or not', () => {
    const word = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }),
      fc.constantFrom(0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 2 ** 32 - 1),
    )
    const words = fc.tuple(word, word)
    const unsigned = (value: readonly [number, number]): bigint => inOne([value[0] >>> 0, value[1] >>> 0])
    fc.assert(
      fc.property(
        words,
        words,
        (key, counter) => assert.deepEqual(bothWords(key, counter), threefryInBigInts(unsigned(key), unsigned(counter))),
      ),
    )
  })
})

describe('seeds and streams', () => {
  it('take whole numbers alone that float64 tells apart', () => {
    for (const seed of [0, -0, 1, -1, 2 ** 32, 2 ** 53 - 1, 1 - 2 ** 53]) assert.ok(isSeed(seed), String(seed))
    for (const seed of [NaN, Infinity, -Infinity, 0.5, 1e-300, 2 ** 53, -(2 ** 53), 1e300]) assert.ok(!isSeed(seed), String(seed))
  })

  it('make of every seed a key of its own: its two words in two’s complement', () => {
    assert.deepEqual(keyOf(-0), [0, 0])
    fc.assert(fc.property(fc.maxSafeInteger(), (seed) => {
      const [low, high] = keyOf(seed)
      assert.equal(inOne([low >>> 0, high >>> 0]), BigInt.asUintN(64, BigInt(seed)))
    }))
  })

  it('have no word in common with those of another use or stream', () => {
    const uses: readonly Use[] = ['uniform', 'radius', 'angle', 'dropout', 'madeUpInput', 'madeUpParameter']
    const streams = [0, 1, 2, 7, 8, 1000, mostStreams - 1]
    const all = streams.flatMap((stream) => uses.map((use) => streamOf(use, stream) >>> 0))
    assert.equal(new Set(all).size, all.length)
  })
})
