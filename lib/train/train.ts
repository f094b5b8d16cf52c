import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { badTensor, type Fault, refused, sentence } from '../fault.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../files/checkpoint.ts'
import type { StoredTensors } from '../files/safetensors.ts'
import type { Program } from '../language/program.ts'
import { compile } from '../lower/pipeline.ts'
import type { Plan } from '../plan/plan.ts'
import type { NamedElements } from '../run/executor.ts'
import { type LaunchOptions, type RunResult, type Session, withSession } from '../run/session.ts'
import { checkedSeed, initialValues } from './initialise.ts'
import { numberFault, wholeFrom } from '../language/options.ts'

/** What a training is told beside its step. */
export interface TrainOptions {
  /** Steps in all, those before a checkpoint included. */
  readonly steps: number
  /** The inputs of a step, counted from 0: the same each time it is asked, so that a resumed training sees what an unbroken one sees. */
  readonly batch: (step: number) => NamedElements
  /** Where the state is saved: every so many steps, at the end, and when told to stop. A checkpoint that is there is gone on from. */
  readonly checkpoint?: { readonly folder: string; readonly every: number }
  /** Parameters to start from; those left out start as their initialisers say. */
  readonly parameters?: NamedElements
  /** Of the numbers that parameters start with: a whole number within ±2⁵³, 0 unless said. */
  readonly seed?: number
  readonly launch?: Omit<LaunchOptions, 'parameters' | 'debug'>
  readonly onStart?: (start: { readonly plan: Plan; readonly session: Session; readonly step: number }) => void
  readonly onStep?: (step: StepReport) => void
  /** Ends the training after the step that is under way, with its state saved. */
  readonly stop?: AbortSignal
}

/** What a step came to. */
export interface StepReport {
  /** The step's number, from 0. */
  readonly step: number
  readonly loss: number
  /** Norm of all gradients together, before clipping. */
  readonly norm: number
  readonly rate: number
  readonly result: RunResult
}

export interface Trained {
  /** Steps that are done. */
  readonly steps: number
  /** The losses of the steps that were done now. */
  readonly losses: readonly number[]
  /** All parameters, and the optimiser's state. */
  readonly parameters: NamedElements
}

/**
 * Trains: plans the step, starts its ranks with the state of the checkpoint or a new one, and takes steps. A step whose loss or
 * gradients are not finite is a `Diverged` fault that names the first operation which made such a number; the state before
 * it is saved.
 */
export const train = (program: Program, options: TrainOptions): TE.TaskEither<Fault, Trained> =>
  pipe(
    TE.fromEither(checked(options)),
    TE.bind('plan', () => TE.fromEither(compile(program))),
    TE.bind('start', ({ plan }) => startOf(program, plan, options)),
    TE.chain(({ plan, start }) =>
      withSession(plan, { ...options.launch, parameters: start.parameters }, (session) => {
        options.onStart?.({ plan, session, step: start.step })
        return steps(plan, session, start.step, options)
      })
    ),
  )

/** Refuses numbers of steps that are none. */
const checked = ({ steps, checkpoint, seed = 0 }: TrainOptions): E.Either<Fault, object> => {
  const every = checkpoint === undefined ? undefined : numberFault(wholeFrom(1), 'train', 'checkpoint.every', checkpoint.every)
  const fault = numberFault(wholeFrom(0), 'train', 'steps', steps) ?? every
  return fault === undefined ? E.map(() => ({}))(checkedSeed('train', seed)) : E.left(refused(fault))
}

interface Start {
  readonly step: number
  readonly parameters: NamedElements
}

/** The state to begin with: that of the checkpoint, or what is given, or what the initialisers say. */
const startOf = (program: Program, plan: Plan, { checkpoint, parameters = {}, seed = 0 }: TrainOptions): TE.TaskEither<Fault, Start> =>
  pipe(
    checkpoint === undefined ? TE.right<Fault, Checkpoint | undefined>(undefined) : readCheckpoint(checkpoint.folder),
    TE.chainEitherK((found) =>
      found !== undefined
        ? pipe(fitting(plan, found.tensors, checkpoint!.folder), E.map((all) => ({ step: found.step, parameters: all })))
        : pipe(initialValues(program, { seed, except: parameters }), E.map((made) => ({ step: 0, parameters: { ...made, ...parameters } })))
    ),
  )

/** The parameter of which a tensor of the optimiser's state is a moment. */
const trainedBy = (name: string): string | undefined => /^optimiser\.[^.]+\.(.+)$/.exec(name)?.[1]

/** The tensors of a checkpoint, if they are those of the plan. */
const fitting = (plan: Plan, tensors: StoredTensors, folder: string): E.Either<Fault, NamedElements> => {
  const ports = plan.inputs.filter(({ parameter }) => parameter)
  const names = new Set(ports.map(({ name }) => name))
  const stranger = Object.keys(tensors).find((name) => !names.has(name))
  const anew = `fix: a new folder, with what readParameters('${folder}') gives as parameters`
  const frozen = stranger === undefined ? undefined : trainedBy(stranger)
  if (stranger !== undefined && frozen !== undefined && names.has(frozen)) {
    return E.left(badTensor(stranger, `the checkpoint ${folder} trained parameter '${frozen}', which the program leaves as it is; ${anew}`))
  }
  if (stranger !== undefined) {
    return E.left(badTensor(stranger, `it is in the checkpoint ${folder}, but the program has no such parameter; give another folder`))
  }
  for (const { name, sizes, dims } of ports) {
    const found = tensors[name]
    const trained = trainedBy(name)
    if (found === undefined && trained !== undefined && trained in tensors) {
      return E.left(badTensor(name, `the checkpoint ${folder} did not train parameter '${trained}'; ${anew}`))
    }
    if (found === undefined) {
      return E.left(badTensor(name, `the checkpoint ${folder} lacks it; give another folder, or the program it was made by`))
    }
    if (found.sizes.join(' ') !== sizes.join(' ')) {
      const wanted = dims.map((dim, i) => `${dim}:${sizes[i]}`).join(' ')
      return E.left(badTensor(name, `it is ${found.sizes.join(' × ')} in the checkpoint ${folder}, but ${wanted} in the program`))
    }
  }
  return E.right(Object.fromEntries(Object.entries(tensors).map(([name, { elements }]) => [name, elements])))
}

const steps = (plan: Plan, session: Session, first: number, options: TrainOptions): TE.TaskEither<Fault, Trained> => async () => {
  const { checkpoint, stop, onStep } = options
  const losses: number[] = []
  const save = (done: number): TE.TaskEither<Fault, void> =>
    checkpoint === undefined ? TE.right(undefined) : pipe(
      session.read(),
      TE.chain((state) =>
        writeCheckpoint(checkpoint.folder, { step: done, tensors: stored(plan, state), about: { program: plan.program, mesh: plan.mesh } })
      ),
    )
  let saved = first
  let step = first
  let inputs = step < options.steps ? options.batch(step) : {}
  for (; step < options.steps && stop?.aborted !== true; step++) {
    const running = session.run(inputs)()
    const given = inputs
    // The next batch is made while the ranks work on this one.
    if (step + 1 < options.steps) inputs = options.batch(step + 1)
    const result = await running
    if (E.isLeft(result)) return result
    const report = reportOf(step, result.right)
    if (!Number.isFinite(report.loss) || !Number.isFinite(report.norm)) {
      const kept = await save(step)()
      return E.isLeft(kept) ? kept : E.left(await divergence(plan, session, given, report, options)())
    }
    losses.push(report.loss)
    onStep?.(report)
    if (checkpoint !== undefined && (step + 1) % checkpoint.every === 0) {
      const kept = await save(step + 1)()
      if (E.isLeft(kept)) return kept
      saved = step + 1
    }
  }
  if (saved < step) {
    const kept = await save(step)()
    if (E.isLeft(kept)) return kept
  }
  return pipe(await session.read()(), E.map((parameters) => ({ steps: step, losses, parameters })))
}

const reportOf = (step: number, result: RunResult): StepReport => {
  const number = (name: string): number => result.outputs[name]?.[0] ?? NaN
  return { step, loss: number('loss'), norm: number('norm'), rate: number('rate'), result }
}

/** The state as tensors of a file. */
const stored = (plan: Plan, state: NamedElements): StoredTensors =>
  Object.fromEntries(plan.inputs.filter(({ parameter }) => parameter).map(({ name, sizes }) => [name, { sizes, elements: state[name]! }]))

/** Takes a step once more, looking at each operation, since a step that is not finite has changed nothing. */
const divergence =
  (plan: Plan, session: Session, inputs: NamedElements, { step, loss, norm }: StepReport, { launch }: TrainOptions) =>
  async (): Promise<Fault> => {
    const what = Number.isFinite(loss) ? `gradients of norm ${norm}` : `a loss of ${loss}`
    const again = pipe(
      session.read(),
      TE.chain((parameters) => withSession(plan, { ...launch, parameters, debug: true }, (debugged) => debugged.run(inputs))),
    )
    const found = await again()
    const cause = E.isLeft(found) ? sentence(found.left) : 'taken once more, no operation made such a number'
    return { tag: 'Diverged', step, what, cause }
  }

/** The parameters of a checkpoint without the optimiser's state, for programs that use what was learned. */
export const readParameters = (folder: string): TE.TaskEither<Fault, { readonly step: number; readonly parameters: NamedElements }> =>
  pipe(
    readCheckpoint(folder),
    TE.chainEitherK((found) =>
      found === undefined ? E.left(refused(`${folder}: there is no checkpoint; train first`)) : E.right({
        step: found.step,
        parameters: Object.fromEntries(
          Object.entries(found.tensors).filter(([name]) => !name.startsWith('optimiser.')).map(([name, { elements }]) => [name, elements]),
        ),
      })
    ),
  )
