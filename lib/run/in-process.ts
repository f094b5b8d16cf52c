import process from 'node:process'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend, BackendName } from '#backends/mod.ts'
import type { Links } from '../cluster/links.ts'
import { closed, type Fault, sentence } from '../fault.ts'
import { type Executor, largestExchange, makeExecutor } from './executor.ts'
import { makeVerdict, type RankGroup } from './group.ts'
import { capacityFor } from './link/arena.ts'
import { localLinks } from './link/local.ts'
import { throttled } from './link/throttled.ts'
import type { MeasuredSpans } from './span.ts'
import { currentRuntime } from './spawn.ts'
import type { Workload } from './workload.ts'

export interface InProcessOptions {
  readonly open: (name: BackendName) => TaskEither<Fault, Backend>
  readonly backend: BackendName
  readonly timeout: number
  readonly debug: boolean
  readonly spans: MeasuredSpans
  readonly throttle: Links | null
  /** Names of the outputs that each rank hands in. */
  readonly outputsOf: (rank: number) => readonly string[]
}

/** Runs all ranks as tasks of this process, each with a device of its own. Nothing guards them from each other. */
export const startInProcess =
  (workload: Workload, { open, backend, timeout, debug, spans, throttle, outputsOf }: InProcessOptions): TaskEither<Fault, RankGroup> =>
  async () => {
    const numbers = Array.from({ length: workload.ranks }, (_, rank) => rank)
    const programs = numbers.map(workload.programOf)
    const capacity = Math.max(...programs.map((program) => largestExchange(program, capacityFor)))
    const local = localLinks(workload.ranks, capacity, { timeout })
    const links = throttle === null ? local : local.map((link) => throttled(link, throttle))
    const backends: Backend[] = []
    const closeAll = async (): Promise<void> => {
      await Promise.all(links.map((link) => link.close()))
      await Promise.all(backends.map((opened) => opened.close()))
    }

    const executors: Executor[] = []
    for (const [rank, program] of programs.entries()) {
      const opened = await open(backend)()
      if (E.isRight(opened)) backends.push(opened.right)
      const loaded = E.isLeft(opened) ? opened : await opened.right.load(program)()
      if (E.isLeft(loaded)) {
        await closeAll()
        return loaded
      }
      executors.push(makeExecutor(program, loaded.right, links[rank]!, () => undefined, { debug, spans }))
    }

    const verdict = makeVerdict()
    const guarded = <A>(rank: number, work: TaskEither<Fault, A>): TaskEither<Fault, A> => () =>
      verdict.orFault(async () => {
        const result = await work()
        if (E.isLeft(result) && verdict.fail(result.left)) links[rank]!.abort(sentence(result.left))
        return result
      })
    return E.right({
      link: workload.ranks === 1 ? 'none' : 'local',
      ranks: numbers.map((rank) => ({
        rank,
        runtime: currentRuntime,
        pid: process.pid,
        backend: backends[rank]!.describe,
      })),
      write: (rank, values) => guarded(rank, executors[rank]!.write(values)),
      read: (rank, names) => guarded(rank, executors[rank]!.read(names)),
      run: (rank, inputs) => guarded(rank, executors[rank]!.run(inputs, outputsOf(rank))),
      close: async () => {
        verdict.fail(closed('the session was closed'))
        await closeAll()
      },
    })
  }
