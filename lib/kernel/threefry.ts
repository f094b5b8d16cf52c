/**
 * Counter-based random numbers: a number is a function of a key (the seed) and of a counter (which number of which stream),
 * so that every rank, layout and backend sees the same ones. The generator is Threefry-2x32 with 20 rounds (Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.2), written twice side by side, as the scalar functions are.
 */

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const
/** Makes the third word of the key schedule differ from 0 where the key is 0. */
const parity = 0x1bd11bda

/**
 * One of the two words that the generator makes of a key and a counter of two words each; the high words are 0 unless given.
 * Words are taken modulo 2³², and come back between 0 and 2³² - 1.
 */
export const threefry = (keyLow: number, counterLow: number, keyHigh = 0, counterHigh = 0, word: 0 | 1 = 0): number => {
  const keys = [keyLow | 0, keyHigh | 0, parity ^ keyLow ^ keyHigh] as const
  let x = (counterLow + keys[0]) | 0
  let y = (counterHigh + keys[1]) | 0
  for (let round = 0; round < 20; round++) {
    x = (x + y) | 0
    const by = rotations[round % 8]!
    y = ((y << by) | (y >>> (32 - by))) ^ x
    if (round % 4 === 3) {
      const injection = (round >> 2) + 1
      x = (x + keys[injection % 3]!) | 0
      y = (y + keys[(injection + 1) % 3]! + injection) | 0
    }
  }
  return (word === 0 ? x : y) >>> 0
}

/** A number in [0, 1) of the 24 upper bits of the first word, which float32 holds exactly. */
export const uniformNumber = (keyLow: number, keyHigh: number, counter: number, stream: number): number =>
  (threefry(keyLow, counter, keyHigh, stream) >>> 8) * 2 ** -24

/** `uniformNumber` in WGSL. */
export const uniformText = /* wgsl */ `
fn uniform_(key_low: u32, key_high: u32, counter: u32, stream: u32) -> f32 {
  var rotations = array<u32, 8>(${rotations.map((by) => `${by}u`).join(', ')});
  var keys = array<u32, 3>(key_low, key_high, ${parity}u ^ key_low ^ key_high);
  var x = counter + keys[0];
  var y = stream + keys[1];
  for (var round = 0u; round < 20u; round++) {
    x = x + y;
    let by = rotations[round % 8u];
    y = ((y << by) | (y >> (32u - by))) ^ x;
    if (round % 4u == 3u) {
      let injection = (round >> 2u) + 1u;
      x = x + keys[injection % 3u];
      y = y + keys[(injection + 1u) % 3u] + injection;
    }
  }
  return f32(x >> 8u) * 5.9604644775390625e-8;
}
`

// ---- seeds and streams ---------------------------------------------------------------------------------------------

/** Whether a number can be a seed: whole, and told apart from its neighbours in float64. */
export const isSeed = (seed: number): boolean => Number.isSafeInteger(seed)

/** The two words of a seed as a key, low and high: its two's complement, so that each seed has a key of its own. */
export const keyOf = (seed: number): readonly [low: number, high: number] => [seed | 0, Math.floor(seed / 2 ** 32) | 0]

/**
 * What random numbers are for. Each use has a stream of its own under each seed, so that none repeats another's numbers. The
 * places are part of what a seed means: a new use takes a free one.
 */
const uses = { uniform: 0, radius: 1, angle: 2, dropout: 3, madeUpInput: 4, madeUpParameter: 5 } as const
const mostUses = 8
export type Use = keyof typeof uses

/** How many streams a program may tell apart under one seed. */
export const mostStreams = 2 ** 32 / mostUses

/** The high word of the counter: the n-th stream for a use. */
export const streamOf = (use: Use, stream = 0): number => (stream * mostUses + uses[use]) | 0

/** Numbers in one stream: the low word of the counter tells them apart. */
export const streamLength = 2 ** 32
