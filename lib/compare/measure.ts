import * as E from 'fp-ts/lib/Either.js'
import type { Task } from 'fp-ts/lib/Task.js'
import { type Fault, sentence } from '../fault.ts'
import type { Plan } from '../plan/plan.ts'
import type { NamedElements } from '../run/executor.ts'
import { launch, type LaunchOptions, type RunResult, type Session, type SessionDescription } from '../run/session.ts'
import { spreadOf } from '../spread.ts'
import type { Measurement } from './codec.ts'

/** A plan with what it is run on. */
export interface Runnable {
  readonly plan: Plan
  readonly inputs: NamedElements
  readonly parameters: NamedElements
}

export interface Measured {
  /** Of each plan, in order. */
  readonly results: readonly (Measurement | { readonly failed: string })[]
  /** On which the first one that could be run was. */
  readonly session: SessionDescription | null
}

/** What is tried in turn: how often `measure` calls `step`. */
export const measureSteps = (plans: number, repeat: number): number => plans * (repeat + 3)

/**
 * Runs plans in turn, A B C A B C …, in sessions that are open side by side, so that whatever else the machine does falls on
 * all of them alike. Each is warmed up once before. Then each runs once more in a session of its own that measures spans. A
 * plan that fails is told, and the others go on without it.
 */
export const measure = (
  runnables: readonly Runnable[],
  repeat: number,
  options: LaunchOptions,
  step: (doing: string) => void,
): Task<Measured> =>
async () => {
  const faults = new Map<Runnable, string>()
  const failing = <A>(of: Runnable, result: E.Either<Fault, A>): A | undefined => {
    if (E.isRight(result)) return result.right
    faults.set(of, sentence(result.left))
    return undefined
  }
  const sessions = new Map<Runnable, Session>()
  const runs = new Map(runnables.map((one) => [one, [] as RunResult[]]))
  try {
    for (const one of runnables) {
      const session = failing(one, await launch(one.plan, { ...options, parameters: one.parameters })())
      step(`started ${one.plan.program}`)
      if (session !== undefined) sessions.set(one, session)
    }
    // Round 0 warms up: it compiles what is compiled on first use.
    for (let round = 0; round <= repeat; round++) {
      for (const one of runnables) {
        const session = sessions.get(one)
        const result = session === undefined || faults.has(one) ? undefined : failing(one, await session.run(one.inputs)())
        if (result !== undefined && round > 0) runs.get(one)!.push(result)
        step(round === 0 ? `warmed up ${one.plan.program}` : `${one.plan.program}: run ${round} of ${repeat}`)
      }
    }
  } finally {
    await Promise.all([...sessions.values()].map((session) => session.close()))
  }
  const results: Measured['results'][number][] = []
  for (const one of runnables) {
    const watched = faults.has(one) ? undefined : failing(one, await runWatched(one, options))
    step(`watched ${one.plan.program}`)
    results.push(watched === undefined ? { failed: faults.get(one)! } : measurementFrom(runs.get(one)!, watched))
  }
  return { results, session: [...sessions.values()][0]?.describe ?? null }
}

/** A run with spans, after one that warms up. */
const runWatched = async ({ plan, inputs, parameters }: Runnable, options: LaunchOptions): Promise<E.Either<Fault, RunResult>> => {
  const launched = await launch(plan, { ...options, parameters, spans: true })()
  if (E.isLeft(launched)) return launched
  const session = launched.right
  try {
    const warm = await session.run(inputs)()
    return E.isLeft(warm) ? warm : await session.run(inputs)()
  } finally {
    await session.close()
  }
}

const measurementFrom = (results: readonly RunResult[], { times, spans }: RunResult): Measurement => {
  const runs = results.map((result) => Math.max(...result.times.map(({ total }) => total)) / 1000)
  const mean = (of: (rank: RunResult['times'][number]) => number): number =>
    times.reduce((sum, rank) => sum + of(rank), 0) / times.length / 1000
  return {
    runs,
    ...spreadOf(runs),
    sent: Math.max(...results[0]!.sent),
    activities: {
      compute: mean(({ compute }) => compute),
      pack: mean(({ pack }) => pack),
      wire: mean(({ wire }) => wire),
      wait: mean(({ wait }) => wait),
      unpack: mean(({ unpack }) => unpack),
      inOut: mean(({ write, read }) => write + read),
    },
    lanes: spans.map((list, rank) => ({ ranks: [rank], spans: list })),
  }
}
