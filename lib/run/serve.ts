import process from 'node:process'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend, BackendName } from '#backends/mod.ts'
import { decodeWith } from '../codec.ts'
import { type Fault, sentence } from '../fault.ts'
import type { RankProgram } from '../kernel/kernel.ts'
import { openChannel, peerLimits } from './control.ts'
import { doing, type Executor, makeExecutor, places, type Position } from './executor.ts'
import { dial, tokenVariable } from './link/address.ts'
import type { Link } from './link/link.ts'
import { openArena } from './link/shared-memory.ts'
import { listenForPeers, type PeerListener } from './link/socket.ts'
import { throttled } from './link/throttled.ts'
import { type FromRank, type Hello, packElements, ToRank, unpackElements } from './messages.ts'
import type { Workload } from './workload.ts'

/** What a rank's process is made of; everything else comes from the launcher. */
export interface Parts {
  readonly decode: (json: unknown) => E.Either<Fault, Workload>
  readonly open: (backend: BackendName) => TaskEither<Fault, Backend>
}

type Message<K extends ToRank['kind']> = Extract<ToRank, { kind: K }>
type Result = E.Either<Fault, void>

/**
 * The life of a rank's process: says hello at the launcher's address, is told what to be, answers until it is told to
 * close. It reports a fault before it ends, and it ends when its control socket does, so ranks never outlive a session.
 */
export const serveRank = async (parts: Parts, address: string, rank: number): Promise<void> => {
  const socket = await dial(address)
  if (E.isLeft(socket)) return leave(1, sentence(socket.left))

  let program: RankProgram | null = null
  let here: number = places.idle
  let link: Link | null = null
  let listener: PeerListener | null = null
  let backend: Backend | null = null
  let executor: Executor | null = null
  let load: Message<'load'> | null = null
  let workload: Workload | null = null

  const say = (message: FromRank | Hello, payload?: readonly Uint8Array[]): Promise<void> => channel.send(message, payload)
  const sayPosition: Position = (position) => void say({ kind: 'at', position })
  const where = (): string => (program === null ? 'while getting ready' : doing(program, here))

  const give = async (fault: Fault): Promise<void> => {
    // A launcher that doesn't read must not keep a rank that has failed.
    await Promise.race([say({ kind: 'fault', fault }), new Promise((resolve) => setTimeout(resolve, 200))])
    leave(1)
  }
  const failed = (cause: unknown): Fault => ({
    tag: 'RankFailed',
    rank,
    step: where(),
    cause: cause instanceof Error ? cause.message : String(cause),
  })
  process.on('uncaughtException', (error) => void give(failed(error)))
  process.on('unhandledRejection', (reason) => void give(failed(reason)))
  // A terminal's Ctrl-C reaches the whole group; the launcher is the one who acts on it.
  process.on('SIGINT', () => undefined)

  const makeReady = async (position: Position): Promise<Result> => {
    const opened = await parts.open(load!.backend)()
    if (E.isLeft(opened)) return E.left(ofRank(rank, opened.left))
    backend = opened.right
    program = workload!.programOf(rank)
    const loaded = await backend.load(program)()
    if (E.isLeft(loaded)) return E.left(ofRank(rank, loaded.left))
    executor = makeExecutor(program, loaded.right, link, (place) => {
      here = place
      position(place)
    }, { debug: load!.debug, spans: load!.spans })
    await say({ kind: 'ready', hash: workload!.hash, backend: backend.describe })
    return E.right(undefined)
  }

  const onLoad = async (message: Message<'load'>, payload: Uint8Array): Promise<Result> => {
    const decoded = parts.decode(JSON.parse(new TextDecoder().decode(payload)))
    if (E.isLeft(decoded)) return decoded
    load = message
    workload = decoded.right
    const { timeout, throttle } = message
    switch (message.link.kind) {
      case 'none':
        return makeReady(sayPosition)
      case 'shared-memory': {
        const opened = await openArena(message.link.arena, rank, { timeout })
        if (E.isLeft(opened)) return opened
        link = throttle === null ? opened.right : throttled(opened.right, throttle)
        return makeReady(opened.right.setPosition)
      }
      case 'socket':
      case 'tcp': {
        const listening = await listenForPeers(message.link.kind === 'tcp' ? true : undefined)
        if (E.isLeft(listening)) return listening
        listener = listening.right
        await say({ kind: 'listening', address: listener.address })
        return E.right(undefined)
      }
    }
  }

  const onPeers = async ({ addresses }: Message<'peers'>): Promise<Result> => {
    if (listener === null || (load?.link.kind !== 'socket' && load?.link.kind !== 'tcp')) return E.left(unexpected(rank, 'peers'))
    const { timeout, throttle, link: { capacity } } = load
    const joined = await listener.join(rank, addresses, { timeout, capacity, token })
    if (E.isLeft(joined)) return joined
    link = throttle === null ? joined.right : throttled(joined.right, throttle)
    return makeReady(sayPosition)
  }

  const onValues = async (message: Message<'write' | 'run'>, payload: Uint8Array<ArrayBuffer>): Promise<Result> => {
    if (executor === null || load === null) return E.left(unexpected(rank, message.kind))
    const values = unpackElements(message.parts, payload)
    if (E.isLeft(values)) return values
    if (message.kind === 'write') {
      const written = await executor.write(values.right)()
      if (E.isRight(written)) await say({ kind: 'written', id: message.id })
      return written
    }
    const ran = await executor.run(values.right, load.outputs)()
    if (E.isLeft(ran)) return ran
    const packed = packElements(ran.right.outputs)
    const { sent, times, spans } = ran.right
    await say({ kind: 'ran', id: message.id, parts: packed.parts, sent, times, spans }, packed.payload)
    return E.right(undefined)
  }

  const onRead = async ({ id, names }: Message<'read'>): Promise<Result> => {
    if (executor === null) return E.left(unexpected(rank, 'read'))
    const values = await executor.read(names)()
    if (E.isLeft(values)) return values
    const { parts, payload } = packElements(values.right)
    await say({ kind: 'values', id, parts }, payload)
    return E.right(undefined)
  }

  const onClose = async (): Promise<never> => {
    await link?.close()
    await backend?.close()
    return leave(0)
  }

  const answer = (message: ToRank, payload: Uint8Array<ArrayBuffer>): Promise<Result> => {
    switch (message.kind) {
      case 'load':
        return onLoad(message, payload)
      case 'peers':
        return onPeers(message)
      case 'write':
      case 'run':
        return onValues(message, payload)
      case 'read':
        return onRead(message)
      case 'abort':
      case 'close':
        return onClose()
    }
  }

  let last: Promise<unknown> = Promise.resolve()
  const take = (json: unknown, payload: Uint8Array<ArrayBuffer>): void => {
    const message = decodeWith('message from the launcher', ToRank, json)
    if (E.isLeft(message)) return void give(message.left)
    // An abort overtakes what is under way: it ends the exchange that the rank may be waiting in.
    if (message.right.kind === 'abort') link?.abort(message.right.message)
    last = last.then(async () => {
      const result = await answer(message.right, payload).catch((error: unknown) => E.left(failed(error)))
      if (E.isLeft(result)) await give(result.left)
    })
  }

  const token = process.env[tokenVariable] ?? ''
  const channel = openChannel(socket.right, 'the launcher', peerLimits, {
    message: take,
    end: (fault) => leave(1, fault === null ? undefined : sentence(fault)),
  })
  await say({
    kind: 'hello',
    token,
    rank,
    pid: process.pid,
    runtime: process.versions['deno'] === undefined ? `node ${process.versions.node}` : `deno ${process.versions['deno']}`,
  })
}

const leave = (code: number, message?: string): never => {
  if (message !== undefined) process.stderr.write(`${message}\n`)
  process.exit(code)
}

/** A backend doesn't know which rank it serves. */
const ofRank = (rank: number, fault: Fault): Fault => (fault.tag === 'Device' ? { ...fault, rank } : fault)

const unexpected = (rank: number, kind: string): Fault => ({
  tag: 'Malformed',
  what: 'message from the launcher',
  path: 'kind',
  expected: `a message that rank ${rank} can answer now`,
  got: kind,
})
