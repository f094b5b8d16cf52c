import type { Socket } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import { decodeWith } from '../codec.ts'
import type { Fault } from '../fault.ts'
import { type Channel, openChannel, peerLimits, strangerLimits } from './control.ts'
import type { RankDescription } from './group.ts'
import { nowhere, type Whereabouts } from './link/arena.ts'
import { FromRank, Hello, ToRank } from './messages.ts'
import type { RankProcess } from './spawn.ts'

/** The launcher's side of the conversation with its ranks: who has come, what they say, what they are asked. */
export interface Roster {
  readonly members: readonly Member[]
  /** Takes a new connection: a rank's, or that of somebody who will be cut off. */
  readonly welcome: (socket: Socket) => void
  readonly tellAll: (message: ToRank) => void
  /** Asks a rank for something and waits for the answer, however long. */
  readonly ask: (rank: number, request: Request, payload: readonly Uint8Array[]) => Promise<Answer>
  readonly close: () => void
}

export interface Member {
  readonly rank: number
  readonly process: RankProcess
  channel: Channel | null
  hello: Hello | null
  description: RankDescription | null
  /** Where it listens for the other ranks, if they are joined by sockets. */
  address: string | null
  /** Where it said it is, if there is no shared memory to see it. */
  where: Whereabouts
  readonly pending: Map<number, (answer: Answer) => void>
}

type Unnumbered<A> = A extends unknown ? Omit<A, 'id'> : never
export type Request = Unnumbered<Extract<ToRank, { id: number }>>
export interface Answer {
  readonly message: Extract<FromRank, { id: number }>
  readonly payload: Uint8Array<ArrayBuffer>
}

export interface RosterHandler {
  /** The first message for a rank that has come. */
  readonly greeting: (rank: number) => { readonly message: ToRank; readonly payload: readonly Uint8Array[] }
  /** The plan that all ranks must hold. */
  readonly hash: string
  readonly allReady: () => void
  readonly fault: (member: Member, fault: Fault) => void
  /** A rank's control socket has closed. */
  readonly gone: (member: Member) => void
}

export const makeRoster = (processes: readonly RankProcess[], token: string, on: RosterHandler): Roster => {
  const strangers = new Set<Socket>()
  const members = processes.map((process, rank): Member => ({
    rank,
    process,
    channel: null,
    hello: null,
    description: null,
    address: null,
    where: { position: nowhere, moves: 0 },
    pending: new Map(),
  }))
  let requests = 0

  const tell = (member: Member, message: ToRank, payload?: readonly Uint8Array[]): void =>
    void member.channel?.send(ToRank.encode(message), payload)
  const tellAll = (message: ToRank): void => members.forEach((member) => tell(member, message))

  /** The rank that a first message is from, if it knows the token and nobody has said the same before. */
  const introduce = (json: unknown): Member | null => {
    const hello = decodeWith('message from a rank', Hello, json)
    if (E.isLeft(hello) || hello.right.token !== token) return null
    const member = members[hello.right.rank]
    if (member === undefined || member.hello !== null) return null
    member.hello = hello.right
    return member
  }

  const welcome = (socket: Socket): void => {
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
        const greeting = on.greeting(member.rank)
        tell(member, greeting.message, greeting.payload)
      },
      end: (fault) => {
        strangers.delete(socket)
        if (member === null) return
        if (fault === null) on.gone(member)
        else {on.fault(
            member,
            fault.tag === 'Malformed' ? { ...fault, what: `message from rank ${member.rank}` } : fault,
          )}
      },
    })
  }

  const onMessage = (member: Member, json: unknown, payload: Uint8Array<ArrayBuffer>): void => {
    const decoded = decodeWith(`message from rank ${member.rank}`, FromRank, json)
    if (E.isLeft(decoded)) return on.fault(member, decoded.left)
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
        return on.fault(member, message.fault)
      case 'written':
      case 'ran':
      case 'values': {
        const answer = member.pending.get(message.id)
        member.pending.delete(message.id)
        return answer?.({ message, payload })
      }
    }
  }

  const introducePeers = (): void => {
    const addresses = members.flatMap(({ address }) => (address === null ? [] : [address]))
    if (addresses.length === members.length) tellAll({ kind: 'peers', addresses })
  }

  const onReady = (member: Member, hash: string, backend: RankDescription['backend']): void => {
    if (hash !== on.hash) {
      const name = (of: string): string => `plan ${of.slice(0, 12)}`
      const other = member.rank === 0 ? 1 : 0
      return on.fault(member, {
        tag: 'Mismatch',
        rank: other,
        peer: member.rank,
        mine: name(on.hash),
        theirs: name(hash),
      })
    }
    const { pid, runtime } = member.hello!
    member.description = { rank: member.rank, runtime, pid, backend }
    if (members.every(({ description }) => description !== null)) on.allReady()
  }

  return {
    members,
    welcome,
    tellAll,
    ask: (rank, request, payload) =>
      new Promise((resolve) => {
        const id = ++requests
        members[rank]!.pending.set(id, resolve)
        tell(members[rank]!, { ...request, id }, payload)
      }),
    close: () => {
      for (const { channel } of members) channel?.close()
      for (const socket of strangers) socket.destroy()
    },
  }
}
