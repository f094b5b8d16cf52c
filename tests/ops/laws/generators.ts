import type { Tensor } from '#lib/mod.ts'
import * as ops from '#ops/mod.ts'
import { type At, type Laws, numberOf, type Sizes, specs, stage } from '../law.ts'

/**
 * Threefry-2x32 with 20 rounds (Salmon et al. 2011) in whole numbers: the two words for a key and a counter, which are whole
 * numbers of 64 bits each (modulo 2⁶⁴), the low words first.
 */
export const threefryInBigInts = (key: bigint, counter: bigint): readonly [number, number] => {
  const mask = 0xffffffffn
  const [low, high] = [key & mask, (key >> 32n) & mask]
  const keys = [low, high, low ^ high ^ 0x1bd11bdan]
  const rotations = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n]
  let [x, y] = [(counter + low) & mask, ((counter >> 32n) + high) & mask]
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
  return [Number(x), Number(y)]
}

/** The streams of each use, of which there is room for eight in every stream of a program. */
const places = { uniform: 0, radius: 1, angle: 2, dropout: 3 } as const

/** The number in [0, 1) of an element for a use. */
export const uniformInBigInts = (seed: number, use: keyof typeof places, stream: number, element: number): number => {
  const [word] = threefryInBigInts(BigInt(seed), (BigInt(8 * stream + places[use]) << 32n) + BigInt(element))
  return Math.floor(word / 256) * 2 ** -24
}

/** Ops of positions and of random numbers; each meets a tensor, so that there is something to cut. */
export const generators = (sizes: Sizes): Laws => {
  const spec = specs(sizes)
  const [tse, se] = [spec('t s e'), spec('s e')]
  const at = (seed: number, use: keyof typeof places, stream = 0) => (at: At): number =>
    uniformInBigInts(seed, use, stream, numberOf(tse)(at))
  const normalAt = (seed: number, stream = 0) => {
    const [radius, angle] = [at(seed, 'radius', stream), at(seed, 'angle', stream)]
    return (at: At): number => Math.sqrt(-2 * Math.log(1 - radius(at))) * Math.cos(2 * Math.PI * angle(at))
  }
  const x = { dims: tse }
  /** A seed that is an input: a single number, taken out of a dim since laws have no inputs without one. */
  const given = { dims: 'k:1', type: 'i32', range: [-3, -3] } as const
  const seedIn = ({ seed }: Readonly<Record<string, Tensor>>) => stage(ops.select('k', 0))(seed!) as Tensor<'', '', string, 'i32'>

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
        result: ({ x }, where) => x!(where) * at(3, 'uniform')(where),
      },
      {
        inputs: { x },
        dims: tse,
        apply: ({ x }) => stage(ops.add(ops.normal(tse, { seed: 4 })))(x!),
        result: ({ x }, where) => x!(where) + normalAt(4)(where),
      },
      {
        inputs: { x },
        dims: tse,
        apply: ({ x }) => stage(ops.multiply(ops.uniform(tse, { seed: -(2 ** 53 - 1), stream: 2 ** 29 - 1 })))(x!),
        result: ({ x }, where) => x!(where) * at(-(2 ** 53 - 1), 'uniform', 2 ** 29 - 1)(where),
      },
      {
        inputs: { x, seed: given },
        dims: tse,
        apply: ({ x, ...inputs }) => stage(ops.add(ops.normal(tse, { seed: seedIn(inputs), stream: 5 })))(x!),
        result: ({ x }, where) => x!(where) + normalAt(-3, 5)(where),
      },
    ],
    dropout: [
      {
        inputs: { x },
        dims: tse,
        apply: ({ x }) => stage(ops.dropout({ rate: 0.3, seed: 2 ** 40 + 5 }))(x!),
        result: ({ x }, where) => at(2 ** 40 + 5, 'dropout')(where) < 0.3 ? 0 : x!(where) / 0.7,
      },
      {
        inputs: { x, seed: given },
        dims: tse,
        apply: ({ x, ...inputs }) => stage(ops.dropout({ rate: 0.75, seed: seedIn(inputs), stream: 9 }))(x!),
        result: ({ x }, where) => at(-3, 'dropout', 9)(where) < 0.75 ? 0 : 4 * x!(where),
      },
    ],
  }
}
