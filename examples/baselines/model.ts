import { pipe } from 'fp-ts/lib/function.js'
import { mapLeaves, type TensorTree } from '#lib/grad/grad.ts'
import type { AnyStage } from '#lib/language/tensor.ts'
import {
  type AnyTensor,
  checkpoint,
  expect,
  input,
  layout,
  mesh,
  parameter,
  type Program,
  seq,
  type Tensor,
  type Tensors,
  valueAndGrad,
} from '#lib/mod.ts'
import { normal, xavier, zeros } from '#lib/train/mod.ts'
import {
  add,
  attention,
  contract,
  layerNorm,
  linear,
  mean,
  merge,
  multiply,
  selfAttention,
  slice,
  split,
  square,
  subtract,
  unstack,
} from '#ops/mod.ts'
import {
  blockVectors,
  captionWords,
  embedPatches,
  type EndParameters,
  endParameters,
  frameTable,
  momentVector,
  momentWaves,
  patchesOf,
  type Sizes,
  timeFrequencies,
} from '../video/model.ts'
import { small } from '../video/small.ts'

/**
 * The video transformer of `examples/video` without its layouts: the parts of which each baseline makes a block of its own.
 * Parameters have the names and elements of the golden cases; those of attention are declared with their heads, in the same
 * memory order, so that heads can be cut over any number of ranks.
 */
const dense = <const O extends string, const I extends string>(out: O, into: I, init = xavier({ into: namesIn(into) })) =>
  ({ weight: parameter(`${out} ${into}`, init), bias: parameter(out, zeros) }) as const
const namesIn = (dims: string): string => dims.replace(/:\S+/g, '')

/**
 * A block's parameters. `cut` is '' where every rank holds all of them, or an axis that cuts heads and the feed-forward
 * layer's width: what goes in is then cut by columns and what comes out by rows (Shoeybi et al. 2019, section 3).
 */
export const blockParameters = <const Cut extends '' | '@sp'>({ width, heads }: Sizes, cut: Cut) => {
  const [stream, inHeads, wide] = [
    `e:${width}`,
    `h:${heads}${cut} d:${width / heads}`,
    `f:${4 * width}${cut}`,
  ] as const
  return {
    table: parameter(`part:6 e:${width}`, normal(1 / Math.sqrt(width))),
    spatial: { qkv: dense(`part:3 ${inHeads}`, stream), out: dense(stream, inHeads) },
    temporal: { qkv: dense(`part:3 ${inHeads}`, stream), out: dense(stream, inHeads, zeros) },
    cross: { q: dense(inHeads, stream), kv: dense(`part:2 ${inHeads}`, stream), out: dense(stream, inHeads, zeros) },
    mlp: { fc1: dense(wide, stream), fc2: dense(stream, wide) },
  } as const
}

/** A block's parameters where every rank holds all of them, and where tensor parallelism cuts them. */
export type Weights = Tensors<ReturnType<typeof blockParameters<''>>, string>
export type CutWeights = Tensors<ReturnType<typeof blockParameters<'@sp'>>, string>

/** The moment's six vectors, the words of the caption, and what attention over time adds to its input (in the first block, a table). */
export interface Given {
  readonly time: Tensor<`b:${number} part:6 e:${number}`>
  readonly words: Tensor<`b:${number} l:${number} e:${number}`>
  readonly position: ReturnType<typeof positionOf>
}
type Vector = Tensor<`b:${number} e:${number}`>

/** A block, from residual stream to residual stream. */
export type Block<Stream, W = Weights> = (weights: W, given: Given) => (x: Stream) => Stream

// ---- parts of a block ----------------------------------------------------------------------------------------------

/** What shifts, scales and gates attention and the feed-forward layer: shift1, scale1, gate1, shift2, scale2, gate2. */
export const modulation = (table: Weights['table'], time: Given['time']) => pipe(time, add(table), unstack('part'))

/** A norm, scaled and shifted. */
export const modulated = (shift: Vector, scale: Vector) => seq(layerNorm('e'), multiply(pipe(scale, add(1))), add(shift))

/** Attention over one dim; the others run along. */
export const attend = <const Over extends 's' | 't'>(over: Over) => selfAttention({ parts: 'part', over, heads: 'h', features: 'd' })

/** The same, where keys and values go round an axis that cuts that dim, and queries stay. */
export const attendRound = <const Over extends 's' | 't', const Axis extends string>(over: Over, axis: Axis) =>
  selfAttention({ parts: 'part', over, heads: 'h', features: 'd', ring: axis })

/** Attention to the words of the caption. */
export const attendTo = <const K extends AnyTensor, const V extends AnyTensor>(keys: K, values: V) =>
  attention({ over: 'l', heads: 'h', features: 'd' })(keys, values)

/** Back into the residual stream: what happens between the product and its bias is up to the baseline. */
export const out = <
  Weight extends AnyTensor,
  Bias extends AnyTensor,
  const Dims extends string,
  const Between extends readonly AnyStage[],
>({ weight, bias }: { readonly weight: Weight; readonly bias: Bias }, dims: Dims, ...between: Between) =>
  seq(contract(weight, dims), ...between, add(bias))

/** Attention over time adds the frames' table to its input in the first block, in the others nothing. */
const positionOf = (sizes: Sizes, first: boolean) => {
  const added = seq(add(frameTable(sizes)))
  return first ? added : seq() as unknown as typeof added
}

/**
 * The same tensors, declared once more to lie as they do. A weight that is used so is read where it lies, cut as it is:
 * otherwise the pass may gather it, which sends fewer bytes wherever activations are larger than weights.
 */
export const inPlace = <W extends TensorTree>(weights: W): W =>
  mapLeaves(weights, (weight) => pipe(weight as Tensor, layout(cutsIn(weight)))) as W
const cutsIn = ({ spec }: AnyTensor): string =>
  spec.split(' ').flatMap((dim) => dim.includes('@') ? [dim.replace(/:.*@/, '@')] : []).join(' ')

// ---- the whole model -----------------------------------------------------------------------------------------------

/** Patches before they enter the residual stream. */
type Patches = Tensor<`b:${number} p:${number} t:${number} s:${number}`>

/** What makes one baseline different from another. */
export interface Baseline<Stream extends AnyTensor, Cut extends '' | '@sp'> {
  readonly name: string
  readonly cut: Cut
  /** How patches enter the residual stream, and a block; both say how the stream lies. */
  readonly enter: (embed: ReturnType<typeof embedPatches>) => (patches: Patches) => Stream
  readonly block: Block<Stream, Tensors<ReturnType<typeof blockParameters<Cut>>, string>>
}

/** A baseline as programs: the prediction alone, and the loss with the gradients by all parameters. */
export interface Programs {
  readonly forward: (on: string, sizes?: Sizes) => Program
  /** With `recompute` each block keeps its input alone, and is run once more in the backward pass. */
  readonly training: (on: string, sizes?: Sizes, options?: { readonly recompute?: boolean }) => Program
}

const inputs = ({ batch, frames, rows, columns, channels, words, captionWidth }: Sizes) => ({
  latent: input(`b:${batch} c:${channels} t:${frames} y:${2 * rows} x:${2 * columns}`),
  timestep: input(`b:${batch}`),
  caption: input(`b:${batch} l:${words} w:${captionWidth}`),
  target: input(`b:${batch} c:${channels} t:${frames} y:${2 * rows} x:${2 * columns}`),
})
type Inputs = Tensors<ReturnType<typeof inputs>, string>

/**
 * The programs of a baseline. Inputs are whole on every rank, so the stream is entered by a free slice; the prediction is
 * left in patches, and lies as the stream does: nothing is exchanged but by the blocks (and for gradients of parameters).
 */
export const programsOf = <Stream extends AnyTensor, const Cut extends '' | '@sp'>(baseline: Baseline<Stream, Cut>): Programs => {
  type BlockWeights = Tensors<ReturnType<typeof blockParameters<Cut>>, string>
  interface All extends EndParameters {
    readonly blocks: readonly BlockWeights[]
  }

  /** From noisy clips to predicted patches `b t s py px c`. */
  const predict = (
    sizes: Sizes,
    { latent, timestep, caption }: Inputs,
    { patch, time, text, blocks, final }: All,
    recompute = false,
  ): Tensor => {
    const moment = pipe(momentWaves(timestep), expect(`b:${sizes.batch} k:${2 * timeFrequencies}`), momentVector(time))
    const vectors = pipe(moment, blockVectors(time, sizes))
    const words = pipe(caption, captionWords(text))
    const start = pipe(latent, patchesOf(sizes), baseline.enter(embedPatches(patch, sizes)))
    const stream = blocks.reduce((x, weights, i) => {
      const block = (x: Stream): Stream => baseline.block(weights, { time: vectors, words, position: positionOf(sizes, i === 0) })(x)
      return (recompute ? checkpoint(block) : block)(x)
    }, start)
    const [shift, scale] = pipe(final.table, add(moment), unstack('part'))
    // The stream lies as the baseline likes: from here on its dims are known when the program is traced.
    return pipe(
      stream as unknown as Tensor,
      modulated(shift, scale),
      linear(final.out, 'e'),
      split('o', `py:2 px:2 c:${sizes.outputChannels}`),
    ) as Tensor
  }

  /** The mean square of the prediction's first channels against the target, patch by patch. */
  const lossOf = (sizes: Sizes, given: Inputs, weights: All, recompute: boolean): Tensor => {
    const { rows, columns, channels } = sizes
    const target = pipe(given.target, split('y', `y:${rows} py:2`), split('x', `x:${columns} px:2`), merge('y x', 's'))
    return pipe(
      predict(sizes, given, weights, recompute),
      slice('c', { from: 0, count: channels }),
      subtract(target as unknown as Tensor),
      square,
      mean('b t s py px c'),
    )
  }

  const programOf = (on: string, what: string, sizes: Sizes, body: (given: Inputs, weights: All) => unknown): Program => ({
    name: `${baseline.name}, ${what}`,
    mesh: mesh(on),
    inputs: {
      ...inputs(sizes),
      ...endParameters(sizes),
      blocks: Array.from({ length: sizes.depth }, () => blockParameters(sizes, baseline.cut)),
    },
    outputs: undefined,
    body:
      (({ latent, timestep, caption, target, ...weights }: Inputs & All) =>
        body({ latent, timestep, caption, target }, weights)) as unknown as Program['body'],
  })

  return {
    forward: (on, sizes = small) => programOf(on, 'forward', sizes, (given, weights) => ({ prediction: predict(sizes, given, weights) })),
    training: (on, sizes = small, { recompute = false } = {}) =>
      programOf(on, 'forward and backward', sizes, (given, weights) => {
        const [loss, gradients] = valueAndGrad((by: TensorTree) => lossOf(sizes, given, by as unknown as All, recompute))(
          weights as unknown as TensorTree,
        )
        return { loss, gradients }
      }),
  }
}
