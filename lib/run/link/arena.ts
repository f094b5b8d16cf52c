import * as E from 'fp-ts/lib/Either.js'
import { closed, type Fault } from '../../fault.ts'
import { now } from '../timeline.ts'
import {
  type Link,
  type LinkOptions,
  makeCounter,
  maximumStampText,
  type MessagePlan,
  mismatch,
  nothing,
  planMessages,
  sameStamp,
  type Stamp,
  stampOf,
  unobserved,
} from './link.ts'

/**
 * The protocol of ranks that see the same memory: a control page with a line of words per rank, and two outboxes per
 * rank. A rank writes its messages into its own outbox of the step's parity, publishes the step's number, and reads
 * the peers' outboxes in place. An outbox is written again two steps later, once all its readers said they are done;
 * in a symmetric exchange they have said so by then, and one wait per step is enough.
 *
 * Where the memory comes from, and how one rank wakes another, is up to the two users of this file: one process
 * (`local.ts`) or several (`shared-memory.ts`).
 */
export interface Arena {
  readonly ranks: number
  /** Bytes for messages in each outbox. */
  readonly capacity: number
  readonly control: ArrayBuffer
  readonly outbox: (rank: number, parity: 0 | 1) => ArrayBuffer
  readonly bells: Bells
}

/** How a rank sleeps until its bell word changes, and how others wake it. Early and spurious wake-ups are fine. */
export interface Bells {
  readonly wait: (rank: number, seen: number, milliseconds: number) => Promise<void>
  readonly wake: (rank: number) => void
}

const pageBytes = 4096
const roundUp = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit

// The control page: words for all, the reason of an abort, then one line per rank.
const abortWord = 0
const abortLength = 1
const abortText = { offset: 16, bytes: 1008 }
const lines = 1024
const lineBytes = 256
/**
 * Words of a rank's line: the last step it published, the last one it has finished reading, its bell, whether it
 * sleeps, and, for the launcher, where it is in its program and how often that changed. The line's end is for the
 * bells' own use.
 */
const word = { published: 0, consumed: 1, bell: 2, asleep: 3, position: 4, moves: 5 } as const
export const scratchOffset = (rank: number): number => lines + rank * lineBytes + 192
export const bellOffset = (rank: number): number => lines + rank * lineBytes + 4 * word.bell
const wordAt = (rank: number, which: number): number => (lines + rank * lineBytes) / 4 + which

// An outbox: stamp words, when it was published, a table of (offset, bytes) per peer, the stamp's text, then messages.
const publishedOffset = 16
const tableOffset = 64
const textOffset = (ranks: number): number => tableOffset + 16 * ranks
const messagesOffset = (ranks: number): number => roundUp(textOffset(ranks) + maximumStampText, 256)
/** Messages start at multiples of this, so that they can be read as any element type and copied by whole lines. */
const messageAlignment = 64

export const controlBytes = (ranks: number): number => roundUp(lines + ranks * lineBytes, pageBytes)
export const outboxBytes = (ranks: number, capacity: number): number => roundUp(messagesOffset(ranks) + capacity, pageBytes)

/** The capacity that an outbox needs for one exchange. */
export const capacityFor = (bytesOf: readonly number[]): number => bytesOf.reduce((sum, bytes) => sum + roundUp(bytes, messageAlignment), 0)

/** A wait is cut in slices, so that a wake-up that got lost, or a launcher that died, costs no more than this. */
const slice = 100

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Aborts a world through its control page: the first message wins, everybody is woken. */
export const abortArena = (arena: Pick<Arena, 'ranks' | 'control' | 'bells'>, message: string): void => {
  const words = new Int32Array(arena.control)
  if (Atomics.compareExchange(words, abortWord, 0, 1) !== 0) return
  const text = new Uint8Array(arena.control, abortText.offset, abortText.bytes)
  Atomics.store(words, abortLength, encoder.encodeInto(message, text).written)
  Atomics.store(words, abortWord, 2)
  for (let rank = 0; rank < arena.ranks; rank++) {
    Atomics.add(words, wordAt(rank, word.bell), 1)
    arena.bells.wake(rank)
  }
}

const abortOf = (control: ArrayBuffer, words: Int32Array): Fault | null => {
  if (Atomics.load(words, abortWord) !== 2) return null
  // A copy: TextDecoder refuses shared memory in some runtimes.
  const text = new Uint8Array(control, abortText.offset, Atomics.load(words, abortLength)).slice()
  return closed(decoder.decode(text))
}

/** Where a rank is in its program, and a number that changes whenever that does. */
export interface Whereabouts {
  readonly position: number
  readonly moves: number
}

/** The position of a rank that is in no step. */
export const nowhere = -1

/** A rank's whereabouts in the control page, for whoever looks after it has died. */
export const whereaboutsIn = (control: ArrayBuffer, rank: number) => {
  const words = new Int32Array(control)
  return {
    get: (): Whereabouts => ({
      position: Atomics.load(words, wordAt(rank, word.position)),
      moves: Atomics.load(words, wordAt(rank, word.moves)),
    }),
    set: (position: number): void => {
      Atomics.store(words, wordAt(rank, word.position), position)
      Atomics.add(words, wordAt(rank, word.moves), 1)
    },
  }
}

/** One rank's end of an arena. */
export const arenaLink = (arena: Arena, rank: number, options: LinkOptions): Link => {
  const { ranks, control, bells, capacity } = arena
  const words = new Int32Array(control)
  const { counter, add } = makeCounter(ranks)
  const boxes = Array.from(
    { length: ranks },
    (_, owner) => ([0, 1] as const).map((parity) => outboxViews(arena.outbox(owner, parity), ranks)),
  )
  const readersOf: [readonly number[], readonly number[]] = [[], []]
  let busy: Promise<unknown> = Promise.resolve()
  let isClosed = false

  const ring = (peer: number): void => {
    Atomics.add(words, wordAt(peer, word.bell), 1)
    if (Atomics.load(words, wordAt(peer, word.asleep)) !== 0) bells.wake(peer)
  }

  /** Sleeps until something is so or the time is up; the bell is read first, so no ring is missed. */
  const sleep = async (milliseconds: number, until: () => boolean): Promise<Fault | null> => {
    const end = performance.now() + milliseconds
    try {
      for (;;) {
        const seen = Atomics.load(words, wordAt(rank, word.bell))
        Atomics.store(words, wordAt(rank, word.asleep), 1)
        if (isClosed) return closed('the link is closed')
        const abort = abortOf(control, words)
        if (abort !== null) return abort
        const left = end - performance.now()
        if (until() || left <= 0) return null
        await bells.wait(rank, seen, Math.min(slice, left))
      }
    } finally {
      Atomics.store(words, wordAt(rank, word.asleep), 0)
    }
  }

  /** Sleeps until the word of each peer has reached `sequence`. */
  const waitFor = async (peers: readonly number[], which: number, sequence: number, text: string): Promise<Fault | null> => {
    let late = peers
    const fault = await sleep(options.timeout, () => {
      late = late.filter((peer) => ((Atomics.load(words, wordAt(peer, which)) - sequence) | 0) < 0)
      return late.length === 0
    })
    return fault ?? (late.length === 0 ? null : timedOut(rank, text, late, options.timeout))
  }

  const publish = (stamp: Stamp, plan: MessagePlan, offsets: readonly number[]): void => {
    const box = boxes[rank]![stamp.sequence & 1]!
    box.table.fill(0)
    plan.peers.forEach((peer, i) => {
      box.table[2 * peer] = offsets[i]!
      box.table[2 * peer + 1] = plan.bytesOf[i]!
      add(peer, plan.bytesOf[i]!)
    })
    box.words[0] = stamp.sequence
    box.words[1] = stamp.hash
    box.words[2] = encoder.encodeInto(stamp.text, box.text).written
    box.published[0] = now()
    readersOf[stamp.sequence & 1] = plan.peers
    Atomics.store(words, wordAt(rank, word.published), stamp.sequence)
    for (const peer of plan.peers) ring(peer)
  }

  const check = (stamp: Stamp, peer: number, expected: number): Fault | null => {
    const box = boxes[peer]![stamp.sequence & 1]!
    const theirs = {
      sequence: box.words[0]!,
      hash: box.words[1]!,
      text: decoder.decode(box.text.slice(0, box.words[2])),
    }
    const got = box.table[2 * rank + 1]!
    return sameStamp(stamp, theirs) && got === expected ? null : mismatch(rank, peer, stamp, theirs, { expected, got })
  }

  const exchange = async (
    ...[step, sends, receives, pack, unpack, turn = unobserved]: Parameters<Link['exchange']>
  ): Promise<E.Either<Fault, void>> => {
    const stamp = stampOf(step)
    const parity = stamp.sequence & 1
    const outgoing = planMessages(sends)
    const incoming = planMessages(receives)
    if (isClosed) return E.left(closed('the link is closed'))
    turn('wait')
    const unread = await waitFor(readersOf[parity]!, word.consumed, stamp.sequence - 2, stamp.text)
    if (unread !== null) return E.left(unread)

    const box = boxes[rank]![parity]!
    const offsets: number[] = []
    let end = 0
    for (const bytes of outgoing.bytesOf) {
      offsets.push(end)
      end += roundUp(bytes, messageAlignment)
    }
    if (end > capacity) {
      const cause = `it sends ${end} bytes, but its outbox was made for ${capacity}`
      return E.left({ tag: 'RankFailed', rank, step: `in ${stamp.text}`, cause })
    }
    turn('pack')
    const packed = await pack((send) => {
      const part = outgoing.parts[send]!
      return part.at < 0 ? nothing : box.messages.subarray(offsets[part.at]! + part.offset, offsets[part.at]! + part.offset + part.bytes)
    })()
    if (E.isLeft(packed)) return packed
    turn('wire')
    publish(stamp, outgoing, offsets)
    turn('wait')
    const late = await waitFor(incoming.peers, word.published, stamp.sequence, stamp.text)
    if (late !== null) return E.left(late)
    turn('wire', incoming.peers.reduce((last, peer) => Math.max(last, boxes[peer]![parity]!.published[0]!), 0))
    for (const [i, peer] of incoming.peers.entries()) {
      const fault = check(stamp, peer, incoming.bytesOf[i]!)
      if (fault !== null) return E.left(fault)
    }
    turn('unpack')
    const unpacked = await unpack((receive) => {
      const part = incoming.parts[receive]!
      if (part.at < 0) return nothing
      const peer = boxes[incoming.peers[part.at]!]![parity]!
      const start = peer.table[2 * rank]! + part.offset
      return peer.messages.subarray(start, start + part.bytes)
    })()
    if (E.isLeft(unpacked)) return unpacked
    Atomics.store(words, wordAt(rank, word.consumed), stamp.sequence)
    for (const peer of incoming.peers) ring(peer)
    return E.right(undefined)
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
      if (!isClosed) abortArena(arena, message)
    },
    close: async () => {
      isClosed = true
      ring(rank)
      await busy
    },
  }
}

const outboxViews = (box: ArrayBuffer, ranks: number) => ({
  words: new Int32Array(box, 0, 3),
  published: new Float64Array(box, publishedOffset, 1),
  table: new Float64Array(box, tableOffset, 2 * ranks),
  text: new Uint8Array(box, textOffset(ranks), maximumStampText),
  messages: new Uint8Array(box, messagesOffset(ranks)),
})

/** The fault of a wait that took too long, naming those who did not come. */
export const timedOut = (rank: number, text: string, late: readonly number[], milliseconds: number): Fault => ({
  tag: 'Timeout',
  rank,
  step: `for rank ${late.join(', ')} in ${text}`,
  milliseconds,
})
