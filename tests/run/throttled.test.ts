import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { sentence } from '#lib/fault.ts'
import { startSession } from '#lib/run/session.ts'
import { runDrill } from './drill.ts'
import { right } from './link/links.ts'
import { misbehaving, recipe, tensorsFor, workloadOf } from './workload.ts'

/** Links so slow that whatever happens, happens while messages are kept back. */
const endless = [{ name: 'endless', ranks: null, bandwidth: 1e9, latency: 30 }]
const links = process.platform === 'linux' ? (['shared-memory', 'socket', 'tcp'] as const) : (['socket', 'tcp'] as const)

for (const link of links) {
  test(`${link}: a rank killed while all keep their messages back is a fault within a second`, async () => {
    const { fault, faultAfter, leftovers } = await runDrill({
      given: recipe(3, 7, 5),
      options: { link, throttle: endless, runtimes: ['node', 'deno'] },
      delay: 150,
      event: ([, victim]) => void process.kill(victim!, 'SIGKILL'),
    })
    assert.ok(fault !== null)
    assert.equal(sentence(fault), 'rank 1 died in the all-to-all r→c for hand.ts:2, step 2 of 8: it was killed by SIGKILL')
    assert.ok(faultAfter < 1000, `the fault took ${faultAfter} ms`)
    assert.deepEqual(leftovers, [])
  })
}

for (const inProcess of [true, false]) {
  test(`a session of ${inProcess ? 'one process' : 'processes'} is closed while messages are kept back`, async () => {
    const given = recipe(2, 5, 3)
    const { x, w } = tensorsFor(given)
    const options = { backend: 'reference', parameters: { w }, throttle: endless, inProcess } as const
    const parts = { entry: new URL('./rank.ts', import.meta.url), open: misbehaving(null) }
    const session = right(await startSession(workloadOf(given), options, parts)())
    const running = session.run({ x })()
    await new Promise((resolve) => setTimeout(resolve, 100))
    await session.close()
    const result = await running
    assert.ok(E.isLeft(result))
    assert.equal(sentence(result.left), 'the session was closed')
  })
}

test('a rank that keeps its messages back for longer than a step may take has hung', async () => {
  const { fault } = await runDrill({ given: recipe(2, 5, 3), options: { throttle: endless, timeout: 500 }, delay: 0 })
  assert.ok(fault?.tag === 'RankHung')
})

test('a message that is slow, but not too slow, is waited for', async () => {
  const given = recipe(2, 5, 3)
  const { x, w } = tensorsFor(given)
  const slow = [{ name: 'slow', ranks: null, bandwidth: 1e9, latency: 0.4 }]
  const options = { backend: 'reference', parameters: { w }, throttle: slow, timeout: 500 } as const
  const session = right(await startSession(workloadOf(given), options, { entry: new URL('./rank.ts', import.meta.url) })())
  right(await session.run({ x })())
  await session.close()
})

test('links that do not join the ranks are refused', async () => {
  const given = recipe(2, 5, 3)
  const { w } = tensorsFor(given)
  const pairs = [{ name: 'pairs', ranks: 2, bandwidth: 1e9, latency: 0 }]
  const started = await startSession(workloadOf(given), { parameters: { w }, throttle: pairs, inProcess: true })()
  assert.ok(E.isLeft(started))
  assert.equal(sentence(started.left), "the ranks cannot be joined as throttled: the last level 'pairs' must join all ranks")
})
