import * as t from 'io-ts'
import { type Activity, ActivityCodec, type Span } from '../run/span.ts'

const place = { pid: t.number, tid: t.number }
const MetadataCodec = t.union([
  t.strict({ ph: t.literal('M'), name: t.keyof({ process_name: null, thread_name: null }), ...place, args: t.strict({ name: t.string }) }),
  t.strict({
    ph: t.literal('M'),
    name: t.keyof({ process_sort_index: null, thread_sort_index: null }),
    ...place,
    args: t.strict({ sort_index: t.number }),
  }),
])
const CompleteCodec = t.strict({
  ph: t.literal('X'),
  name: t.string,
  cat: ActivityCodec,
  ...place,
  /** Microseconds. */
  ts: t.number,
  dur: t.number,
  args: t.exact(t.partial({ step: t.number, bytes: t.number })),
})

/**
 * The trace event format of Chrome (chrome://tracing) and Perfetto (ui.perfetto.dev), as far as it is written here:
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
export const ChromeTraceCodec = t.strict({
  displayTimeUnit: t.literal('ms'),
  traceEvents: t.readonlyArray(t.union([MetadataCodec, CompleteCodec])),
})
export type ChromeTrace = t.TypeOf<typeof ChromeTraceCodec>

const rows = Object.keys(ActivityCodec.keys) as readonly Activity[]

/** Spans as a trace: a process per rank, with a row for each thing it does. */
export const chromeTrace = (spans: readonly (readonly Span[])[]): ChromeTrace => ({
  displayTimeUnit: 'ms',
  traceEvents: spans.flatMap((list, pid) => [
    ...named('process', pid, 0, `rank ${pid}`, pid),
    ...rows.filter((row) => list.some(({ activity }) => activity === row)).flatMap((row) => {
      const tid = rows.indexOf(row)
      return named('thread', pid, tid, row, tid)
    }),
    ...list.map(({ activity, name, step, start, end, bytes }) => ({
      ph: 'X' as const,
      name,
      cat: activity,
      pid,
      tid: rows.indexOf(activity),
      ts: 1000 * start,
      dur: 1000 * (end - start),
      args: { ...(step !== null && { step }), ...(bytes !== undefined && { bytes }) },
    })),
  ]),
})

const named = (what: 'process' | 'thread', pid: number, tid: number, name: string, index: number) =>
  [
    { ph: 'M', name: `${what}_name`, pid, tid, args: { name } },
    { ph: 'M', name: `${what}_sort_index`, pid, tid, args: { sort_index: index } },
  ] as const
