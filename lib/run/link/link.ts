import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Fault } from '../../fault.ts'

/**
 * What joins ranks: one message to each peer and one from each, all sizes known beforehand. Three links keep this
 * promise: shared memory (Linux, FFI), sockets (everywhere), and within one process.
 */
export interface Link {
  readonly rank: number
  readonly ranks: number
  readonly sent: Counter
  /**
   * Meets the peers in one collective. `pack` fills the outgoing messages and `unpack` uses the incoming ones, both in
   * place: with shared memory the views given to them are the outboxes themselves. Between the two, the step of every
   * peer that sends is compared with this one; where they differ nothing is unpacked. One exchange at a time. `turn` is told
   * what the rank turns to meanwhile.
   */
  readonly exchange: (
    step: Step,
    sends: readonly Message[],
    receives: readonly Message[],
    pack: (outgoing: (send: number) => Uint8Array) => TaskEither<Fault, void>,
    unpack: (incoming: (receive: number) => Uint8Array) => TaskEither<Fault, void>,
    turn?: Turn,
  ) => TaskEither<Fault, void>
  /** Sleeps about so many milliseconds, between exchanges or while packing. An abort ends the sleep at once, with its fault. */
  readonly pause: (milliseconds: number) => Promise<Fault | null>
  /** Ends every exchange, here and at all peers, now and later, with a `Closed` fault of this message. */
  readonly abort: (message: string) => void
  readonly close: () => Promise<void>
}

/**
 * What a rank turns to in an exchange: `wait` for peers to have read what was sent before, `pack`, `wire` while its messages
 * leave, `wait` for the last peer to have sent its own, `wire` again while that is still on its way, `unpack`. `since` is a
 * moment that has passed already.
 */
export type Turn = (activity: 'pack' | 'wire' | 'wait' | 'unpack', since?: number) => void
export const unobserved: Turn = () => undefined

/** The collective a rank is in. Peers compare `sequence`, `name` and `signature`; `label` is for people. */
export interface Step {
  /** Counts the exchanges of a link from 1, over all runs. */
  readonly sequence: number
  readonly name: string
  readonly signature: string
  readonly label: string
}

/** A part of what goes to or comes from a peer. Parts for the same peer travel in one message, in this order. */
export interface Message {
  readonly peer: number
  readonly bytes: number
}

/** Payload bytes sent since the link was opened. */
export interface Counter {
  readonly total: () => number
  readonly toPeer: (peer: number) => number
}

export interface LinkOptions {
  /** The longest wait inside one exchange, in milliseconds. */
  readonly timeout: number
}

/** A step as both ends can compare it: a number for equality, a text for the message when it differs. */
export interface Stamp {
  readonly sequence: number
  readonly hash: number
  readonly text: string
}

export const maximumStampText = 320

/** FNV-1a over UTF-16 units: enough to tell an honest mistake, which is all that this guards against. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash | 0
}

export const stampOf = (step: Step): Stamp => ({
  sequence: step.sequence,
  hash: hashOf(`${step.name}\n${step.signature}`),
  text: step.label === '' ? `#${step.sequence} ${step.name}` : step.label,
})

export const sameStamp = (a: Stamp, b: Stamp): boolean => a.sequence === b.sequence && a.hash === b.hash

/** The fault of a rank that met a peer in another step, or found a message of another size. */
export const mismatch = (
  rank: number,
  peer: number,
  mine: Stamp,
  theirs: Stamp,
  bytes: { readonly expected: number; readonly got: number },
): Fault => {
  const at = (mineText: string, theirsText: string): Fault => ({
    tag: 'Mismatch',
    rank,
    peer,
    mine: mineText,
    theirs: theirsText,
  })
  if (sameStamp(mine, theirs)) {
    return at(
      `${mine.text} and expects ${bytes.expected} bytes`,
      `${theirs.text} with ${bytes.got} bytes for rank ${rank}`,
    )
  }
  if (mine.text !== theirs.text) return at(mine.text, theirs.text)
  const told = (stamp: Stamp): string => `${stamp.text} (exchange ${stamp.sequence}, signature ${(stamp.hash >>> 0).toString(16)})`
  return at(told(mine), told(theirs))
}

/** Where parts lie inside messages: the bytes of each peer's message, and each part's offset in it. */
export interface MessagePlan {
  readonly peers: readonly number[]
  readonly bytesOf: readonly number[]
  /** Per part: which of `peers` it belongs to (-1 for an empty part), and where it starts. */
  readonly parts: readonly { readonly at: number; readonly offset: number; readonly bytes: number }[]
}

/** Joins the parts of each peer; a peer that gets no bytes gets no message. */
export const planMessages = (messages: readonly Message[]): MessagePlan => {
  const peers: number[] = []
  const bytesOf: number[] = []
  const parts = messages.map(({ peer, bytes }) => {
    if (bytes === 0) return { at: -1, offset: 0, bytes }
    let at = peers.indexOf(peer)
    if (at < 0) {
      at = peers.push(peer) - 1
      bytesOf.push(0)
    }
    const offset = bytesOf[at]!
    bytesOf[at] = offset + bytes
    return { at, offset, bytes }
  })
  return { peers, bytesOf, parts }
}

export const nothing = new Uint8Array(0)

/** A counter and the function that adds to it. */
export const makeCounter = (
  ranks: number,
): { readonly counter: Counter; readonly add: (peer: number, bytes: number) => void } => {
  const perPeer = new Float64Array(ranks)
  return {
    counter: {
      total: () => perPeer.reduce((sum, bytes) => sum + bytes, 0),
      toPeer: (peer) => perPeer[peer] ?? 0,
    },
    add: (peer, bytes) => {
      perPeer[peer] = perPeer[peer]! + bytes
    },
  }
}
