import process from 'node:process'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { seedOf, wholeNumber } from '#lib/cli/arguments.ts'
import { finish } from '#lib/cli/finish.ts'
import { type Progress, progress } from '#lib/cli/progress.ts'
import { type Fault, usage } from '#lib/fault.ts'
import { readCheckpoint } from '#lib/files/checkpoint.ts'
import { explain, type LaunchOptions, printExplanation } from '#lib/mod.ts'
import { type StepReport, train as runTraining, type Trained } from '#lib/train/mod.ts'
import { diffusionStep, trainingBatch } from '../diffusion.ts'
import { readLosses, writeLosses } from '../history.ts'
import { type Form, forms, readForm, settingsOf, writeForm } from '../settings.ts'
import { common, launchOf, meshOf } from './arguments.ts'
import { drawSamples } from './sample.ts'

const every = 50

/** Begins a training, or goes on with one, in a folder. */
export const train = defineCommand({
  meta: { name: 'train', description: 'Begin a training in a folder; if one was begun there in the same form, go on with it' },
  args: {
    ...common,
    form: { type: 'string', default: 'long', description: 'quick (a minute or two) or long' },
    steps: { type: 'string', description: 'steps in all, if not those of the form' },
    seed: { type: 'string', default: '1', description: 'seed of parameters, clips and noise' },
    recompute: { type: 'boolean', description: 'compute the insides of blocks once more in the backward pass, and save memory' },
  },
  run: ({ args }) =>
    finish(pipe(
      TE.fromEither(formOf(args)),
      TE.chain((form) => beginIn(args, form)),
      TE.map(summary(args.folder)),
    )),
})

/** Goes on with a training, on whatever mesh. */
export const resume = defineCommand({
  meta: { name: 'resume', description: "Go on with a folder's training, on any mesh" },
  args: common,
  run: ({ args }) =>
    finish(pipe(
      readForm(args.folder),
      TE.chain((form) => trainIn(args, form)),
      TE.map(summary(args.folder)),
    )),
})

/** The main job in short: a small model is planned, explained, trained and sampled. */
export const quick = defineCommand({
  meta: {
    name: 'video-diffusion',
    description: 'Train a small video diffusion model on two processes and look at its clips; see also train, resume, sample',
  },
  args: common,
  run: ({ args }) =>
    finish(pipe(
      TE.fromEither(formOf({ form: 'quick', seed: '1' })),
      TE.chain((form) =>
        pipe(
          beginIn(args, form),
          TE.bindTo('trained'),
          TE.bind('samples', () => drawSamples(args, form, args.folder, 12)),
          TE.map(({ trained, samples }) => `${summary(args.folder)(trained)}\n${samples}`),
        )
      ),
    )),
})

const formOf = (
  args: { readonly form: string; readonly steps?: string | undefined; readonly seed: string; readonly recompute?: boolean | undefined },
): E.Either<Fault, Form> =>
  pipe(
    E.Do,
    E.bind('form', () =>
      args.form === 'quick' || args.form === 'long'
        ? E.right(forms[args.form])
        : E.left(usage(`--form is one of quick, long, not '${args.form}'`))),
    E.bind('seed', () =>
      seedOf(args.seed)),
    E.bind('steps', ({ form }) =>
      args.steps === undefined ? E.right(form.steps) : wholeNumber('steps', args.steps)),
    E.map(({ form, seed, steps }) => ({ ...form, seed, steps, recompute: args.recompute ?? false })),
  )

interface Where {
  readonly mesh: string
  readonly folder: string
  readonly backend: string
  readonly runtime?: string | undefined
}

/** Writes the form down and trains; where a training was begun, its form must be the same, but for the number of steps. */
const beginIn = (args: Where, form: Form): TE.TaskEither<Fault, Trained> =>
  pipe(
    TE.fromEither(meshOf(args.mesh)),
    TE.chain(() => readCheckpoint(args.folder)),
    TE.chain((begun) => begun === undefined ? TE.right<Fault, Form>(form) : readForm(args.folder)),
    TE.filterOrElse(
      (found) => JSON.stringify({ ...found, steps: form.steps }) === JSON.stringify(form),
      () => usage(`${args.folder} holds a training in another form; go on with it with resume, or give another --folder`),
    ),
    TE.chain(() => writeForm(args.folder, form)),
    TE.chain(() => trainIn(args, form)),
  )

/** Trains to the end of the form, or until Ctrl-C, which saves the state first. */
const trainIn = (args: Where, form: Form): TE.TaskEither<Fault, Trained> =>
  pipe(
    TE.Do,
    TE.bind('mesh', () => TE.fromEither(meshOf(args.mesh))),
    TE.bind('launch', () => TE.fromEither(launchOf(args))),
    TE.bind('begun', () => readCheckpoint(args.folder)),
    TE.bind('before', ({ begun }) => readLosses(args.folder, begun?.step ?? 0)),
    TE.chain(({ mesh, launch, before }) => withStop((stop) => trainOn(mesh, launch, args.folder, form, before, stop))),
  )

const trainOn = (
  mesh: string,
  launch: LaunchOptions,
  folder: string,
  form: Form,
  before: readonly number[],
  stop: AbortSignal,
): TE.TaskEither<Fault, Trained> => {
  const settings = settingsOf(form)
  const losses = [...before]
  let bar: Progress | undefined
  const title = `video diffusion on ${mesh}`
  return pipe(
    runTraining(diffusionStep(mesh, settings), {
      steps: form.steps,
      batch: trainingBatch(settings, form.seed),
      checkpoint: { folder, every },
      seed: form.seed,
      launch,
      stop,
      onStart: ({ plan, step }) => {
        process.stdout.write(`${printExplanation(explain(plan))}\n\n`)
        bar = progress(step === 0 ? 'training' : `going on after step ${step}`, form.steps - step)
      },
      onStep: (report) => {
        losses.push(report.loss)
        bar?.step(told(report, form.steps))
      },
    }),
    TE.chainFirst(() => writeLosses(folder, title, losses)),
    (task) => async () => {
      const result = await task()
      bar?.stop()
      return result
    },
  )
}

const told = ({ step, loss }: StepReport, steps: number): string => `step ${step + 1} of ${steps}  loss ${loss.toFixed(4)}`

/** Ctrl-C ends the work after the step that is under way; a second one ends it at once. */
const withStop = <A>(work: (stop: AbortSignal) => TE.TaskEither<Fault, A>): TE.TaskEither<Fault, A> => async () => {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  process.once('SIGINT', stop)
  try {
    return await work(controller.signal)()
  } finally {
    process.off('SIGINT', stop)
  }
}

const mean = (losses: readonly number[]): number => losses.reduce((sum, loss) => sum + loss, 0) / losses.length

const summary = (folder: string) => ({ steps, losses }: Trained): string =>
  losses.length === 0
    ? `all ${steps} steps are done already; the state is in ${folder}`
    : `${steps} steps done; the loss went from ${losses[0]!.toFixed(4)} to ${mean(losses.slice(-25)).toFixed(4)} (mean of the last ${
      Math.min(25, losses.length)
    } steps); the state is in ${folder}, the curve in ${join(folder, 'loss.svg')}`
