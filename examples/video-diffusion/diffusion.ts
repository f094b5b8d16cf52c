import { pipe } from 'fp-ts/lib/function.js'
import { checkpoint, input, mesh, output, type Program, program } from '#lib/mod.ts'
import { adamW, cosine, trainStep, warmUp } from '#lib/train/mod.ts'
import { add, mean, multiply, negate, square, subtract } from '#ops/mod.ts'
import { clip, parameters, type Sizes, transform } from '../video/model.ts'
import { batchAt, directions, normalNoise, shapes, uniformNoise } from './shapes.ts'

/**
 * A small video diffusion model: the transformer of `examples/video` learns, for clips that are mixed with noise, which
 * way leads from the clip to the noise (rectified flow, Liu et al. 2023). Going that way backwards from pure noise makes
 * new clips.
 */
export interface Settings {
  readonly sizes: Sizes
  /** Steps of training in all, for the learning rate. */
  readonly steps: number
  readonly peakRate: number
  /** Batches that make one step. */
  readonly accumulate?: number
  /** Whether the insides of blocks are computed once more in the backward pass, and not kept. */
  readonly recompute?: boolean
  /** The mesh axis over which the optimiser's state is cut. */
  readonly shard?: string
}

/** Words of a caption: the shape and the direction, each one-hot. */
export const sizesOf = (
  of: Pick<Sizes, 'batch' | 'frames' | 'width' | 'heads' | 'depth'> & { readonly height: number; readonly across: number },
): Sizes => ({
  batch: of.batch,
  frames: of.frames,
  rows: of.height / 2,
  columns: of.across / 2,
  width: of.width,
  heads: of.heads,
  depth: of.depth,
  words: 2,
  captionWidth: shapes.length + directions.length,
  channels: 3,
  outputChannels: 3,
})

/** Levels of noise, from 0 (the clip) to 1 (noise alone), as the transformer takes them. */
export const timeScale = 1000

/** One step of training: clips are cut over `dp`, the frames of a clip over `sp`. */
export const diffusionStep = (on: string, { sizes, steps, peakRate, accumulate = 1, recompute = false, shard }: Settings): Program =>
  trainStep('video diffusion', mesh(on as `dp=${number} sp=${number}`), {
    inputs: {
      clip: input(clip(sizes, sizes.channels)),
      noise: input(clip(sizes, sizes.channels)),
      level: input(`b:${sizes.batch}@dp`),
      caption: input(`b:${sizes.batch}@dp l:${sizes.words} w:${sizes.captionWidth}`),
    },
    parameters: parameters(sizes),
    loss: ({ inputs, parameters }) => {
      const { noise, level, caption } = inputs
      const latent = pipe(inputs.clip, multiply(pipe(level, negate, add(1))), add(pipe(noise, multiply(level))))
      const given = { latent, timestep: pipe(level, multiply(timeScale)), caption }
      const { prediction } = transform(sizes, given, parameters, recompute ? checkpoint : undefined)
      return pipe(prediction, subtract(pipe(noise, subtract(inputs.clip))), square, mean('b c t y x'))
    },
    optimiser: adamW({ rate: warmUp(Math.ceil(steps / 20), cosine(peakRate, steps)), ...(shard === undefined ? {} : { shard }) }),
    clip: 1,
    accumulate,
  })

/** The transformer alone, for sampling: where a noisy clip is going. */
export const velocity = (on: string, sizes: Sizes): Program =>
  program(
    'video diffusion, sampling',
    mesh(on as `dp=${number} sp=${number}`),
    {
      latent: input(clip(sizes, sizes.channels)),
      timestep: input(`b:${sizes.batch}@dp`),
      caption: input(`b:${sizes.batch}@dp l:${sizes.words} w:${sizes.captionWidth}`),
      ...parameters(sizes),
    },
    { prediction: output(clip(sizes, sizes.outputChannels)) },
    ({ latent, timestep, caption, ...weights }) => ({ prediction: transform(sizes, { latent, timestep, caption }, weights).prediction }),
  )

/** Frames, height and width of a clip, in pixels. */
export const extentOf = ({ frames, rows, columns }: Sizes) => ({ frames, height: 2 * rows, width: 2 * columns })

/** The clips of a batch, one by one. */
export const clipsIn = (batch: Float32Array, { batch: count }: Pick<Sizes, 'batch'>): readonly Float32Array[] => {
  const length = batch.length / count
  return Array.from({ length: count }, (_, i) => batch.subarray(i * length, (i + 1) * length))
}

/** The inputs of one step: the same for every mesh, and whenever they are asked for. */
export const trainingBatch = ({ sizes, accumulate = 1 }: Settings, seed: number) => (step: number) => {
  const count = sizes.batch * accumulate
  const { clips, captions } = batchAt(seed, step, count, extentOf(sizes))
  return {
    clip: clips,
    noise: normalNoise(seed, step, clips.length),
    level: uniformNoise(seed, step, count),
    caption: captions,
  }
}
