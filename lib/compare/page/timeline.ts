import type { Activity, Span } from '../../run/span.ts'
import type { Lane } from '../codec.ts'

/** What a rank is seen doing. Inputs and outputs belong together. */
export const activities = ['compute', 'pack', 'wire', 'wait', 'unpack', 'in and out'] as const
export type Shown = (typeof activities)[number]

/** A bar of a timeline; times in milliseconds. */
export interface TimelineBar {
  readonly row: number
  readonly activity: number
  readonly start: number
  readonly end: number
  /** What was done, and bytes where they were sent. */
  readonly text: string
}

/** A row for each rank, or two where a rank computes while it communicates. */
export interface Timeline {
  readonly rows: readonly string[]
  readonly bars: readonly TimelineBar[]
  readonly end: number
}

const shownAs = (activity: Activity): Shown => activity === 'write' || activity === 'read' ? 'in and out' : activity

/** Bars shorter than this part of the whole are drawn together with neighbours of their kind. */
const thinnest = 1 / 1000

/** Lanes as rows and bars. */
export const timelineOf = (lanes: readonly Lane[]): Timeline => {
  const end = Math.max(0, ...lanes.flatMap(({ spans }) => spans.map((span) => span.end)))
  const rows: string[] = []
  const bars: TimelineBar[] = []
  for (const { ranks, spans } of lanes) {
    const name = printRanks(ranks)
    const halves = overlap(spans)
      ? [
        { label: `${name.replace(/^ranks? /, '')} kernels`, of: spans.filter(({ activity }) => activity === 'compute') },
        { label: `${name.replace(/^ranks? /, '')} exchanges`, of: spans.filter(({ activity }) => activity !== 'compute') },
      ]
      : [{ label: name, of: spans }]
    for (const { label, of } of halves) {
      const row = rows.push(label) - 1
      bars.push(...merged(of, end * thinnest).map((bar) => ({ row, ...bar })))
    }
  }
  return { rows, bars, end }
}

/** `rank 0`, `ranks 0–3, 8`. */
export const printRanks = (ranks: readonly number[]): string => {
  const runs: [number, number][] = []
  for (const rank of ranks) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === rank - 1) last[1] = rank
    else runs.push([rank, rank])
  }
  const told = runs.slice(0, 3).map(([from, to]) => from === to ? `${from}` : `${from}–${to}`)
  return `${ranks.length === 1 ? 'rank' : 'ranks'} ${told.join(', ')}${runs.length > 3 ? ' …' : ''}`
}

const overlap = (spans: readonly Span[]): boolean => {
  let end = 0
  return spans.some((span) => {
    const meets = span.start < end - 1e-9
    end = Math.max(end, span.end)
    return meets
  })
}

/** Spans as bars; neighbours of one kind that are all too short to be seen alone become one. */
const merged = (spans: readonly Span[], thin: number): readonly Omit<TimelineBar, 'row'>[] => {
  const bars: { activity: number; start: number; end: number; text: string; count: number; bytes: number; thin: boolean }[] = []
  for (const { activity: done, start, end, name, bytes = 0 } of spans) {
    const activity = activities.indexOf(shownAs(done))
    const last = bars.at(-1)
    const short = end - start < thin
    if (last?.activity === activity && last.thin && short && start - last.end < thin) {
      last.end = end
      last.count++
      last.bytes += bytes
    } else bars.push({ activity, start, end, text: name, count: 1, bytes, thin: short })
  }
  return bars.map(({ activity, start, end, text, count, bytes }) => ({
    activity,
    start,
    end,
    text: `${text}${count === 1 ? '' : ` and ${count - 1} more`}${bytes === 0 ? '' : `, ${bytes} bytes`}`,
  }))
}
