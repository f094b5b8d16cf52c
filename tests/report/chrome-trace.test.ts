import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { decodeWith } from '#lib/codec.ts'
import { type ChromeTrace, chromeTrace, ChromeTraceCodec } from '#lib/report/chrome-trace.ts'
import { type Activity, ActivityCodec, type Span } from '#lib/run/span.ts'

const activity = fc.constantFrom(...(Object.keys(ActivityCodec.keys) as Activity[]))
/** Eighths of a millisecond, so that microseconds are whole and sums are exact. */
const time = fc.nat(1e6).map((eighths) => eighths / 8)

const spansOf = (rank: number): fc.Arbitrary<readonly Span[]> =>
  fc.array(
    fc.record({ activity, name: fc.string(), step: fc.option(fc.nat(99)), start: time, length: time, bytes: fc.option(fc.nat()) })
      .map(({ start, length, bytes, ...rest }) => ({ rank, ...rest, start, end: start + length, ...(bytes !== null && { bytes }) })),
  )
const spans = fc.nat(4).chain((ranks) => fc.tuple(...Array.from({ length: ranks }, (_, rank) => spansOf(rank))))

const eventsOf = <P extends 'M' | 'X'>({ traceEvents }: ChromeTrace, ph: P) =>
  traceEvents.filter((event): event is Extract<ChromeTrace['traceEvents'][number], { ph: P }> => event.ph === ph)

/** What a viewer reads out of a trace. */
const read = (trace: ChromeTrace, ranks: number): readonly (readonly Span[])[] =>
  Array.from(
    { length: ranks },
    (_, rank) =>
      eventsOf(trace, 'X').filter(({ pid }) => pid === rank).map(({ cat, name, ts, dur, args: { step = null, ...bytes } }) => ({
        rank,
        activity: cat,
        name,
        step,
        start: ts / 1000,
        end: (ts + dur) / 1000,
        ...bytes,
      })),
  )

test('a trace holds all spans and nothing else, and is as it is declared to be', () => {
  fc.assert(fc.property(spans, (given) => {
    const trace = chromeTrace(given)
    const decoded = decodeWith('trace', ChromeTraceCodec, JSON.parse(JSON.stringify(trace)))
    assert.deepEqual(decoded, E.right(trace))
    assert.deepEqual(read(trace, given.length), given)
  }))
})

test('each rank is a process, and each thing it does a row of its own with its name', () => {
  fc.assert(fc.property(spans, (given) => {
    const trace = chromeTrace(given)
    const nameOf = (what: string, process: number, thread: number): readonly string[] =>
      eventsOf(trace, 'M').flatMap(({ name, pid, tid, args }) =>
        name === what && pid === process && tid === thread && 'name' in args ? [args.name] : []
      )
    given.forEach((_, rank) => assert.deepEqual(nameOf('process_name', rank, 0), [`rank ${rank}`]))
    for (const { pid, tid, cat } of eventsOf(trace, 'X')) assert.deepEqual(nameOf('thread_name', pid, tid), [cat])
  }))
})

test('something that is not a trace is refused, and the place told', () => {
  const [event] = chromeTrace([[{ rank: 0, activity: 'wire', name: 'all-to-all', step: 1, start: 0, end: 1 }]]).traceEvents.slice(-1)
  const wrong = decodeWith('trace', ChromeTraceCodec, { displayTimeUnit: 'ms', traceEvents: [{ ...event, cat: 'sleep' }] })
  assert.ok(E.isLeft(wrong) && wrong.left.tag === 'Malformed')
  assert.match(wrong.left.path, /^traceEvents\.0\./)
})
