import type { Activity, Span } from './span.ts'

/** Milliseconds on a clock that all processes of a machine share. */
export const now = (): number => performance.timeOrigin + performance.now()

/**
 * Milliseconds that a rank spent on each activity. Kernels are only handed to the device unless spans are asked for, which may
 * run them later: then their time shows where the device is next waited for, in `pack` and `read`.
 */
export type Times = Readonly<Record<Activity | 'total', number>>

/** What a rank does in a run. It does one thing at a time: to begin one is to end the one before. */
export interface Timeline {
  /** Turns to something, now or since a moment that lies within what went before; to turn to the same changes nothing. */
  readonly turn: (activity: Activity, about: About, since?: number) => void
  /** Ends the run. Spans are in order, don't overlap and leave no gap; they are there if they were asked for. */
  readonly end: () => { readonly times: Times; readonly spans: readonly Span[] }
}

export type About = Pick<Span, 'name' | 'step' | 'bytes'>

/** A timeline that begins now with the given activity. Without `keep` it only sums up. */
export const makeTimeline = (rank: number, keep: boolean, activity: Activity, about: About): Timeline => {
  const times = { write: 0, compute: 0, pack: 0, wire: 0, wait: 0, unpack: 0, read: 0 }
  const spans: Span[] = []
  const began = now()
  let under = { activity, about, start: began }

  const finish = (end: number): void => {
    const { activity, about, start } = under
    times[activity] += end - start
    if (keep && (end > start || about.bytes !== undefined)) spans.push({ rank, activity, ...about, start, end })
  }

  return {
    turn: (activity, about, since) => {
      if (activity === under.activity && about.step === under.about.step) return
      const time = now()
      const start = since === undefined ? time : Math.max(under.start, Math.min(since, time))
      finish(start)
      under = { activity, about, start }
    },
    end: () => {
      const end = now()
      finish(end)
      return { times: { ...times, total: end - began }, spans }
    },
  }
}
