import type { Tensor } from '#lib/mod.ts'
import * as ops from '#ops/mod.ts'
import { type At, type Laws, numberOf, type Sizes, specs, stage } from '../law.ts'

/** Threefry-2x32 with 20 rounds (Salmon et al. 2011) for a key of one word and a counter of one word, in whole numbers. */
export const threefryInBigInts = (key: number, counter: number): number => {
  const mask = 0xffffffffn
  const word = (value: number): bigint => BigInt(value) & mask
  const keys = [word(key), 0n, word(key) ^ 0x1bd11bdan]
  const rotations = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n]
  let [x, y] = [(word(counter) + keys[0]!) & mask, keys[1]!]
  for (let round = 0; round < 20; round++) {
    x = (x + y) & mask
    const by = rotations[round % 8]!
    y = (((y << by) | (y >> (32n - by))) & mask) ^ x
    if (round % 4 === 3) {
      const injection = (round + 1) / 4
      x = (x + keys[injection % 3]!) & mask
      y = (y + keys[(injection + 1) % 3]! + BigInt(injection)) & mask
    }
  }
  return Number(x)
}

/** Ops that take no tensor; each meets one, so that there is something to cut. */
export const generators = (sizes: Sizes): Laws => {
  const spec = specs(sizes)
  const [tse, se] = [spec('t s e'), spec('s e')]
  const uniformAt = (seed: number, at: At): number => Math.floor(threefryInBigInts(seed, numberOf(tse)(at)) / 256) * 2 ** -24
  const x = { dims: tse }

  return {
    constant: [
      { inputs: { x }, dims: tse, apply: ({ x }) => stage(ops.add(ops.fill(se, 1.5)))(x!), result: ({ x }, at) => x!(at) + 1.5 },
      {
        inputs: { x },
        dims: tse,
        apply: ({ x }) => stage(ops.multiply(stage(ops.cast('f32'))(ops.iota(se, 's') as unknown as Tensor)))(x!),
        result: ({ x }, at) => x!(at) * at['s']!,
      },
      {
        inputs: { x },
        dims: tse,
        apply: ({ x }) => stage(ops.add(stage(ops.subtract(ops.ones(se)))(ops.zeros(se))))(x!),
        result: ({ x }, at) => x!(at) - 1,
      },
    ],
    random: [
      {
        inputs: { x },
        dims: tse,
        apply: ({ x }) => stage(ops.multiply(ops.uniform(tse, { seed: 3 })))(x!),
        result: ({ x }, at) => x!(at) * uniformAt(3, at),
      },
      {
        inputs: { x },
        dims: tse,
        apply: ({ x }) => stage(ops.add(ops.normal(tse, { seed: 4 })))(x!),
        result: ({ x }, at) =>
          x!(at) + Math.sqrt(-2 * Math.log(1 - uniformAt(4, at))) * Math.cos(2 * Math.PI * uniformAt(4 ^ 0x5851f42d, at)),
      },
    ],
  }
}
