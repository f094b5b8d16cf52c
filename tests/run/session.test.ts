import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { type Fault, sentence } from '#lib/fault.ts'
import { type LaunchOptions, type Session, startSession } from '#lib/run/session.ts'
import { right } from './link/links.ts'
import { decodeRecipe, expected, expectedBytes, misbehaving, type Recipe, recipe, tensorsFor, workloadOf } from './workload.ts'

const entry = new URL('./rank.ts', import.meta.url)

const start = async (given: Recipe, options: LaunchOptions): Promise<Session> => {
  const { w } = tensorsFor(given)
  const parts = { entry, open: misbehaving(given.misdeed) }
  return right(await startSession(workloadOf(given), { backend: 'reference', parameters: { w }, ...options }, parts)())
}

const messageOf = (result: E.Either<Fault, unknown>): string => {
  assert.ok(E.isLeft(result), 'expected a fault')
  return sentence(result.left)
}

/** Runs the program twice on other inputs and compares everything with the closed forms. */
const check = async (given: Recipe, options: LaunchOptions): Promise<void> => {
  const session = await start(given, options)
  try {
    const { w } = tensorsFor(given)
    const bytes = Array.from({ length: given.ranks }, (_, rank) => expectedBytes(given, rank))
    for (const seed of [1, 2]) {
      const { x } = tensorsFor(given, seed)
      const { outputs, sent, sentTo, times } = right(await session.run({ x })())
      assert.deepEqual(outputs, expected(given, x, w))
      assert.deepEqual(sent, bytes)
      assert.deepEqual(sentTo.map((row) => row.reduce((sum, n) => sum + n, 0)), bytes)
      assert.equal(times.length, given.ranks)
      assert.ok(times.every((time) => Object.values(time).every((value) => value >= 0)))
      assert.deepEqual(session.counters(), { lastRun: bytes, total: bytes.map((n) => n * seed) })
    }
    assert.equal(session.describe.ranks.length, given.ranks)
  } finally {
    await session.close()
  }
}

for (const [ranks, rows, columns] of [[1, 3, 4], [2, 5, 3], [3, 7, 5], [5, 3, 11], [4, 1, 1]] as const) {
  test(`${ranks} ranks in one process: ${rows} × ${columns}`, () => check(recipe(ranks, rows, columns), { inProcess: true }))
}

const links = process.platform === 'linux' ? (['shared-memory', 'socket'] as const) : (['socket'] as const)
for (const link of links) {
  test(`three processes over ${link}`, () => check(recipe(3, 7, 5), { link }))
  test(`Node and Deno ranks together over ${link}`, () => check(recipe(3, 4, 9), { link, runtimes: ['deno', 'node'] }))
}
test('a rank that is alone needs no link', () => check(recipe(1, 4, 4), {}))

test('a rank that is busy for long is waited for', () => check(recipe(2, 5, 3, { what: 'slow', rank: 1, step: 2 }), {}))

test('a launcher that is busy for long blames nobody', async () => {
  const given = recipe(2, 5, 3)
  const session = await start(given, { timeout: 1000 })
  const { x, w } = tensorsFor(given)
  for (let i = 0; i < 2; i++) {
    const running = session.run({ x })()
    const end = performance.now() + 2500
    while (performance.now() < end);
    assert.deepEqual(right(await running).outputs, expected(given, x, w))
  }
  await session.close()
})

test('calls made at once are run in order, and new parameters hold from then on', async () => {
  const given = recipe(2, 5, 3)
  const session = await start(given, { inProcess: true })
  const { w } = tensorsFor(given)
  const doubled = w.map((value) => 2 * value)
  const inputs = [1, 2, 3].map((seed) => tensorsFor(given, seed).x)
  const [first, second, written, third] = await Promise.all([
    session.run({ x: inputs[0]! })(),
    session.run({ x: inputs[1]! })(),
    session.write({ w: doubled })(),
    session.run({ x: inputs[2]! })(),
  ])
  assert.ok(E.isRight(written))
  assert.deepEqual(right(first).outputs, expected(given, inputs[0]!, w))
  assert.deepEqual(right(second).outputs, expected(given, inputs[1]!, w))
  assert.deepEqual(right(third).outputs, expected(given, inputs[2]!, doubled))
  await session.close()
})

test('inputs that do not fit are told by name before anything is sent', async () => {
  const given = recipe(2, 5, 3)
  const session = await start(given, { inProcess: true })
  const { x, w } = tensorsFor(given)
  const tell = async (inputs: Record<string, unknown>): Promise<string> =>
    messageOf(await session.run(inputs as Record<string, Float32Array>)())
  assert.equal(
    await tell({}),
    "tensor 'x': it is missing: the program takes this input as r:5 c:3 = 15 elements of f32",
  )
  assert.equal(await tell({ x, y: x }), "tensor 'y': the program has no such input; it has 'x'")
  assert.equal(await tell({ x, w }), "tensor 'w': it is a parameter, which is given at launch")
  assert.equal(await tell({ x: x.subarray(1) }), "tensor 'x': expected r:5 c:3 = 15 elements of f32, got 14")
  assert.equal(
    await tell({ x: new Int32Array(15) }),
    "tensor 'x': expected r:5 c:3 = 15 elements of f32 in a Float32Array, got a value of type Int32Array",
  )
  assert.equal(
    await tell({ x: null }),
    "tensor 'x': expected r:5 c:3 = 15 elements of f32 in a Float32Array, got a value of type Null",
  )
  assert.equal(messageOf(await session.write({ x })()), "tensor 'x': it is an input, which is given to each run")
  right(await session.run({ x })())
  await session.close()
})

test('parameters must all be there at launch', async () => {
  const started = await startSession(workloadOf(recipe(2, 5, 3)), { inProcess: true, backend: 'reference' })()
  assert.equal(
    messageOf(started),
    "tensor 'w': it is missing: the program takes this parameter as c:3 = 3 elements of f32",
  )
})

test('a closed session says so', async () => {
  const given = recipe(2, 5, 3)
  const { x } = tensorsFor(given)
  for (const inProcess of [true, false]) {
    const session = await start(given, { inProcess })
    const running = session.run({ x })()
    await session.close()
    const result = await running
    if (E.isLeft(result)) assert.equal(sentence(result.left), 'the session was closed')
    assert.equal(messageOf(await session.run({ x })()), 'the session was closed')
    await session.close()
  }
})

test('a fault in one process ends all its ranks, and later calls quote it', async () => {
  const given = recipe(3, 5, 4, { what: 'lost', rank: 1, step: 2 })
  const session = await start(given, { inProcess: true })
  const { x } = tensorsFor(given)
  const first = 'rank 1 failed in square at hand.ts:3, step 3 of 8: the device was lost: out of memory'
  assert.equal(messageOf(await session.run({ x })()), first)
  assert.equal(messageOf(await session.run({ x })()), `the session has ended, because ${first}`)
  await session.close()
})

test('a recipe of another form is malformed', () => {
  assert.ok(E.isLeft(decodeRecipe({ ranks: 'two' })))
})
