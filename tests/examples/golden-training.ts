import { readFile } from 'node:fs/promises'
import { pipe } from 'fp-ts/lib/function.js'
import type { Elements } from '#lib/dtype.ts'
import { readSafetensors, type StoredTensors } from '#lib/files/safetensors.ts'
import { checkpoint, input, mesh, type Program, program, valueAndGrad } from '#lib/mod.ts'
import { type Optimiser, trainStep } from '#lib/train/mod.ts'
import { mean, slice, square, subtract } from '#ops/mod.ts'
import { readGolden } from '../../examples/video/golden.ts'
import { clip, inputs, parameters, type Sizes, transform } from '../../examples/video/model.ts'
import { right } from '../lower/run-plan.ts'

/** The golden cases as programs: the gradients of the loss, and steps of an optimiser. */

type Case = 'small' | 'odd'
const at = (name: Case, what: string): URL => new URL(`../../examples/video/golden/${name}.${what}`, import.meta.url)

export const named = (tensors: StoredTensors): Record<string, Elements> =>
  Object.fromEntries(Object.entries(tensors).map(([name, { elements }]) => [name, elements]))

/** What PyTorch computed. */
export const goldenTraining = async (name: Case) => {
  const about = JSON.parse(await readFile(at(name, 'json'), 'utf8')) as {
    readonly loss: number
    readonly adamw: { readonly lr: number; readonly weightDecay: number; readonly lossPerStep: readonly number[] }
  }
  const tensorsOf = async (what: string) => named(right(await readSafetensors(at(name, what).pathname)()))
  const golden = right(await readGolden(name)())
  return {
    sizes: golden.sizes,
    weights: named(golden.weights),
    inputs: named(golden.inputs),
    about,
    gradients: await tensorsOf('gradients.safetensors'),
    after: await tensorsOf('adamw5.safetensors'),
  }
}

interface Options {
  readonly recompute?: boolean
}

type Given = Parameters<typeof transform>[1] & { readonly target: Parameters<typeof transform>[1]['latent'] }

/** The mean square of the prediction's first channels against the target. */
const lossOf = (sizes: Sizes, { target, ...given }: Given, weights: Parameters<typeof transform>[2], { recompute = false }: Options) =>
  pipe(
    transform(sizes, given, weights, recompute ? checkpoint : undefined).prediction,
    slice('c', { from: 0, count: sizes.channels }),
    subtract(target),
    square,
    mean('b c t y x'),
  )

/** The loss, and its gradients by all parameters and by the latent. */
export const gradientProgram = (sizes: Sizes, on: string, options: Options = {}): Program =>
  program(
    'golden gradients',
    mesh(on as `dp=${number} sp=${number}`),
    { ...inputs(sizes), target: input(clip(sizes, sizes.channels)), weights: parameters(sizes) },
    ({ latent, timestep, caption, target, weights }) => {
      const [loss, gradients] = valueAndGrad((by: { readonly latent: typeof latent; readonly weights: typeof weights }) =>
        lossOf(sizes, { latent: by.latent, timestep, caption, target }, by.weights, options)
      )({ latent, weights })
      return { loss, latent: gradients.latent, ...gradients.weights }
    },
  )

/** One step of an optimiser on the golden loss. */
export const stepProgram = (
  sizes: Sizes,
  on: string,
  optimiser: Optimiser,
  options: Options & { readonly clip?: number; readonly accumulate?: number } = {},
): Program =>
  trainStep('golden step', mesh(on as `dp=${number} sp=${number}`), {
    inputs: { ...inputs(sizes), target: input(clip(sizes, sizes.channels)) },
    parameters: parameters(sizes),
    loss: ({ inputs, parameters }) => lossOf(sizes, inputs, parameters, options),
    optimiser,
    ...(options.clip === undefined ? {} : { clip: options.clip }),
    ...(options.accumulate === undefined ? {} : { accumulate: options.accumulate }),
  })
