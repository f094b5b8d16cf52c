import { join } from 'node:path'
import { defineCommand } from 'citty'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { oneOf, seedOf, wholeNumber } from '#lib/cli/arguments.ts'
import { finish } from '#lib/cli/finish.ts'
import { progress } from '#lib/cli/progress.ts'
import type { Fault } from '#lib/fault.ts'
import { table } from '#lib/report/print.ts'
import { readParameters } from '#lib/train/mod.ts'
import { clipsIn, extentOf } from '../diffusion.ts'
import { writeSheet } from '../gif-sheet.ts'
import { sample as drawFrom } from '../sample.ts'
import { type Form, readForm, settingsOf } from '../settings.ts'
import { batchAt, type ClipKind, directions, judge, kinds, shapes } from '../shapes.ts'
import { common, launchOf, meshOf } from './arguments.ts'

/** Draws clips from a folder's checkpoint. */
export const sample = defineCommand({
  meta: { name: 'sample', description: "Make clips from a folder's checkpoint and write them, below real ones, as an animated GIF" },
  args: {
    ...common,
    shape: { type: 'string', description: `${shapes.join(', ')}; one after another if left out` },
    direction: { type: 'string', description: `${directions.join(', ')}; one after another if left out` },
    steps: { type: 'string', default: '20', description: 'steps from noise to clip' },
    seed: { type: 'string', default: '7', description: 'seed of the noise' },
    out: { type: 'string', description: 'the GIF to write; samples.gif in the folder if left out' },
  },
  run: ({ args }) =>
    finish(pipe(
      TE.Do,
      TE.bind('form', () => readForm(args.folder)),
      TE.bind('steps', () => TE.fromEither(wholeNumber('steps', args.steps))),
      TE.bind('seed', () => TE.fromEither(seedOf(args.seed))),
      TE.bind('wanted', () => TE.fromEither(kindsOf(args))),
      TE.chain(({ form, steps, seed, wanted }) => drawSamples(args, form, args.folder, steps, seed, wanted, args.out)),
    )),
})

const kindsOf = (
  { shape, direction }: { readonly shape?: string | undefined; readonly direction?: string | undefined },
): E.Either<Fault, readonly ClipKind[]> =>
  pipe(
    E.Do,
    E.bind('shape', () => shape === undefined ? E.right(undefined) : oneOf('shape', shapes, shape)),
    E.bind('direction', () => direction === undefined ? E.right(undefined) : oneOf('direction', directions, direction)),
    E.map((wanted) =>
      kinds.filter((kind) => (wanted.shape ?? kind.shape) === kind.shape && (wanted.direction ?? kind.direction) === kind.direction)
    ),
  )

/** Real clips in the upper row, samples of the wanted kinds in the lower one; and what a fit against all kinds says of each. */
export const drawSamples = (
  args: { readonly mesh: string; readonly backend: string; readonly runtime?: string | undefined },
  form: Form,
  folder: string,
  steps: number,
  seed = 7,
  wanted: readonly ClipKind[] = kinds,
  out = join(folder, 'samples.gif'),
): TE.TaskEither<Fault, string> => {
  const { sizes } = settingsOf(form)
  // As different ones as a batch can hold.
  const chosen = Array.from({ length: sizes.batch }, (_, i) => wanted[(i * 5) % wanted.length]!)
  const extent = extentOf(sizes)
  return pipe(
    TE.Do,
    TE.bind('mesh', () => TE.fromEither(meshOf(args.mesh))),
    TE.bind('launch', () => TE.fromEither(launchOf(args))),
    TE.bind('state', () => readParameters(folder)),
    TE.bind('clips', ({ mesh, launch, state: { parameters } }) => {
      const bar = progress('sampling', steps)
      let done = 0
      return pipe(
        drawFrom(mesh, sizes, {
          kinds: chosen,
          parameters,
          steps,
          seed,
          launch,
          onStep: () => bar.step(`sampling, step ${++done} of ${steps}`),
        }),
        (task) => async () => {
          const result = await task()
          bar.stop()
          return result
        },
      )
    }),
    TE.bind('real', () => TE.right(clipsIn(batchAt(seed, 0, sizes.batch, extent).clips, sizes))),
    TE.chainFirst(({ clips, real }) => writeSheet(out, [real, clips], extent, { zoom: 6, gap: 4, delay: 150 })),
    TE.map(({ clips, state: { step } }) => `${judged(chosen, clips, extent)}\nsamples after ${step} steps, below real clips: ${out}`),
  )
}

const judged = (chosen: readonly ClipKind[], clips: readonly Float32Array[], extent: ReturnType<typeof extentOf>): string =>
  table(clips.map((clip, i) => {
    const { kind, correlation } = judge(clip, extent)
    const [asked, seen] = [chosen[i]!, kind].map(({ shape, direction }) => `${shape} going ${direction}`)
    return [`asked for a ${asked}`, `looks like a ${seen}`, `correlation ${correlation.toFixed(2)}`, asked === seen ? '✓' : '✗']
  }))
