import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createRequire } from 'node:module'
import { type Fault, sentence } from '#lib/fault.ts'
import { type LaunchOptions, startSession } from '#lib/run/session.ts'
import { type Drill, type Report, runDrill } from './drill.ts'
import { addressOf, isAlive, isListenedAt } from './leftovers.ts'
import { right } from './link/links.ts'
import { expected, type Misdeed, recipe, tensorsFor, workloadOf } from './workload.ts'

/** Every drill must end in a fault within a second of its event, in a session that is dead, with nothing left. */
const drill = async (given: Drill, limit = 1000): Promise<Fault> => {
  const report: Report = await runDrill(given)
  assert.ok(report.fault !== null, 'no fault came')
  assert.ok(report.faultAfter < limit, `the fault took ${report.faultAfter} ms: ${sentence(report.fault)}`)
  assert.deepEqual(report.leftovers, [])
  if (report.later !== '') assert.equal(report.later, `the session has ended, because ${sentence(report.fault)}`)
  return report.fault
}

const misdeed = (what: Misdeed['what'], rank: number, step: number, options: LaunchOptions = {}): Drill => ({
  given: recipe(3, 7, 5, { what, rank, step }),
  options,
  delay: 0,
})

const isLinux = process.platform === 'linux'
const links = isLinux ? (['shared-memory', 'socket'] as const) : (['socket'] as const)

for (const link of links) {
  for (const delay of [5, 60]) {
    test(`${link}: a rank killed ${delay} ms after the start`, async () => {
      const event = ([, , victim]: readonly number[]) => void process.kill(victim!, 'SIGKILL')
      const fault = await drill({
        given: recipe(3, 101, 53),
        options: { link, runtimes: ['node', 'deno'] },
        delay,
        event,
      })
      assert.equal(fault.tag, 'RankDied')
      assert.match(sentence(fault), /^rank 2 died .*: it was killed by SIGKILL$/)
    })
  }

  test(`${link}: a rank that says nothing any more`, { skip: !isLinux }, async () => {
    const event = ([, victim]: readonly number[]) => void process.kill(victim!, 'SIGSTOP')
    const fault = await drill({ given: recipe(3, 101, 53), options: { link }, delay: 30, event })
    assert.match(sentence(fault), /^rank 1 did not answer for \d+ ms .*; it was stopped$/)
  })

  test(`${link}: ranks in different collectives`, async () => {
    const fault = await drill(misdeed('other', 1, 5, { link }))
    assert.ok(fault.tag === 'Mismatch' && (fault.rank === 1 || fault.peer === 1))
    assert.match(sentence(fault), /#3 all-gather r for hand.ts:5 \(exchange 3, signature \w+\)/)
  })

  test(`${link}: a step without end is a time-out that names the rank in it`, async () => {
    const fault = await drill(misdeed('spin', 1, 2, { link, timeout: 500 }), 2500)
    assert.equal(
      sentence(fault),
      'rank 1 did not answer for 500 ms in square at hand.ts:3, step 3 of 8; it was stopped',
    )
  })
}

for (const runtime of ['node', 'deno'] as const) {
  const failing = (what: Misdeed['what'], step: number): Promise<Fault> => drill(misdeed(what, 1, step, { runtimes: [runtime] }))

  test(`${runtime}: a step that throws`, async () => {
    assert.equal(
      sentence(await failing('throw', 2)),
      'rank 1 failed in square at hand.ts:3, step 3 of 8: a kernel went wrong',
    )
  })

  test(`${runtime}: a rejection that nobody awaits`, async () => {
    assert.equal(
      sentence(await failing('reject', 2)),
      'rank 1 failed in square at hand.ts:3, step 3 of 8: nobody awaited this',
    )
  })

  test(`${runtime}: a device lost in a collective`, async () => {
    assert.equal(
      sentence(await failing('lost', 5)),
      'rank 1 failed in the all-gather r for hand.ts:5, step 6 of 8: the device was lost: out of memory',
    )
  })

  test(`${runtime}: a rank that exits by itself is quoted`, async () => {
    assert.equal(
      sentence(await failing('exit', 0)),
      'rank 1 died in add at hand.ts:1, step 1 of 8: it ended with exit code 7; it last wrote:\nsomething odd happened',
    )
  })
}

test('a rank that is alone and never comes back from a step', async () => {
  const given = recipe(1, 7, 5, { what: 'sleep', rank: 0, step: 2 })
  const fault = await drill({ given, options: { timeout: 300 }, delay: 0 }, 2500)
  assert.match(
    sentence(fault),
    /^rank 0 did not answer for \d+ ms in square at hand.ts:3, step 3 of 8; it was stopped$/,
  )
})

test('a rank with another plan', async () => {
  assert.equal(
    sentence(await drill(misdeed('hash', 1, 0), 10_000)),
    'rank 1 is at plan another plan, but rank 0 is at plan hand-made 3 : all ranks must run the same plan',
  )
})

test('a rank that talks nonsense', async () => {
  const entry = new URL('./babbler.ts', import.meta.url)
  const fault = await drill({ given: recipe(2, 5, 3), options: {}, delay: 0, entry }, 10_000)
  assert.match(
    sentence(fault),
    /^message from rank \d: expected a message of an allowed size at header, got bytes 74 68 69 73/,
  )
})

test('an entry point that cannot be run', async () => {
  const entry = new URL('./no-such-file.ts', import.meta.url)
  const fault = await drill({ given: recipe(2, 5, 3), options: {}, delay: 0, entry }, 10_000)
  assert.match(sentence(fault), /^rank \d died while getting ready: it ended with exit code 1; it last wrote:\n/)
})

test('strangers at the control socket are cut off, and the session goes on', { skip: !isLinux }, async () => {
  const given = recipe(2, 5, 3)
  const { x, w } = tensorsFor(given)
  const parts = { entry: new URL('./rank.ts', import.meta.url) }
  const session = right(await startSession(workloadOf(given), { backend: 'reference', parameters: { w } }, parts)())
  const name = `\0${addressOf(session.describe.ranks[0]!.pid).slice(1).padEnd(107, '-')}`
  const frame = (text: string): Buffer => {
    const header = Buffer.alloc(16)
    header.write('SRDC', 'latin1')
    header.writeUInt32LE(text.length, 4)
    return Buffer.concat([header, Buffer.from(text)])
  }
  const hello = { kind: 'hello', token: 'guessed', rank: 1, pid: 1, runtime: 'node' }
  for (
    const bytes of [
      Buffer.from('GET / HTTP/1.1\r\nHost: me\r\n\r\n'),
      frame('{'),
      frame('[]'),
      frame(JSON.stringify(hello)),
      Buffer.alloc(9),
    ]
  ) {
    await new Promise<void>((resolve) => {
      const socket = connect(name, () => socket.write(bytes))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
      // The last one says too little to be judged: it is left waiting, and is no harm.
      if (bytes.length === 9) setTimeout(() => socket.destroy(), 50)
    })
  }
  assert.deepEqual(right(await session.run({ x })()).outputs, expected(given, x, w))
  await session.close()
})

/** A program with a session that runs for ever, as a process of its own; gives its ranks once they run. */
const startProgram = async (): Promise<
  { readonly pid: number; readonly ranks: readonly number[]; readonly ended: Promise<string> }
> => {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const file = fileURLToPath(new URL('./endless.ts', import.meta.url))
  const isDeno = process.versions['deno'] !== undefined
  const child = spawn(process.execPath, isDeno ? ['run', '-A', '--no-check', file] : ['--import', tsx, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<string>((resolve) => child.on('exit', (code, signal) => resolve(signal ?? String(code))))
  const line = await new Promise<string>((resolve) => child.stdout.on('data', (chunk: Buffer) => resolve(chunk.toString())))
  return { pid: child.pid!, ranks: JSON.parse(line), ended }
}

for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
  test(`a launcher that gets ${signal} takes its ranks with it`, { skip: !isLinux }, async () => {
    const { pid, ranks, ended } = await startProgram()
    const address = addressOf(ranks[0]!)
    assert.ok(isListenedAt(address) && ranks.every(isAlive))
    process.kill(pid, signal)
    assert.equal(await ended, signal)
    const deadline = performance.now() + 1000
    const isLeft = (): boolean => ranks.some(isAlive) || isListenedAt(address)
    while (isLeft() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual(ranks.filter(isAlive), [])
    assert.ok(!isListenedAt(address), 'the control socket is still there')
  })
}
