import { pipe } from 'fp-ts/lib/function.js'
import { expect, input, layout, mesh, output, parameter, program, residual, seq, type Tensor, type Tensors } from '#lib/mod.ts'
import {
  add,
  attention,
  cast,
  concat,
  cos,
  exp,
  gelu,
  iota,
  layerNorm,
  linear,
  merge,
  multiply,
  rename,
  reorder,
  repeat,
  selfAttention,
  silu,
  sin,
  split,
  unstack,
} from '#ops/mod.ts'
import { normal, xavier, zeros } from '#lib/train/mod.ts'

/** Sizes of a spatial-temporal video transformer (the STDiT of arXiv 2403.10266). */
export interface Sizes {
  /** Clips in a batch, frames of a clip, rows and columns of patches in a frame. */
  readonly batch: number
  readonly frames: number
  readonly rows: number
  readonly columns: number
  /** Width of the residual stream, attention heads, blocks. */
  readonly width: number
  readonly heads: number
  readonly depth: number
  /** Words of the caption and width of their vectors. */
  readonly words: number
  readonly captionWidth: number
  /** Channels that come in and go out; a patch is 1 × 2 × 2. */
  readonly channels: number
  readonly outputChannels: number
}

/** Frequencies of a moment's waves. */
export const timeFrequencies = 128

/** A linear layer's parameters, `[out, in]` as PyTorch stores them. */
const layer = <const O extends string, const I extends string>(o: O, i: I, out: number, into: number, init = xavier()) =>
  ({ weight: parameter(`${o}:${out} ${i}:${into}`, init), bias: parameter(`${o}:${out}`, zeros) }) as const

const blockParameters = ({ width }: Sizes) => ({
  table: parameter(`part:6 e:${width}`, normal(1 / Math.sqrt(width))),
  spatial: { qkv: layer('f', 'e', 3 * width, width), out: layer('e', 'f', width, width) },
  // Attention over time and to words begin as nothing, as in STDiT.
  temporal: { qkv: layer('f', 'e', 3 * width, width), out: layer('e', 'f', width, width, zeros) },
  cross: { q: layer('f', 'e', width, width), kv: layer('f', 'e', 2 * width, width), out: layer('e', 'f', width, width, zeros) },
  mlp: { fc1: layer('f', 'e', 4 * width, width), fc2: layer('e', 'f', width, 4 * width) },
})

/** The parameters before and after the blocks. */
export const endParameters = (sizes: Sizes) => ({
  patch: layer('e', 'p', sizes.width, 4 * sizes.channels),
  time: {
    fc1: layer('e', 'k', sizes.width, 2 * timeFrequencies),
    fc2: layer('f', 'e', sizes.width, sizes.width),
    block: layer('f', 'e', 6 * sizes.width, sizes.width),
  },
  text: { fc1: layer('e', 'w', sizes.width, sizes.captionWidth), fc2: layer('f', 'e', sizes.width, sizes.width) },
  final: {
    table: parameter(`part:2 e:${sizes.width}`, normal(1 / Math.sqrt(sizes.width))),
    out: layer('o', 'e', 4 * sizes.outputChannels, sizes.width, zeros),
  },
})
export type EndParameters = Tensors<ReturnType<typeof endParameters>, string>

/** The transformer's parameters, named as PyTorch names them. */
export const parameters = (sizes: Sizes) => ({
  ...endParameters(sizes),
  blocks: Array.from({ length: sizes.depth }, () => blockParameters(sizes)),
})

type Parameters = Tensors<ReturnType<typeof parameters>, string>
type BlockParameters = Tensors<ReturnType<typeof blockParameters>, string>

/** Sines and cosines of positions at `count` geometrically spaced frequencies, along a new dim k. */
const wavesOf = (positions: Tensor, count: number) => {
  const frequencies = pipe(iota(`k:${count}`, 'k'), cast('f32'), multiply(-Math.log(10000) / count), exp)
  const angles = pipe(positions, multiply(frequencies))
  return { sines: sin(angles), cosines: cos(angles) }
}

/** Vaswani et al.'s table for one dim: `size` features, the first half sines. */
const positionTable = (dim: string, length: number, size: number): Tensor => {
  const { sines, cosines } = wavesOf(pipe(iota(`${dim}:${length}`, dim), cast('f32')), size / 2)
  return pipe(sines, concat('k', cosines), reorder(`${dim} k`))
}

/** A table over the patches of a frame: half of the features say the row, half the column. */
const patchTable = ({ rows, columns, width }: Sizes) => {
  const row = pipe(positionTable('y', rows, width / 2), repeat(`x:${columns}`), reorder('y x k'))
  const column = pipe(positionTable('x', columns, width / 2), repeat(`y:${rows}`))
  return pipe(row, concat('k', column), merge('y x', 's'), rename('k', 'e'), expect(`s:${rows * columns} e:${width}`))
}

/** The table over the frames of a clip, which attention over time sees in the first block. */
export const frameTable = ({ frames, width }: Sizes) =>
  pipe(positionTable('t', frames, width), rename('k', 'e'), expect(`t:${frames} e:${width}`))

/** What a moment of noise is told by: cosines and sines, along a dim k behind the moments' own dims. */
export const momentWaves = (moments: Tensor): Tensor => {
  const { sines, cosines } = wavesOf(moments, timeFrequencies)
  return pipe(cosines, concat('k', sines), reorder('b k'))
}

/** From the waves of a moment to its vector, and to the six vectors that modulate a block. */
export const momentVector = ({ fc1, fc2 }: EndParameters['time']) => seq(linear(fc1, 'k'), silu, linear(fc2, 'e'), rename('f', 'e'))
export const blockVectors = ({ block }: EndParameters['time'], { width }: Sizes) =>
  seq(silu, linear(block, 'e'), split('f', `part:6 e:${width}`))

/** From a caption to the words that blocks attend to. */
export const captionWords = ({ fc1, fc2 }: EndParameters['text']) => seq(linear(fc1, 'w'), gelu, linear(fc2, 'e'), rename('f', 'e'))

/** From pixels to patches, and from patches to the residual stream. */
export const patchesOf = ({ rows, columns }: Sizes) =>
  seq(split('y', `y:${rows} py:2`), split('x', `x:${columns} px:2`), merge('y x', 's'), merge('c py px', 'p'))
export const embedPatches = (patch: EndParameters['patch'], sizes: Sizes) => seq(linear(patch, 'p'), add(patchTable(sizes)))

/** Self-attention over one dim of the residual stream; the others run along. */
const attend = (weights: BlockParameters['spatial'], over: 's' | 't', { heads, width }: Sizes) =>
  seq(
    linear(weights.qkv, 'e'),
    split('f', `part:3 h:${heads} d:${width / heads}`),
    selfAttention({ parts: 'part', over, heads: 'h', features: 'd' }),
    merge('h d', 'f'),
    linear(weights.out, 'f'),
  )

/** Clips are cut over dp; over sp frames are cut in time, or patches are whole in time and cut in space. */
type Frames = Tensor<`b:${number}@dp t:${number}@sp s:${number} e:${number}`>
type Modulation = Tensor<`b:${number}@dp e:${number}`>
type Words = Tensor<`b:${number}@dp l:${number} e:${number}`>

const modulate = (shift: Modulation, scale: Modulation) => seq(multiply(pipe(scale, add(1))), add(shift))

/**
 * One block as DSP lays it out: attention over space with frames whole, one switch, attention over time with each
 * patch's history whole, one switch back; words and the feed-forward layer don't care.
 */
const block = (sizes: Sizes, weights: BlockParameters, time: Tensor<`b:${number}@dp part:6 e:${number}`>, words: Words, first: boolean) => {
  const [shift1, scale1, gate1, shift2, scale2, gate2] = pipe(time, add(weights.table), unstack('part'))
  const { heads, width } = sizes
  const [keys, values] = pipe(words, linear(weights.cross.kv, 'e'), split('f', `part:2 h:${heads} d:${width / heads}`), unstack('part'))
  const inTime = [attend(weights.temporal, 't', sizes), multiply(gate1)] as const
  const table = frameTable(sizes)
  return (x: Frames) =>
    pipe(
      x,
      residual(layerNorm('e'), modulate(shift1, scale1), attend(weights.spatial, 's', sizes), multiply(gate1)),
      layout('b@dp s@sp'),
      first ? residual(add(table), ...inTime) : residual(...inTime),
      layout('b@dp t@sp'),
      residual(
        linear(weights.cross.q, 'e'),
        split('f', `h:${heads} d:${width / heads}`),
        attention({ over: 'l', heads: 'h', features: 'd' })(keys, values),
        merge('h d', 'f'),
        linear(weights.cross.out, 'f'),
      ),
      residual(
        layerNorm('e'),
        modulate(shift2, scale2),
        linear(weights.mlp.fc1, 'e'),
        gelu,
        linear(weights.mlp.fc2, 'f'),
        multiply(gate2),
      ),
    )
}

/** A clip of so many channels: cut over dp by clips, over sp by frames. */
export const clip = ({ batch, frames, rows, columns }: Sizes, channels: number) =>
  `b:${batch}@dp c:${channels} t:${frames}@sp y:${2 * rows} x:${2 * columns}` as const
type Clips = Tensor<ReturnType<typeof clip>>

/** What goes into the transformer: noisy latent clips, how noisy they are, and captions. */
export const inputs = (sizes: Sizes) => ({
  latent: input(clip(sizes, sizes.channels)),
  timestep: input(`b:${sizes.batch}@dp`),
  caption: input(`b:${sizes.batch}@dp l:${sizes.words} w:${sizes.captionWidth}`),
})
type Inputs = Tensors<ReturnType<typeof inputs>, string>

/**
 * The transformer: a prediction for each position of noisy latent clips, and the residual stream after each block. `wrap`
 * may make something else of each block, like one that is recomputed in the backward pass.
 */
export const transform = (
  sizes: Sizes,
  { latent, timestep, caption }: Inputs,
  { patch, time, text, blocks, final }: Parameters,
  wrap: (block: (x: Frames) => Frames) => (x: Frames) => Frames = (block) => block,
): { readonly prediction: Clips; readonly streams: readonly Frames[] } => {
  const { batch, rows, columns, outputChannels } = sizes
  const moment = pipe(momentWaves(timestep), expect(`b:${batch}@dp k:${2 * timeFrequencies}`), momentVector(time))
  const vectors = pipe(moment, blockVectors(time, sizes))
  const caps = pipe(caption, captionWords(text))
  const patches = pipe(latent, patchesOf(sizes), embedPatches(patch, sizes))
  const streams: Frames[] = []
  let stream: Frames = patches
  for (const [i, weights] of blocks.entries()) {
    stream = wrap(block(sizes, weights, vectors, caps, i === 0))(stream)
    streams.push(stream)
  }

  const [shift, scale] = pipe(final.table, add(moment), unstack('part'))
  const prediction = pipe(
    stream,
    layerNorm('e'),
    modulate(shift, scale),
    linear(final.out, 'e'),
    split('o', `py:2 px:2 c:${outputChannels}`),
    split('s', `y:${rows} x:${columns}`),
    merge('y py', 'y'),
    merge('x px', 'x'),
    reorder('b c t y x'),
  )
  return { prediction, streams }
}

/**
 * The transformer as a program for `ranks` processes. Everything is cut in time, but where attention over time needs it
 * whole.
 */
export const videoTransformer = (sizes: Sizes, ranks: number) =>
  program(
    'video transformer',
    mesh(`dp=1 sp=${ranks}`),
    { ...inputs(sizes), ...parameters(sizes) },
    { prediction: output(clip(sizes, sizes.outputChannels)) },
    ({ latent, timestep, caption, ...weights }) => transform(sizes, { latent, timestep, caption }, weights),
  )
