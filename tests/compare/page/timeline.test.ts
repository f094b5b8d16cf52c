import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { activities, printRanks, timelineOf } from '#lib/compare/page/timeline.ts'
import { ActivityCodec, type Span } from '#lib/run/span.ts'

const spanLists = fc.array(
  fc.record({
    activity: fc.constantFrom(...Object.keys(ActivityCodec.keys) as Span['activity'][]),
    length: fc.oneof(fc.double({ min: 1e-3, max: 2e-2, noNaN: true }), fc.double({ min: 1, max: 10, noNaN: true })),
    gap: fc.constantFrom(0, 0, 1e-3, 1),
  }),
  { minLength: 1, maxLength: 200 },
).map((list) => {
  let now = 0
  return list.map(({ activity, length, gap }, step): Span => {
    const start = now + gap
    now = start + length
    return { rank: 0, activity, name: `step ${step}`, step, start, end: now }
  })
})

describe('a timeline', () => {
  it('keeps order and extent, and moves no more than a thousandth of the whole from one bar to another', () => {
    fc.assert(fc.property(spanLists, (spans) => {
      const { rows, bars, end } = timelineOf([{ ranks: [0], spans }])
      assert.deepEqual(rows, ['rank 0'])
      assert.equal(end, spans.at(-1)!.end)
      assert.equal(bars[0]!.start, spans[0]!.start)
      assert.equal(bars.at(-1)!.end, end)
      bars.forEach((bar, i) => assert.ok(i === 0 || bars[i - 1]!.end <= bar.start))
      // Whatever is longer than a thousandth has a bar of its own.
      const long = spans.filter((span) => span.end - span.start >= end / 1000)
      for (const span of long) assert.ok(bars.some((bar) => bar.start === span.start && bar.end === span.end && bar.text === span.name))
      // Every span lies in a bar of its activity.
      const shown = (span: Span): number =>
        span.activity === 'read' || span.activity === 'write' ? activities.indexOf('in and out') : activities.indexOf(span.activity)
      for (const span of spans) {
        assert.ok(bars.some((bar) => bar.activity === shown(span) && bar.start <= span.start && span.end <= bar.end))
      }
    }))
  })

  it('shows kernels and exchanges of a rank that does both at once in two rows', () => {
    const span = (activity: Span['activity'], start: number, end: number): Span => ({
      rank: 2,
      activity,
      name: activity,
      step: 0,
      start,
      end,
    })
    const spans = [span('compute', 0, 4), span('wire', 1, 3), span('compute', 4, 5)]
    const { rows, bars } = timelineOf([{ ranks: [2, 3, 4, 7], spans }, { ranks: [5], spans: [span('compute', 0, 1)] }])
    assert.deepEqual(rows, ['2–4, 7 kernels', '2–4, 7 exchanges', 'rank 5'])
    assert.deepEqual(bars.map(({ row, start, end }) => [row, start, end]), [[0, 0, 4], [0, 4, 5], [1, 1, 3], [2, 0, 1]])
  })

  it('names ranks in runs', () => {
    assert.equal(printRanks([3]), 'rank 3')
    assert.equal(printRanks([0, 1, 2, 3, 8]), 'ranks 0–3, 8')
    assert.equal(printRanks([0, 2, 4, 6, 8]), 'ranks 0, 2, 4 …')
  })
})
