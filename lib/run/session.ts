import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type BackendName, openBackend } from '#backends/mod.ts'
import type { Links } from '../cluster/links.ts'
import { nested } from '../cluster/parse-links.ts'
import { type Fault, usage } from '../fault.ts'
import type { Plan } from '../plan/plan.ts'
import type { NamedElements, RankRun } from './executor.ts'
import type { RankDescription, RankGroup } from './group.ts'
import { startInProcess } from './in-process.ts'
import { launchProcesses, type LinkName } from './launcher.ts'
import type { MeasuredSpans, Span } from './span.ts'
import { currentRuntime, type Runtime } from './spawn.ts'
import { cutInputs, type Holdings, holdingsOf, joinPieces, parametersNamed } from './tensors.ts'
import type { Times } from './timeline.ts'
import { type Workload, workloadOf } from './workload.ts'

export interface LaunchOptions {
  /** `auto` is WebGPU, or the reference where there is no adapter. */
  readonly backend?: BackendName
  /** Runtimes of the ranks, given out in turn; by default the one we are in. */
  readonly runtimes?: readonly Runtime[]
  /** `auto` is shared memory where it can be had, else sockets. */
  readonly link?: LinkName
  /** Runs the ranks as tasks of this process: for tests, and where processes can't be started. */
  readonly inProcess?: boolean
  /** Every parameter of the plan. They stay with the ranks. */
  readonly parameters?: NamedElements
  /** Looks at each operation's result: the first that makes a number that is not finite is a `NotFinite` fault. Slow. */
  readonly debug?: boolean
  /**
   * Measures what each rank does when, see `RunResult.spans`. The device is waited for after each kernel, so runs of many small
   * ones take several times as long; with `stretches` only where an exchange follows.
   */
  readonly spans?: MeasuredSpans
  /** Sends as if the ranks were joined by these links: a message arrives when it would have arrived over them, if not later. */
  readonly throttle?: Links
  /** The longest that a rank may be in one step, in milliseconds. */
  readonly timeout?: number
}

/** Ranks that run one plan again and again. Calls queue up; after a fault the session is dead. */
export interface Session {
  readonly run: (inputs: NamedElements) => TE.TaskEither<Fault, RunResult>
  /** Replaces some parameters. */
  readonly write: (parameters: NamedElements) => TE.TaskEither<Fault, void>
  /** The whole values that the named parameters have now; of all parameters where no names are given. */
  readonly read: (names?: readonly string[]) => TE.TaskEither<Fault, NamedElements>
  /** Payload bytes sent by each rank, counted by the link. */
  readonly counters: () => Counters
  readonly close: Task<void>
  readonly describe: SessionDescription
}

export interface RunResult {
  readonly outputs: NamedElements
  /** Payload bytes that each rank sent. */
  readonly sent: readonly number[]
  /** The same by receiver: `sentTo[rank][peer]`. */
  readonly sentTo: readonly (readonly number[])[]
  /** Of each rank. */
  readonly times: readonly Times[]
  /** What each rank did when, one thing after another; empty lists unless the session was launched with `spans`. */
  readonly spans: readonly (readonly Span[])[]
}

export interface Counters {
  readonly lastRun: readonly number[]
  readonly total: readonly number[]
}

export interface SessionDescription {
  readonly link: RankGroup['link']
  /** The links that it is as slow as; null where it is as quick as it can be. */
  readonly throttle: Links | null
  readonly ranks: readonly RankDescription[]
}

export const defaultTimeout = 60_000

/** Starts the ranks of a plan and gives them its parameters. */
export const launch = (plan: Plan, options: LaunchOptions = {}): TE.TaskEither<Fault, Session> => startSession(workloadOf(plan), options)

/** Starts the ranks of a plan, uses them, and ends them whatever came of it. */
export const withSession = <A>(
  plan: Plan,
  options: LaunchOptions,
  use: (session: Session) => TE.TaskEither<Fault, A>,
): TE.TaskEither<Fault, A> => TE.bracket(launch(plan, options), use, (session) => TE.fromTask(session.close))

/** The same as `launch` for anything that can be run; `entry` is the ranks' entry point and `open` opens in-process backends. */
export const startSession = (
  workload: Workload,
  options: LaunchOptions,
  { entry, open = openBackend }: { readonly entry?: URL; readonly open?: typeof openBackend } = {},
): TE.TaskEither<Fault, Session> => {
  const { backend = 'auto', runtimes = [currentRuntime], link = 'auto', timeout = defaultTimeout } = options
  const { inProcess = false, debug = false, spans = false, throttle = null, parameters = {} } = options
  if (!(timeout > 0)) return TE.left(usage(`a timeout must be a positive number of milliseconds, got ${timeout}`))
  const slower = throttle === null ? E.right(null) : nested(throttle)
  if (E.isLeft(slower)) return TE.left(usage(`the ranks cannot be joined as throttled: ${slower.left}`))
  const outputs = holdingsOf(workload, workload.outputs)
  const common = { backend, timeout, debug, spans, throttle, outputsOf: (rank: number) => outputs.handedIn[rank]! }
  return pipe(
    TE.fromEither(cutInputs(workload, parameters, 'parameter')),
    TE.chain((pieces) =>
      pipe(
        inProcess
          ? startInProcess(workload, { ...common, open })
          : launchProcesses(workload, { ...common, runtimes, link, ...(entry !== undefined && { entry }) }),
        TE.chain((group) =>
          pipe(
            onAll(group, (rank) => group.write(rank, pieces[rank]!)),
            TE.map(() => makeSession(workload, group, outputs, throttle)),
            TE.orElse((fault) => async () => {
              await group.close()
              return E.left(fault)
            }),
          )
        ),
      )
    ),
  )
}

const onAll = <A>(
  group: RankGroup,
  work: (rank: number) => TE.TaskEither<Fault, A>,
): TE.TaskEither<Fault, readonly A[]> => TE.traverseArray(work)(group.ranks.map(({ rank }) => rank))

/** Spans on the clock of the run, which begins with its first rank. */
const sinceBegun = (spans: readonly (readonly Span[])[]): readonly (readonly Span[])[] => {
  const began = spans.reduce((first, [span]) => Math.min(first, span?.start ?? first), Infinity)
  return spans.map((list) => list.map((span) => ({ ...span, start: span.start - began, end: span.end - began })))
}

const makeSession = (workload: Workload, group: RankGroup, outputs: Holdings, throttle: Links | null): Session => {
  const parameters = holdingsOf(workload, workload.inputs.filter(({ parameter }) => parameter))
  let lastRun: readonly number[] = group.ranks.map(() => 0)
  let total: readonly number[] = lastRun
  let queue: Promise<unknown> = Promise.resolve()

  /** One call after another, whatever their results. */
  const inTurn = <A>(work: TE.TaskEither<Fault, A>): TE.TaskEither<Fault, A> => () => {
    const result = queue.then(work)
    queue = result.catch(() => undefined)
    return result
  }

  const resultOf = (runs: readonly RankRun[]): RunResult => {
    const sent = runs.map((run) => run.sent.reduce((sum, bytes) => sum + bytes, 0))
    lastRun = sent
    total = total.map((bytes, rank) => bytes + sent[rank]!)
    return {
      outputs: joinPieces(outputs, runs.map((run) => run.outputs)),
      sent,
      sentTo: runs.map((run) => run.sent),
      times: runs.map((run) => run.times),
      spans: sinceBegun(runs.map((run) => run.spans)),
    }
  }

  return {
    run: (inputs) =>
      pipe(
        TE.fromEither(cutInputs(workload, inputs, 'input')),
        TE.chain((pieces) => inTurn(onAll(group, (rank) => group.run(rank, pieces[rank]!)))),
        TE.map(resultOf),
      ),
    write: (values) =>
      pipe(
        TE.fromEither(cutInputs(workload, values, 'some parameters')),
        TE.chain((pieces) => inTurn(onAll(group, (rank) => group.write(rank, pieces[rank]!)))),
        TE.map(() => undefined),
      ),
    read: (names) =>
      pipe(
        TE.fromEither(parametersNamed(workload, parameters, names)),
        TE.chain((wanted) =>
          pipe(
            inTurn(onAll(group, (rank) => group.read(rank, wanted.handedIn[rank]!))),
            TE.map((pieces) => joinPieces(wanted, pieces)),
          )
        ),
      ),
    counters: () => ({ lastRun, total }),
    close: () => group.close(),
    describe: { link: group.link, throttle, ranks: group.ranks },
  }
}
