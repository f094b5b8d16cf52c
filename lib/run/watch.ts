import type { Fault } from '../fault.ts'
import type { Whereabouts } from './link/arena.ts'
import { isStopped } from './spawn.ts'

/**
 * Watches over ranks that say nothing. Two things are told apart: a process that the system has stopped is hung, and
 * found within a second; a process that runs but stays in one step is given the whole time-out, because nobody can
 * tell long work from endless work. (A rank that waits for others in an exchange counts the same time by itself.)
 */
export interface Watched {
  readonly whereabouts: (rank: number) => Whereabouts
  /** How long the rank may stay in one place, in milliseconds; null for a rank that has nothing to do. */
  readonly allowed: (rank: number) => number | null
  readonly place: (rank: number) => string
  readonly fault: (fault: Fault) => void
}

const interval = 150
/** A stop shorter than this is none: a debugger or a shell may stop and continue a process. */
const tolerated = 300

interface Seen {
  readonly rank: number
  readonly pid: number | undefined
  moves: number
  /** Milliseconds since the rank was first seen stopped, or -1; and since it was first seen in the same place. */
  stopped: number
  same: number
}

/** Starts watching; gives the way to stop. */
export const watch = (
  ranks: readonly { readonly rank: number; readonly pid: number | undefined }[],
  watched: Watched,
): () => void => {
  const seen = ranks.map(({ rank, pid }): Seen => ({ rank, pid, moves: 0, stopped: -1, same: 0 }))
  let last = performance.now()

  const look = (): void => {
    const now = performance.now()
    // If this process itself was stopped or busy, the ranks get no blame for that time.
    const elapsed = Math.min(now - last, 2 * interval)
    last = now
    for (const one of seen) {
      const fault = lookAt(one, elapsed)
      if (fault !== null) return watched.fault(fault)
    }
  }

  const lookAt = (one: Seen, elapsed: number): Fault | null => {
    if (one.pid === undefined || !isStopped(one.pid)) one.stopped = -1
    else one.stopped = one.stopped < 0 ? 0 : one.stopped + elapsed
    const { moves } = watched.whereabouts(one.rank)
    const allowed = watched.allowed(one.rank)
    one.same = allowed !== null && moves === one.moves ? one.same + elapsed : 0
    one.moves = moves
    const hung = (milliseconds: number): Fault => ({
      tag: 'RankHung',
      rank: one.rank,
      step: watched.place(one.rank),
      milliseconds: Math.round(milliseconds),
    })
    if (one.stopped > tolerated) return hung(one.stopped)
    // One more second, so that a rank waiting for this one can say what it waits for.
    return allowed !== null && one.same > allowed + 1000 ? hung(one.same) : null
  }

  const timer = setInterval(look, interval)
  return () => clearInterval(timer)
}
