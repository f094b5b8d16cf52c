import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Fault } from '#lib/fault.ts'
import { compile, type LaunchOptions, withSession } from '#lib/mod.ts'
import type { NamedElements } from '#lib/run/executor.ts'
import { clipsIn, extentOf, timeScale, velocity } from './diffusion.ts'
import { captionOf, type ClipKind, normalNoise } from './shapes.ts'
import type { Sizes } from '../video/model.ts'

/** What to sample, and how. */
export interface SampleOptions {
  /** A kind for each clip; as many as a batch has, or fewer. */
  readonly kinds: readonly ClipKind[]
  readonly parameters: NamedElements
  /** Steps from noise to clip. */
  readonly steps: number
  readonly seed: number
  readonly launch: LaunchOptions
  readonly onStep?: () => void
}

/**
 * New clips: from pure noise backwards along the velocity that the model predicts, by Heun's rule (the mean of the velocities
 * at both ends of a step), whose last step is a plain one. One run of the ranks for each prediction.
 */
export const sample = (
  on: string,
  sizes: Sizes,
  { kinds, parameters, steps, seed, launch, onStep }: SampleOptions,
): TE.TaskEither<Fault, readonly Float32Array[]> => {
  const all = Array.from({ length: sizes.batch }, (_, i) => kinds[i % kinds.length]!)
  const { frames, height, width } = extentOf(sizes)
  const noise = normalNoise(seed, 0, sizes.batch * sizes.channels * frames * height * width)
  const caption = captionOf(all)
  return pipe(
    TE.fromEither(compile(velocity(on, sizes))),
    TE.chain((plan) =>
      withSession(plan, { ...launch, parameters }, (session) => async () => {
        const velocityAt = (latent: Float32Array, level: number) => {
          const timestep = new Float32Array(sizes.batch).fill(timeScale * level)
          return pipe(session.run({ latent, timestep, caption }), TE.map(({ outputs }) => outputs['prediction'] as Float32Array))()
        }
        let clips = noise
        for (let i = 0; i < steps; i++) {
          const [now, next] = [1 - i / steps, 1 - (i + 1) / steps]
          const here = await velocityAt(clips, now)
          if (E.isLeft(here)) return here
          const moved = along(clips, here.right, next - now)
          const there = i === steps - 1 ? here : await velocityAt(moved, next)
          if (E.isLeft(there)) return there
          clips = along(clips, mean(here.right, there.right), next - now)
          onStep?.()
        }
        return E.right(clipsIn(clips, sizes).slice(0, kinds.length))
      })
    ),
  )
}

const along = (from: Float32Array, velocity: Float32Array, by: number): Float32Array => from.map((x, i) => x + by * velocity[i]!)
const mean = (a: Float32Array, b: Float32Array): Float32Array => a.map((x, i) => (x + b[i]!) / 2)
