import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import type { Elements } from '#lib/dtype.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { type LaunchOptions, type Session, startSession } from '#lib/run/session.ts'
import { holdingsOf } from '#lib/run/tensors.ts'
import { afterRun, type Ledger, ledgerWorkload, parametersOf, valuesFor } from './ledger.ts'
import { right } from './link/links.ts'
import { misbehaving, recipe, tensorsFor, workloadOf } from './workload.ts'

/** Parameters read back from the ranks: what they were given, bit for bit, or what runs have made of it. */

const entry = new URL('./ledger-rank.ts', import.meta.url)

const start = async (given: Ledger, options: LaunchOptions): Promise<Session> => {
  const parameters = valuesFor(given, 0)
  return right(await startSession(ledgerWorkload(given), { backend: 'reference', parameters, ...options }, { entry })())
}

type Values = Readonly<Record<string, Elements>>

/** Bits are compared, because -0 is not 0 here. */
const same = (got: Values, expected: Values): void => {
  assert.deepEqual(Object.keys(got), Object.keys(expected))
  for (const [name, elements] of Object.entries(expected)) {
    const bits = (of: Elements): Buffer => Buffer.from(of.buffer, of.byteOffset, of.byteLength)
    assert.equal(got[name]!.constructor, elements.constructor)
    assert.ok(bits(got[name]!).equals(bits(elements)), `${name} is ${String(got[name])} instead of ${String(elements)}`)
  }
}

const messageOf = (result: E.Either<Fault, unknown>): string => {
  assert.ok(E.isLeft(result), 'expected a fault')
  return sentence(result.left)
}

/** Reads after the launch, after a write of some parameters, and after a run that changes them. */
const check = async (given: Ledger, options: LaunchOptions): Promise<void> => {
  const session = await start(given, options)
  try {
    let values = valuesFor(given, 0)
    same(right(await session.read()()), values)
    const { whole, 'by row': byRow } = valuesFor(given, 1)
    right(await session.write({ whole: whole!, 'by row': byRow! })())
    values = { ...values, whole: whole!, 'by row': byRow! }
    same(right(await session.read()()), values)
    same(right(await session.read(['single', 'by row', 'by row'])()), { 'by row': byRow!, single: values['single']! })
    same(right(await session.read([])()), {})
    for (const added of [0.5, -3]) {
      right(await session.run({ x: Float32Array.of(added) })())
      values = afterRun(values, added)
      same(right(await session.read()()), values)
    }
  } finally {
    await session.close()
  }
}

test('ranks in one process hand parameters back bit for bit, however they are cut', async () => {
  const size = fc.integer({ min: 0, max: 5 })
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      size,
      size,
      (ranks, rows, columns) => check({ ranks, rows, columns }, { inProcess: true }),
    ),
    { numRuns: 40 },
  )
})

const links = process.platform === 'linux' ? (['shared-memory', 'socket'] as const) : (['socket'] as const)
for (const [ranks, rows, columns] of [[1, 3, 4], [2, 5, 3], [3, 2, 7]] as const) {
  for (const link of ranks === 1 ? (['auto'] as const) : links) {
    test(`${ranks} processes, ${link} link: ${rows} × ${columns} read back`, () => check({ ranks, rows, columns }, { link }))
  }
}
test('Node and Deno ranks hand in pieces of one tensor', () => check({ ranks: 3, rows: 4, columns: 5 }, { runtimes: ['deno', 'node'] }))

test('of ranks that hold the same piece the first hands it in, and nobody an empty one', () => {
  const given = { ranks: 3, rows: 2, columns: 3 }
  const { handedIn } = holdingsOf(ledgerWorkload(given), parametersOf(given))
  assert.deepEqual(handedIn, [
    ['by row', 'by column', 'counts by row', 'by pair', 'whole', 'single'],
    ['by row', 'by column', 'counts by row'],
    ['by column', 'by pair'],
  ])
})

test('reads stand in the queue with writes and runs', async () => {
  const given = { ranks: 2, rows: 3, columns: 3 }
  const session = await start(given, { inProcess: true })
  const [first, second] = [valuesFor(given, 0), valuesFor(given, 1)]
  const [before, , between, , after] = await Promise.all([
    session.read()(),
    session.run({ x: Float32Array.of(1) })(),
    session.read()(),
    session.write(second)(),
    session.read()(),
  ])
  same(right(before), first)
  same(right(between), afterRun(first, 1))
  same(right(after), second)
  await session.close()
})

test('what was read is the caller’s own: it does not change with later runs, nor they with it', async () => {
  const given = { ranks: 2, rows: 3, columns: 3 }
  const session = await start(given, { inProcess: true })
  const read = right(await session.read()())
  right(await session.run({ x: Float32Array.of(1) })())
  same(read, valuesFor(given, 0))
  for (const elements of Object.values(read)) elements.fill(7)
  same(right(await session.read()()), afterRun(valuesFor(given, 0), 1))
  await session.close()
})

test('names that are no parameters are told before anybody is asked', async () => {
  const session = await start({ ranks: 2, rows: 3, columns: 2 }, { inProcess: true })
  assert.equal(
    messageOf(await session.read(['whole', 'wohle'])()),
    "tensor 'wohle': the program has no such parameter; it has 'by row', 'by column', 'counts by row', 'by pair', " +
      "'whole', 'single', 'empty'",
  )
  assert.equal(messageOf(await session.read(['x'])()), "tensor 'x': it is an input, which is given to each run")
  right(await session.read()())
  await session.close()
})

test('a large parameter comes back whole', async () => {
  const given = { ranks: 2, rows: 1501, columns: 701 }
  const session = await start(given, {})
  same(right(await session.read(['counts by row'])()), { 'counts by row': valuesFor(given, 0)['counts by row']! })
  await session.close()
})

test('after a fault there is nothing to read, and the session says why', async () => {
  const given = recipe(2, 5, 3, { what: 'lost', rank: 1, step: 2 })
  const { x, w } = tensorsFor(given)
  for (const inProcess of [true, false]) {
    const parts = { entry: new URL('./rank.ts', import.meta.url), open: misbehaving(given.misdeed) }
    const options: LaunchOptions = { backend: 'reference', parameters: { w }, inProcess }
    const session = right(await startSession(workloadOf(given), options, parts)())
    same(right(await session.read()()), { w })
    const [ran, read] = await Promise.all([session.run({ x })(), session.read(['w'])()])
    const told = 'rank 1 failed in square at hand.ts:3, step 3 of 8: the device was lost: out of memory'
    assert.equal(messageOf(ran), told)
    assert.equal(messageOf(read), `the session has ended, because ${told}`)
    await session.close()
  }
})

test('a closed session gives nothing back', async () => {
  const session = await start({ ranks: 2, rows: 3, columns: 2 }, { inProcess: true })
  await session.close()
  assert.equal(messageOf(await session.read()()), 'the session was closed')
})
