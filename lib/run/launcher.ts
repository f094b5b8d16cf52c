import process from 'node:process'
import type { Socket } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { BackendName } from '#backends/mod.ts'
import { decodeWith } from '../codec.ts'
import { closed, sentence, type Fault } from '../fault.ts'
import { openChannel, peerLimits, strangerLimits, type Channel } from './control.ts'
import { doing, largestExchange, type NamedElements, type RankRun } from './executor.ts'
import { makeVerdict, type RankDescription, type RankGroup } from './group.ts'
import { listen, makeToken } from './link/address.ts'
import { capacityFor, nowhere, type Whereabouts } from './link/arena.ts'
import { createArena, type ArenaOwner } from './link/shared-memory.ts'
import { FromRank, Hello, packElements, unpackElements, type LinkPlan, type ToRank } from './messages.ts'
import { isStopped, spawnRank, type RankProcess, type Runtime } from './spawn.ts'
import { onSignals } from './signals.ts'
import { watch } from './watch.ts'
import type { Workload } from './workload.ts'

export type LinkName = 'auto' | 'shared-memory' | 'socket'

export interface ProcessOptions {
  readonly backend: BackendName
  readonly timeout: number
  /** Names of the outputs that each rank hands in. */
  readonly outputsOf: (rank: number) => readonly string[]
  /** Given out to the ranks in turn. */
  readonly runtimes: readonly Runtime[]
  readonly link: LinkName
  /** The ranks' entry point, by default `rank.ts` (or `rank.js`, where this file is `.js`). */
  readonly entry?: URL
}

/** How long ranks may take to end by themselves before they are killed, in milliseconds. */
const grace = 500
/** How long a fault that is only the echo of another one waits for that other one, in milliseconds. */
const echoDelay = 300

/** How long a rank may take to open its device and compile its kernels, in milliseconds. */
const startTimeout = 120_000

/** What the launcher knows of a rank. */
interface Member {
  readonly rank: number
  readonly process: RankProcess
  channel: Channel | null
  hello: Hello | null
  description: RankDescription | null
  address: string | null
  where: Whereabouts
  readonly pending: Map<number, Reply>
}

type Reply = (message: FromRank, payload: Uint8Array<ArrayBuffer>) => void

/**
 * Starts a process per rank and joins them. The first fault, whoever tells of it, ends all: every pending call gets
 * it, every rank is woken from its wait and told, then terminated. Ranks, sockets and memory never outlive the group.
 */
export const launchProcesses =
  (workload: Workload, options: ProcessOptions): TaskEither<Fault, RankGroup> =>
  async () => {
    const joined = await prepareLink(workload, options.link)
    if (E.isLeft(joined)) return joined
    const { plan, arena } = joined.right
    const strangers = new Set<Socket>()
    const listening = await listen((socket) => welcome(socket))
    if (E.isLeft(listening)) {
      arena?.close()
      return listening
    }
    const listener = listening.right

    const verdict = makeVerdict()
    const token = makeToken()
    const everybodyReady = deferred<void>()
    const encoded = new TextEncoder().encode(JSON.stringify(workload.encoded))
    const members: readonly Member[] = Array.from({ length: workload.ranks }, (_, rank) => start(rank))
    let requests = 0
    let isClosing = false
    let tornDown: Promise<void> | null = null
    const stopWatching = watch(members.map(({ process: { pid }, rank }) => ({ rank, pid })), {
      whereabouts,
      allowed: (rank) => {
        if (members[rank]!.description === null) return Math.max(options.timeout, startTimeout)
        return members[rank]!.pending.size > 0 ? options.timeout : null
      },
      place: placeOf,
      fault: (fault) => void fail(fault)
    })
    const removeSignals = onSignals(
      (signal) => fail(closed(`the session was stopped by ${signal}`)),
      () => members.forEach((member) => member.process.kill('SIGKILL'))
    )

    const ready = await verdict.orFault(() => everybodyReady.promise.then(() => E.right<Fault, void>(undefined)))
    if (E.isLeft(ready)) {
      await tearDown()
      return ready
    }
    return E.right({
      link: plan.kind,
      ranks: members.map((member) => member.description!),
      write: (rank, values) => () => request(rank, 'write', values, () => E.right(undefined)),
      run: (rank, inputs) => () => request(rank, 'run', inputs, runOf),
      close
    })

    function start(rank: number): Member {
      const runtime = options.runtimes[rank % options.runtimes.length] ?? 'node'
      const entry = options.entry ?? new URL(import.meta.url.endsWith('.ts') ? './rank.ts' : './rank.js', import.meta.url)
      const member: Member = {
        rank,
        process: spawnRank({ runtime, entry, address: listener.address, rank, token }),
        channel: null,
        hello: null,
        description: null,
        address: null,
        where: { position: nowhere, moves: 0 },
        pending: new Map()
      }
      void member.process.ended.then((cause) => fail({ tag: 'RankDied', rank, step: placeOf(rank), cause }))
      return member
    }

    /** Listens to a new connection until it has said, with the token, which rank it is; anything else is cut off. */
    function welcome(socket: Socket): void {
      let member: Member | null = null
      strangers.add(socket)
      const channel = openChannel(socket, 'a rank', strangerLimits, {
        message: (json, payload) => {
          if (member !== null) return onMessage(member, json, payload)
          member = introduce(json)
          if (member === null) return channel.close()
          strangers.delete(socket)
          channel.allow(peerLimits)
          member.channel = channel
          void tell(member, { kind: 'load', backend: options.backend, link: plan, timeout: options.timeout, outputs: options.outputsOf(member.rank) }, [encoded])
        },
        end: (fault) => {
          strangers.delete(socket)
          if (member === null) return
          if (fault !== null) return void fail(ofRank(member.rank, fault))
          // Its process's end tells more, if that is why; give it the time to come.
          const cause = 'it closed its connection to the launcher'
          echo({ tag: 'RankDied', rank: member.rank, step: placeOf(member.rank), cause })
        }
      })
    }

    function introduce(json: unknown): Member | null {
      const hello = decodeWith('message from a rank', Hello, json)
      if (E.isLeft(hello) || hello.right.token !== token) return null
      const member = members[hello.right.rank]
      if (member === undefined || member.hello !== null) return null
      member.hello = hello.right
      return member
    }

    function onMessage(member: Member, json: unknown, payload: Uint8Array<ArrayBuffer>): void {
      const decoded = decodeWith(`message from rank ${member.rank}`, FromRank, json)
      if (E.isLeft(decoded)) return void fail(decoded.left)
      const message = decoded.right
      switch (message.kind) {
        case 'listening':
          member.address = message.address
          return introducePeers()
        case 'ready':
          return onReady(member, message.hash, message.backend)
        case 'at':
          member.where = { position: message.position, moves: member.where.moves + 1 }
          return
        case 'fault':
          return onFault(member, message.fault)
        case 'written':
        case 'ran': {
          const reply = member.pending.get(message.id)
          member.pending.delete(message.id)
          return reply?.(message, payload)
        }
      }
    }

    function introducePeers(): void {
      const addresses = members.flatMap(({ address }) => (address === null ? [] : [address]))
      if (addresses.length === members.length) for (const member of members) void tell(member, { kind: 'peers', addresses })
    }

    function onReady(member: Member, hash: string, backend: RankDescription['backend']): void {
      if (hash !== workload.hash) {
        const [mine, theirs] = [workload.hash, hash].map((text) => `plan ${text.slice(0, 12)}`)
        return void fail({ tag: 'Mismatch', rank: member.rank === 0 ? 1 : 0, peer: member.rank, mine: mine!, theirs: theirs! })
      }
      const { pid, runtime } = member.hello!
      member.description = { rank: member.rank, runtime, pid, backend }
      if (members.every(({ description }) => description !== null)) everybodyReady.resolve()
    }

    /** Of what a rank tells, some is only the echo of what happened to another one, and waits for that to be told. */
    function onFault(member: Member, fault: Fault): void {
      const isEcho = fault.tag === 'Closed' || (fault.tag === 'RankDied' && fault.rank !== member.rank)
      if (isEcho) echo(fault)
      else void fail(fault.tag === 'Timeout' ? blame(fault) : fault)
    }

    /** Who waits too long for others is not the one to blame, if one of the others is still at work on something. */
    function blame(timeout: Extract<Fault, { tag: 'Timeout' }>): Fault {
      const culprit = members.find(({ rank, pending }) => {
        const step = workload.programOf(rank).steps[whereabouts(rank).position]
        return pending.size > 0 && step !== undefined && step.kind !== 'exchange'
      })
      if (culprit === undefined) return timeout
      const { rank } = culprit
      return { tag: 'RankHung', rank, step: placeOf(rank), milliseconds: timeout.milliseconds }
    }

    function echo(fault: Fault): void {
      setTimeout(() => void fail(fault), echoDelay)
    }

    function tell(member: Member, message: ToRank, payload?: readonly Uint8Array[]): Promise<void> {
      return member.channel?.send(message, payload) ?? Promise.resolve()
    }

    function request<A>(
      rank: number,
      kind: 'write' | 'run',
      values: NamedElements,
      read: (message: FromRank, payload: Uint8Array<ArrayBuffer>) => E.Either<Fault, A>
    ): Promise<E.Either<Fault, A>> {
      const id = ++requests
      const { parts, payload } = packElements(values)
      return verdict.orFault(
        () =>
          new Promise((resolve) => {
            members[rank]!.pending.set(id, (message, received) => resolve(read(message, received)))
            void tell(members[rank]!, { kind, id, parts }, payload)
          })
      )
    }

    function whereabouts(rank: number): Whereabouts {
      return arena?.whereabouts(rank) ?? members[rank]!.where
    }

    function placeOf(rank: number): string {
      if (members[rank]?.description == null) return 'while getting ready'
      return doing(workload.programOf(rank), whereabouts(rank).position)
    }

    /** The first fault ends the group; an orderly end is none. */
    async function fail(fault: Fault): Promise<void> {
      if (isClosing || !verdict.fail(fault)) return
      const message = sentence(fault)
      arena?.abort(message)
      for (const member of members) void tell(member, { kind: 'abort', message })
      await tearDown()
    }

    async function close(): Promise<void> {
      if (verdict.fail(closed('the session was closed'))) {
        isClosing = true
        for (const member of members) void tell(member, { kind: 'close' })
        await within(grace, everybodyGone())
      }
      await tearDown()
    }

    function everybodyGone(): Promise<unknown> {
      return Promise.all(members.map((member) => member.process.ended))
    }

    function tearDown(): Promise<void> {
      tornDown ??= tearDownNow()
      return tornDown
    }

    async function tearDownNow(): Promise<void> {
      stopWatching()
      // A stopped process would not even see a SIGTERM.
      for (const { process: { pid, kill } } of members) if (pid !== undefined && isStopped(pid)) kill('SIGKILL')
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        for (const member of members) if (member.process.isAlive()) member.process.kill(signal)
        await within(grace, everybodyGone())
      }
      for (const member of members) member.channel?.close()
      for (const socket of strangers) socket.destroy()
      await listener.close()
      arena?.close()
      removeSignals()
    }
  }

const runOf = (message: FromRank, payload: Uint8Array<ArrayBuffer>): E.Either<Fault, RankRun> => {
  if (message.kind !== 'ran') return E.left(closed('a rank gave a wrong answer'))
  const { sent, times } = message
  return E.map((outputs: NamedElements): RankRun => ({ outputs, sent, times }))(unpackElements(message.parts, payload))
}

const ofRank = (rank: number, fault: Fault): Fault =>
  fault.tag === 'Malformed' ? { ...fault, what: `message from rank ${rank}` } : fault

/** The link that the ranks will be told to use, and the arena if that is shared memory. */
const prepareLink = async (
  workload: Workload,
  link: LinkName
): Promise<E.Either<Fault, { readonly plan: LinkPlan; readonly arena: ArenaOwner | null }>> => {
  const { ranks } = workload
  if (ranks === 1) return E.right({ plan: { kind: 'none' }, arena: null })
  let capacity = 0
  for (let rank = 0; rank < ranks; rank++) capacity = Math.max(capacity, largestExchange(workload.programOf(rank), capacityFor))
  if (link !== 'socket') {
    const arena = await createArena(ranks, capacity)
    if (E.isRight(arena)) return E.right({ plan: { kind: 'shared-memory', arena: arena.right.address }, arena: arena.right })
    if (link === 'shared-memory') return arena
  }
  return E.right({ plan: { kind: 'socket', capacity }, arena: null })
}

const deferred = <A>(): { readonly promise: Promise<A>; readonly resolve: (value: A) => void } => {
  let resolve: (value: A) => void = () => undefined
  const promise = new Promise<A>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Waits for something, but not for ever. */
const within = async (milliseconds: number, awaited: Promise<unknown>): Promise<void> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([awaited, new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)))])
  clearTimeout(timer)
}
