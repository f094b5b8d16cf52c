import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { BackendDescription } from '#backends/mod.ts'
import { closed, type Fault, sentence } from '../fault.ts'
import type { NamedElements, RankRun } from './executor.ts'

/** The ranks of a session, running somewhere and ready: as processes (`launcher.ts`) or as tasks (`in-process.ts`). */
export interface RankGroup {
  readonly ranks: readonly RankDescription[]
  readonly link: 'none' | 'local' | 'socket' | 'tcp' | 'shared-memory'
  /** Gives a rank its pieces of parameters. */
  readonly write: (rank: number, values: NamedElements) => TaskEither<Fault, void>
  /** The rank's pieces of parameters as they are now. */
  readonly read: (rank: number, names: readonly string[]) => TaskEither<Fault, NamedElements>
  /** Runs a rank's program; all ranks must be run together. */
  readonly run: (rank: number, inputs: NamedElements) => TaskEither<Fault, RankRun>
  readonly close: () => Promise<void>
}

export interface RankDescription {
  readonly rank: number
  readonly runtime: string
  readonly pid: number
  readonly backend: BackendDescription
}

/**
 * The first fault of a group. All that is under way when it comes ends with it, all that is asked for later is told
 * of it: after a fault a group is dead, because its ranks no longer agree on where they are.
 */
export interface Verdict {
  readonly fault: () => Fault | null
  /** Says whether this fault was the first. */
  readonly fail: (fault: Fault) => boolean
  /** The given work, or the group's fault if that comes before its end. */
  readonly orFault: <A>(work: () => Promise<E.Either<Fault, A>>) => Promise<E.Either<Fault, A>>
}

export const makeVerdict = (): Verdict => {
  let first: Fault | null = null
  const waiting = new Set<(fault: Fault) => void>()
  return {
    fault: () => first,
    fail: (fault) => {
      if (first !== null) return false
      first = fault
      for (const end of waiting) end(fault)
      waiting.clear()
      return true
    },
    orFault: (work) => {
      if (first !== null) return Promise.resolve(E.left(afterwards(first)))
      return new Promise((resolve) => {
        const end = (fault: Fault): void => resolve(E.left(fault))
        waiting.add(end)
        void work().then((result) => {
          waiting.delete(end)
          resolve(result)
        })
      })
    },
  }
}

/** What a call gets that comes after the end. */
const afterwards = (first: Fault): Fault => first.tag === 'Closed' ? first : closed(`the session has ended, because ${sentence(first)}`)
