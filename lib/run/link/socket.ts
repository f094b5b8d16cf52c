import type { Socket } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import { closed, type Fault } from '../../fault.ts'
import { type Address, dial, listen } from './address.ts'
import { timedOut } from './arena.ts'
import { makePeer, type Peer } from './peer.ts'
import {
  type Link,
  type LinkOptions,
  makeCounter,
  mismatch,
  nothing,
  planMessages,
  sameStamp,
  type Stamp,
  stampOf,
  unobserved,
} from './link.ts'

/**
 * Ranks joined by sockets, every one with every other: no FFI, every system. Each rank listens first; once all
 * addresses are known a rank connects to the lower ranks and is connected to by the higher ones.
 */
export interface SocketOptions extends LinkOptions {
  /** The largest message there can be; a peer that announces more is not one of us. */
  readonly capacity: number
  /** The session's secret: whoever does not open with it is cut off. */
  readonly token: string
}

export interface PeerListener {
  readonly address: Address
  readonly join: (rank: number, addresses: readonly Address[], options: SocketOptions) => Promise<E.Either<Fault, Link>>
  readonly close: () => Promise<void>
}

const greetingBytes = 64

const greeting = (token: string, rank: number): string => `${token} ${rank} `.padEnd(greetingBytes)

/** Opens the place where higher ranks will connect; over TCP if that is asked for, as the system's network limits hold for it. */
export const listenForPeers = async (tcp?: boolean): Promise<E.Either<Fault, PeerListener>> => {
  const arrived: Socket[] = []
  let onArrival: (socket: Socket) => void = (socket) => void arrived.push(socket)
  const listener = await listen((socket) => {
    socket.on('error', () => undefined)
    onArrival(socket)
  }, tcp)
  if (E.isLeft(listener)) return listener

  const accept = (
    rank: number,
    count: number,
    options: SocketOptions,
    accepted: Map<number, Socket>,
  ): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), options.timeout)
      const finish = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
      if (count === 0) return finish()
      onArrival = async (socket) => {
        const text = await readGreeting(socket)
        const [token, from] = text.split(' ')
        const peer = Number(from)
        if (token !== options.token || !(peer > rank) || accepted.has(peer)) return void socket.destroy()
        accepted.set(peer, socket)
        if (accepted.size === count) finish()
      }
      for (const socket of arrived.splice(0)) onArrival(socket)
    })

  return E.right({
    address: listener.right.address,
    close: listener.right.close,
    join: async (rank, addresses, options) => {
      const sockets = new Map<number, Socket>()
      const accepting = accept(rank, addresses.length - 1 - rank, options, sockets)
      const dialled = await Promise.all(addresses.slice(0, rank).map(dial))
      const refused = dialled.find(E.isLeft)
      if (refused !== undefined) return refused
      const everybodyCame = await accepting
      void listener.right.close()
      if (!everybodyCame) {
        const late = addresses.flatMap((_, peer) => (peer > rank && !sockets.has(peer) ? [peer] : []))
        return E.left(timedOut(rank, 'joining the ranks', late, options.timeout))
      }
      for (const [peer, socket] of dialled.entries()) {
        if (E.isLeft(socket)) continue
        socket.right.write(greeting(options.token, rank))
        sockets.set(peer, socket.right)
      }
      return E.right(socketLink(rank, addresses.length, sockets, options))
    },
  })
}

const readGreeting = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    const onReadable = (): void => {
      const bytes: Buffer | null = socket.read(greetingBytes)
      if (bytes !== null) finish(bytes.toString('latin1'))
    }
    const finish = (text: string): void => {
      socket.removeListener('readable', onReadable)
      socket.removeListener('close', onClose)
      resolve(text)
    }
    const onClose = (): void => finish('')
    socket.on('readable', onReadable)
    socket.on('close', onClose)
  })

const socketLink = (
  rank: number,
  ranks: number,
  sockets: ReadonlyMap<number, Socket>,
  options: SocketOptions,
): Link => {
  const { counter, add } = makeCounter(ranks)
  let abortFault: Fault | null = null
  let wake: () => void = () => undefined
  let busy: Promise<unknown> = Promise.resolve()

  const peers: ReadonlyMap<number, Peer> = new Map(
    [...sockets].map(([peer, socket]) => [
      peer,
      makePeer(socket, rank, peer, options.capacity, {
        changed: () => wake(),
        aborted: (message) => {
          abortFault ??= closed(message)
          wake()
        },
      }),
    ]),
  )

  /** Sleeps until something is so or the time is up; `until` may also find a fault. */
  const sleep = async (milliseconds: number, until: () => Fault | boolean): Promise<Fault | null> => {
    const end = performance.now() + milliseconds
    for (;;) {
      if (abortFault !== null) return abortFault
      const found = until()
      if (typeof found !== 'boolean') return found
      const left = end - performance.now()
      if (found || left <= 0) return null
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Sleeps until each of the given peers is ready, or one has failed, or all are aborted. */
  const waitFor = async (which: readonly number[], ready: (peer: Peer) => boolean, text: string): Promise<Fault | null> => {
    let late = which
    const fault = await sleep(options.timeout, () => {
      late = late.filter((peer) => !ready(peers.get(peer)!))
      return late.map((peer) => peers.get(peer)!.failure(text)).find((failure) => failure !== null) ?? late.length === 0
    })
    return fault ?? (late.length === 0 ? null : timedOut(rank, text, late, options.timeout))
  }

  const check = (stamp: Stamp, peer: number, expected: number): Fault | null => {
    const frame = peers.get(peer)!.front()
    const got = frame.payload.byteLength
    return sameStamp(stamp, frame.stamp) && got === expected ? null : mismatch(rank, peer, stamp, frame.stamp, { expected, got })
  }

  const exchange = async (
    ...[step, sends, receives, pack, unpack, turn = unobserved]: Parameters<Link['exchange']>
  ): Promise<E.Either<Fault, void>> => {
    const stamp = stampOf(step)
    const outgoing = planMessages(sends)
    const incoming = planMessages(receives)
    turn('wait')
    const unsent = await waitFor(outgoing.peers, (peer) => peer.canWrite(stamp.sequence), stamp.text)
    if (unsent !== null) return E.left(unsent)
    const boxes = outgoing.peers.map((peer, i) => peers.get(peer)!.outgoing(stamp.sequence, outgoing.bytesOf[i]!))
    turn('pack')
    const packed = await pack((send) => {
      const part = outgoing.parts[send]!
      return part.at < 0 ? nothing : boxes[part.at]!.subarray(part.offset, part.offset + part.bytes)
    })()
    if (E.isLeft(packed)) return packed
    turn('wire')
    outgoing.peers.forEach((peer, i) => {
      peers.get(peer)!.send(stamp)
      add(peer, outgoing.bytesOf[i]!)
    })

    turn('wait')
    const late = await waitFor(incoming.peers, (peer) => peer.hasFrame(), stamp.text)
    if (late !== null) return E.left(late)
    turn('wire', incoming.peers.reduce((last, peer) => Math.max(last, peers.get(peer)!.front().sent), 0))
    for (const [i, peer] of incoming.peers.entries()) {
      const fault = check(stamp, peer, incoming.bytesOf[i]!)
      if (fault !== null) return E.left(fault)
    }
    turn('unpack')
    const unpacked = await unpack((receive) => {
      const part = incoming.parts[receive]!
      if (part.at < 0) return nothing
      return peers.get(incoming.peers[part.at]!)!.front().payload.subarray(part.offset, part.offset + part.bytes)
    })()
    for (const peer of incoming.peers) peers.get(peer)!.drop()
    return unpacked
  }

  return {
    rank,
    ranks,
    sent: counter,
    exchange: (...step) => () => {
      const running = exchange(...step)
      busy = running.catch(() => undefined)
      return running
    },
    pause: (milliseconds) => sleep(milliseconds, () => false),
    abort: (message) => {
      if (abortFault !== null) return
      abortFault = closed(message)
      for (const peer of peers.values()) peer.abort(message)
      wake()
    },
    close: async () => {
      abortFault ??= closed('the link is closed')
      wake()
      await busy
      await Promise.all([...peers.values()].map((peer) => peer.close()))
    },
  }
}
