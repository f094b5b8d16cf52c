import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Links } from '#lib/cluster/links.ts'
import { type LaunchOptions, type RunResult, startSession } from '#lib/run/session.ts'
import type { Activity, Span } from '#lib/run/span.ts'
import { right } from './link/links.ts'
import { expected, misbehaving, type Recipe, recipe, tensorsFor, workloadOf } from './workload.ts'

const parts = { entry: new URL('./rank.ts', import.meta.url), open: misbehaving(null) }

/** The second run of a session, whose numbers must be right. */
const secondRun = async (given: Recipe, options: LaunchOptions): Promise<RunResult> => {
  const { w } = tensorsFor(given)
  const session = right(await startSession(workloadOf(given), { backend: 'reference', parameters: { w }, ...options }, parts)())
  try {
    right(await session.run({ x: tensorsFor(given, 1).x })())
    const { x } = tensorsFor(given, 2)
    const result = right(await session.run({ x })())
    assert.deepEqual(result.outputs, expected(given, x, w))
    return result
  } finally {
    await session.close()
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0)
const near = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`)
const activitiesAt = (spans: readonly Span[], step: number): readonly Activity[] =>
  spans.filter((span) => span.step === step).map(({ activity }) => activity)

/** Sums and differences of times since 1970 are exact to a fraction of a microsecond. */
const rounding = 0.05
/** What the clocks of two processes may differ by, in milliseconds. */
const clocks = 2

const obeysTheLaws = (given: Recipe, { spans, times, sent }: RunResult): void => {
  assert.equal(Math.min(...spans.flat().map(({ start }) => start)), 0)
  for (const [rank, list] of spans.entries()) {
    const { steps, labels } = workloadOf(given).programOf(rank)
    assert.ok(list.every((span) => span.rank === rank && span.end >= span.start))
    // One thing at a time, without a gap, from the first to the last.
    list.slice(1).forEach(({ start }, i) => near(start, list[i]!.end, rounding))
    const { total, ...each } = times[rank]!
    near(list.at(-1)!.end - list[0]!.start, total, rounding)
    for (const [activity, time] of Object.entries(each)) {
      near(sum(list.filter((span) => span.activity === activity).map(({ start, end }) => end - start)), time, rounding)
    }
    assert.equal(sum(list.map(({ bytes = 0 }) => bytes)), sent[rank])
    // Steps come in order, each with all that belongs to it.
    const order = list.flatMap(({ step }) => step === null ? [] : [step])
    assert.deepEqual(order, order.toSorted((a, b) => a - b))
    for (const [at, step] of steps.entries()) {
      const activities = activitiesAt(list, at)
      if (step.kind !== 'exchange') assert.deepEqual(activities, ['compute'])
      else assert.match(activities.join(' '), given.ranks > 1 ? /^(wait )?pack wire( wait)?( wire)? unpack$/ : /^(wait )?pack.* unpack$/)
      const label = labels[at]!.replace(/^in (the )?/, '')
      assert.ok(list.filter((span) => span.step === at).every(({ name }) => name === label))
    }
  }
  // On one clock: nobody unpacks what has not been sent.
  for (const [at, step] of workloadOf(given).programOf(0).steps.entries()) {
    if (step.kind !== 'exchange' || given.ranks === 1) continue
    const edge = (activity: Activity, which: 'start' | 'end'): readonly number[] =>
      spans.map((list) => list.find((span) => span.step === at && span.activity === activity)![which])
    assert.ok(Math.min(...edge('unpack', 'start')) + clocks >= Math.max(...edge('pack', 'end')))
  }
}

const links = process.platform === 'linux' ? (['shared-memory', 'socket', 'tcp'] as const) : (['socket', 'tcp'] as const)
const places: readonly (readonly [string, LaunchOptions])[] = [
  ['in one process', { inProcess: true }],
  ...links.map((link) => [`over ${link}`, { link, runtimes: ['node', 'deno'] }] as const),
]

for (const [place, options] of places) {
  test(`three ranks ${place}: spans follow one another and say what was done and sent`, async () => {
    const given = recipe(3, 7, 5)
    obeysTheLaws(given, await secondRun(given, { ...options, spans: true }))
  })

  test(`three ranks ${place}: slower links change no number, and no message is quicker than they are`, async () => {
    const given = recipe(3, 7, 5)
    const level = { name: 'slow', ranks: null, bandwidth: 10_000, latency: 0.003 }
    const result = await secondRun(given, { ...options, spans: true, throttle: [level] satisfies Links })
    obeysTheLaws(given, result)
    for (const { activity, bytes, start, end } of result.spans.flat()) {
      if (activity !== 'wire' || bytes === undefined) continue
      assert.ok(end - start + rounding >= (bytes === 0 ? 0 : 1000 * (level.latency + bytes / level.bandwidth)))
    }
  })
}

test('a rank that is alone has spans too, of exchanges that only move what it keeps', async () => {
  const given = recipe(1, 4, 4)
  obeysTheLaws(given, await secondRun(given, { inProcess: true, spans: true }))
  obeysTheLaws(given, await secondRun(given, { spans: true }))
})

test('on a GPU every kernel is waited for', async () => {
  const given = recipe(2, 5, 3)
  obeysTheLaws(given, await secondRun(given, { inProcess: true, spans: true, backend: 'webgpu' }))
})

test('a stretch of kernels may be one span', async () => {
  const given = recipe(2, 5, 3)
  for (const backend of ['reference', 'webgpu'] as const) {
    const { spans, sent } = await secondRun(given, { inProcess: true, spans: 'stretches', backend })
    for (const [rank, list] of spans.entries()) {
      const computed = list.filter(({ activity }) => activity === 'compute').map(({ name }) => name)
      assert.deepEqual(computed, ['add at hand.ts:1', 'square at hand.ts:3 and 1 more', 'max at hand.ts:6'])
      assert.equal(sum(list.map(({ bytes = 0 }) => bytes)), sent[rank])
    }
  }
})

test('where spans are not asked for there are none, and the sums are there all the same', async () => {
  const given = recipe(2, 5, 3)
  const { spans, times } = await secondRun(given, { inProcess: true })
  assert.deepEqual(spans, [[], []])
  for (const { total, ...each } of times) near(sum(Object.values(each)), total, rounding)
})
