import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { type Fault, sentence } from '#lib/fault.ts'
import { type LaunchOptions, type Session, startSession } from '#lib/run/session.ts'
import { childrenWith, leftovers, sharedMemory } from './leftovers.ts'
import { type Recipe, recipe, tensorsFor, workloadOf } from './workload.ts'

/**
 * Fault drills: something is done to the ranks of a running session at a moment of choice; told are the fault, how long
 * it took to come, and what is left behind. As a script, `drill.ts [count]` does many at random and prints a table.
 */
export interface Drill {
  readonly given: Recipe
  readonly options: LaunchOptions
  readonly entry?: URL
  /** Done to a running session; without it the recipe's misdeed is waited for. */
  readonly event?: (pids: readonly number[]) => void
  /** Milliseconds from the start of the first run to the event, or, where negative, from the start of the launch. */
  readonly delay: number
}

export interface Report {
  readonly fault: Fault | null
  /** Milliseconds from the event to the fault, and from there to the end of all clearing up. */
  readonly faultAfter: number
  readonly clearedAfter: number
  readonly leftovers: readonly string[]
  /** What a call after the fault was told. */
  readonly later: string
}

const entryOf = (name: string): URL => new URL(name, import.meta.url)

export const runDrill = async (
  { given, options, entry = entryOf('./rank.ts'), event, delay }: Drill,
): Promise<Report> => {
  const { x, w } = tensorsFor(given)
  let began = performance.now()
  let pids: readonly number[] = []
  const strike = (): void => {
    pids = childrenWith(fileURLToPath(entry))
    began = performance.now()
    event?.(pids)
  }
  const timerAtLaunch = delay < 0 ? setTimeout(strike, -delay) : undefined
  const started = await startSession(workloadOf(given), { backend: 'reference', parameters: { w }, ...options }, {
    entry,
  })()
  if (E.isLeft(started)) {
    clearTimeout(timerAtLaunch)
    return {
      fault: started.left,
      faultAfter: performance.now() - began,
      clearedAfter: 0,
      leftovers: leftovers(pids),
      later: '',
    }
  }
  const session = started.right
  pids = session.describe.ranks.map(({ pid }) => pid)
  const timer = delay >= 0 ? setTimeout(strike, delay) : undefined
  if (event === undefined) began = performance.now()
  const fault = await runUntilFault(session, x)
  const faultAfter = performance.now() - began
  clearTimeout(timer)
  const later = await session.run({ x })()
  const closing = performance.now()
  await session.close()
  return {
    fault,
    faultAfter,
    clearedAfter: performance.now() - closing,
    leftovers: leftovers(pids),
    later: E.isLeft(later) ? sentence(later.left) : 'it ran',
  }
}

/** Runs again and again until it fails, for half a minute at most. */
const runUntilFault = async (session: Session, x: Float32Array): Promise<Fault | null> => {
  const end = performance.now() + 30_000
  while (performance.now() < end) {
    const result = await session.run({ x })()
    if (E.isLeft(result)) return result.left
    // Without a turn of the event loop the drill's own timer would never come.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return null
}

const pick = <A>(values: readonly A[]): A => values[Math.floor(Math.random() * values.length)]!

const randomDrill = (): Drill & { readonly name: string } => {
  const ranks = pick([2, 3, 4])
  const signal = pick(['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGSTOP'] as const)
  const link = pick(['shared-memory', 'socket'] as const)
  const runtimes = pick([['node'], ['deno'], ['node', 'deno']] as const)
  const atLaunch = signal === 'SIGKILL' && Math.random() < 0.2
  const delay = atLaunch ? -Math.random() * 400 - 20 : Math.random() * 200
  const victim = Math.floor(Math.random() * ranks)
  return {
    name: `${signal} ${atLaunch ? 'at launch' : 'running'}, ${ranks} ${runtimes.join('+')} ranks, ${link}`,
    given: recipe(ranks, 301, 203),
    options: { link, runtimes },
    delay,
    event: (pids) => {
      const pid = pids[victim % Math.max(1, pids.length)]
      if (pid !== undefined) process.kill(pid, signal)
    },
  }
}

const main = async (count: number): Promise<void> => {
  const before = sharedMemory()
  let bad = 0
  for (let i = 1; i <= count; i++) {
    const drill = randomDrill()
    const report = await runDrill(drill)
    const isGood = report.fault !== null && report.faultAfter < 1000 && report.leftovers.length === 0
    if (!isGood) bad++
    const told = report.fault === null ? 'NO FAULT' : sentence(report.fault).split('\n')[0]
    const left = report.leftovers.length === 0 ? 'nothing' : report.leftovers.join(', ')
    process.stdout.write(
      `${String(i).padStart(3)} ${isGood ? 'good' : 'BAD '} ${drill.name.padEnd(58)} fault after ${
        report.faultAfter.toFixed(0).padStart(4)
      } ms, ` +
        `cleared in ${report.clearedAfter.toFixed(0).padStart(4)} ms, left ${left}: ${told}\n`,
    )
  }
  process.stdout.write(`${count - bad} of ${count} good; shared memory ${before} before, ${sharedMemory()} after\n`)
  process.exitCode = bad === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(Number(process.argv[2] ?? 100))
