import type { Socket } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { BackendName } from '#backends/mod.ts'
import type { Links } from '../cluster/links.ts'
import { closed, type Fault, sentence } from '../fault.ts'
import { doing, largestExchange, type NamedElements, type RankRun } from './executor.ts'
import { makeVerdict, type RankGroup } from './group.ts'
import { listen, makeToken } from './link/address.ts'
import { capacityFor, type Whereabouts } from './link/arena.ts'
import { type ArenaOwner, createArena } from './link/shared-memory.ts'
import { type LinkPlan, packElements, unpackElements } from './messages.ts'
import { type Answer, makeRoster, type Member, type Request } from './roster.ts'
import { onSignals } from './signals.ts'
import type { MeasuredSpans } from './span.ts'
import { isStopped, type Runtime, spawnRank } from './spawn.ts'
import { watch } from './watch.ts'
import type { Workload } from './workload.ts'

/** `socket` is the quickest kind there is between processes, `tcp` one that goes through the system's network. */
export type LinkName = 'auto' | 'shared-memory' | 'socket' | 'tcp'

export interface ProcessOptions {
  readonly backend: BackendName
  readonly timeout: number
  readonly debug: boolean
  readonly spans: MeasuredSpans
  readonly throttle: Links | null
  /** Names of the outputs that each rank hands in. */
  readonly outputsOf: (rank: number) => readonly string[]
  /** Given out to the ranks in turn. */
  readonly runtimes: readonly Runtime[]
  readonly link: LinkName
  /** The ranks' entry point, by default `rank.ts` (or `rank.js`, where this file is `.js`). */
  readonly entry?: URL
}

/** How long ranks may take to end by themselves before they are made to, in milliseconds. */
const grace = 500
/** How long a fault that is only the echo of another one waits for that other one, in milliseconds. */
const echoDelay = 300
/** How long a rank may take to open its device and compile its kernels, in milliseconds. */
const startTimeout = 120_000

/**
 * Starts a process per rank and joins them. The first fault, whoever tells of it, ends all: every pending call gets
 * it, every rank is woken from its wait and told, then terminated. Ranks, sockets and memory never outlive the group.
 */
export const launchProcesses = (workload: Workload, options: ProcessOptions): TaskEither<Fault, RankGroup> => async () => {
  const joined = await prepareLink(workload, options.link)
  if (E.isLeft(joined)) return joined
  const { plan, arena } = joined.right
  const listening = await listen((socket) => welcome(socket))
  if (E.isLeft(listening)) {
    arena?.close()
    return listening
  }
  const welcome = (socket: Socket): void => roster.welcome(socket)
  const { address } = listening.right
  const { backend, timeout, debug, spans, throttle } = options
  const token = makeToken()
  const entry = options.entry ?? new URL(import.meta.url.endsWith('.ts') ? './rank.ts' : './rank.js', import.meta.url)
  const processes = Array.from({ length: workload.ranks }, (_, rank) => {
    const runtime = options.runtimes[rank % options.runtimes.length]!
    return spawnRank({ runtime, entry, address, rank, token })
  })
  const everybodyGone = Promise.all(processes.map(({ ended }) => ended))

  const verdict = makeVerdict()
  const encoded = new TextEncoder().encode(JSON.stringify(workload.encoded))
  let allReady: (ready: E.Either<Fault, void>) => void = () => undefined
  const ready = new Promise<E.Either<Fault, void>>((resolve) => (allReady = resolve))
  const roster = makeRoster(processes, token, {
    hash: workload.hash,
    greeting: (rank) => ({
      message: { kind: 'load', backend, link: plan, timeout, debug, spans, throttle, outputs: options.outputsOf(rank) },
      payload: [encoded],
    }),
    allReady: () => allReady(E.right(undefined)),
    fault: (member, fault) => onFault(member, fault),
    gone: ({ rank }) => echo({ tag: 'RankDied', rank, step: placeOf(rank), cause: 'it closed its connection to the launcher' }),
  })
  const { members } = roster

  const whereabouts = (rank: number): Whereabouts => arena?.whereabouts(rank) ?? members[rank]!.where
  const placeOf = (rank: number): string =>
    members[rank]!.description === null ? 'while getting ready' : doing(workload.programOf(rank), whereabouts(rank).position)

  /** The first fault ends the group; an orderly end is none. */
  const fail = (fault: Fault): void => {
    if (!verdict.fail(fault)) return
    const message = sentence(fault)
    arena?.abort(message)
    roster.tellAll({ kind: 'abort', message })
    void tearDown()
  }

  /** Some faults are only echoes of what happened to another rank: they wait for that to be told. */
  const echo = (fault: Fault): void => void setTimeout(() => fail(fault), echoDelay)
  /** Ranks that have said why they end. */
  const excused = new Set<number>()
  const onFault = (member: Member, fault: Fault): void => {
    const isEcho = fault.tag === 'Closed' || (fault.tag === 'RankDied' && fault.rank !== member.rank)
    if (isEcho) {
      excused.add(member.rank)
      echo(fault)
    } else fail(fault.tag === 'Timeout' ? blame(fault) : fault)
  }
  /** Who waited too long for others is not the one to blame, if one of the others is still at work on something. */
  const blame = (timedOut: Extract<Fault, { tag: 'Timeout' }>): Fault => {
    const culprit = members.find(({ rank, pending }) => {
      const step = workload.programOf(rank).steps[whereabouts(rank).position]
      return pending.size > 0 && step !== undefined && step.kind !== 'exchange'
    })
    if (culprit === undefined) return timedOut
    const { rank } = culprit
    return { tag: 'RankHung', rank, step: placeOf(rank), milliseconds: timedOut.milliseconds }
  }

  for (const { rank, process } of members) {
    void process.ended.then((cause) => {
      if (!excused.has(rank)) fail({ tag: 'RankDied', rank, step: placeOf(rank), cause })
    })
  }
  const stopWatching = watch(members.map(({ process: { pid }, rank }) => ({ rank, pid })), {
    whereabouts,
    allowed: (rank) => {
      if (members[rank]!.description === null) return Math.max(timeout, startTimeout)
      return members[rank]!.pending.size > 0 ? timeout : null
    },
    place: placeOf,
    fault: fail,
  })
  const removeSignals = onSignals(
    (signal) => {
      fail(closed(`the session was stopped by ${signal}`))
      return tearDown()
    },
    () => processes.forEach((process) => process.kill('SIGKILL')),
  )

  let tornDown: Promise<void> | null = null
  const tearDown = (): Promise<void> => {
    tornDown ??= tearDownNow()
    return tornDown
  }
  const tearDownNow = async (): Promise<void> => {
    stopWatching()
    // A stopped process would not even see a SIGTERM.
    for (const { pid, kill } of processes) if (pid !== undefined && isStopped(pid)) kill('SIGKILL')
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const process of processes) if (process.isAlive()) process.kill(signal)
      await within(grace, everybodyGone)
    }
    roster.close()
    await listening.right.close()
    arena?.close()
    removeSignals()
  }
  const close = async (): Promise<void> => {
    if (verdict.fail(closed('the session was closed'))) {
      roster.tellAll({ kind: 'close' })
      await within(grace, everybodyGone)
    }
    await tearDown()
  }

  const begun = await verdict.orFault(() => ready)
  if (E.isLeft(begun)) {
    await tearDown()
    return begun
  }
  const ask = <A>(
    rank: number,
    request: Request,
    payload: readonly Uint8Array[],
    read: (answer: Answer) => E.Either<Fault, A>,
  ): TaskEither<Fault, A> =>
  () => verdict.orFault(async () => read(await roster.ask(rank, request, payload)))
  const give = <A>(
    rank: number,
    kind: 'write' | 'run',
    values: NamedElements,
    read: (answer: Answer) => E.Either<Fault, A>,
  ): TaskEither<Fault, A> => {
    const { parts, payload } = packElements(values)
    return ask(rank, { kind, parts }, payload, read)
  }
  return E.right({
    link: plan.kind,
    ranks: members.map(({ description }) => description!),
    write: (rank, values) => give(rank, 'write', values, () => E.right(undefined)),
    read: (rank, names) => ask(rank, { kind: 'read', names }, [], valuesOf),
    run: (rank, values) => give(rank, 'run', values, runOf),
    close,
  })
}

const otherThan = (expected: string, got: string): E.Either<Fault, never> =>
  E.left({ tag: 'Malformed', what: 'message from a rank', path: 'kind', expected, got })

const valuesOf = ({ message, payload }: Answer): E.Either<Fault, NamedElements> =>
  message.kind === 'values' ? unpackElements(message.parts, payload) : otherThan('values', message.kind)

const runOf = ({ message, payload }: Answer): E.Either<Fault, RankRun> => {
  if (message.kind !== 'ran') return otherThan('ran', message.kind)
  const { sent, times, spans } = message
  return E.map((outputs: NamedElements): RankRun => ({ outputs, sent, times, spans }))(unpackElements(message.parts, payload))
}

/** The link that the ranks will be told to use, and the arena if that is shared memory. */
const prepareLink = async (
  workload: Workload,
  link: LinkName,
): Promise<E.Either<Fault, { readonly plan: LinkPlan; readonly arena: ArenaOwner | null }>> => {
  const { ranks } = workload
  if (ranks === 1) return E.right({ plan: { kind: 'none' }, arena: null })
  let capacity = 0
  for (let rank = 0; rank < ranks; rank++) {
    capacity = Math.max(capacity, largestExchange(workload.programOf(rank), capacityFor))
  }
  if (link === 'auto' || link === 'shared-memory') {
    const arena = await createArena(ranks, capacity)
    if (E.isRight(arena)) {
      return E.right({ plan: { kind: 'shared-memory', arena: arena.right.address }, arena: arena.right })
    }
    if (link === 'shared-memory') return arena
  }
  return E.right({ plan: { kind: link === 'tcp' ? 'tcp' : 'socket', capacity }, arena: null })
}

/** Waits for something, but not for ever. */
const within = async (milliseconds: number, awaited: Promise<unknown>): Promise<void> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([awaited, new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)))])
  clearTimeout(timer)
}
