import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Fault } from '../../fault.ts'
import {
  abortArena,
  type Arena,
  arenaLink,
  bellOffset,
  type Bells,
  controlBytes,
  nowhere,
  outboxBytes,
  scratchOffset,
  type Whereabouts,
  whereaboutsIn,
} from './arena.ts'
import { bindLibc, type Libc } from './libc.ts'
import type { Link, LinkOptions } from './link.ts'

/**
 * Ranks of one Linux machine share an arena: a memfd that the launcher makes and the ranks map, so that it has no name
 * and vanishes with the last process, however that ends. Bells are futexes.
 */
export const ArenaAddress = t.strict({
  process: t.number,
  descriptor: t.number,
  ranks: t.number,
  capacity: t.number,
})
export type ArenaAddress = t.TypeOf<typeof ArenaAddress>

/** The launcher's hold on an arena. It maps the control page only. */
export interface ArenaOwner {
  readonly address: ArenaAddress
  readonly abort: (message: string) => void
  /** Where a rank said it is; null once the arena is closed. */
  readonly whereabouts: (rank: number) => Whereabouts | null
  readonly close: () => void
}

const totalBytes = (ranks: number, capacity: number): number => controlBytes(ranks) + 2 * ranks * outboxBytes(ranks, capacity)

export const createArena = async (ranks: number, capacity: number): Promise<E.Either<Fault, ArenaOwner>> => {
  const bound = await bindLibc()
  if (E.isLeft(bound)) return bound
  const libc = bound.right
  const memory = libc.makeMemory(totalBytes(ranks, capacity))
  if (E.isLeft(memory)) return memory
  const mapped = libc.map(memory.right, controlBytes(ranks))
  if (E.isLeft(mapped)) {
    libc.close(memory.right)
    return mapped
  }
  const control = libc.view(mapped.right, controlBytes(ranks))
  const places = Array.from({ length: ranks }, (_, rank) => whereaboutsIn(control, rank))
  for (const place of places) place.set(nowhere)
  let isClosed = false
  return E.right({
    address: { process: process.pid, descriptor: memory.right, ranks, capacity },
    abort: (message) => {
      if (!isClosed) abortArena({ ranks, control, bells: futexBells(libc, control, mapped.right, ranks) }, message)
    },
    whereabouts: (rank) => (isClosed ? null : places[rank]!.get()),
    close: () => {
      if (isClosed) return
      isClosed = true
      libc.unmap(mapped.right, controlBytes(ranks))
      libc.close(memory.right)
    },
  })
}

export interface ArenaLink extends Link {
  /** Tells the launcher where the rank is: two stores into shared memory. */
  readonly setPosition: (position: number) => void
}

/** A rank's link over the launcher's arena. */
export const openArena = async (
  address: ArenaAddress,
  rank: number,
  options: LinkOptions,
): Promise<E.Either<Fault, ArenaLink>> => {
  const { ranks, capacity } = address
  const bound = await bindLibc()
  if (E.isLeft(bound)) return bound
  const libc = bound.right
  const opened = libc.open(`/proc/${address.process}/fd/${address.descriptor}`)
  if (E.isLeft(opened)) return opened
  const total = totalBytes(ranks, capacity)
  const mapped = libc.map(opened.right, total)
  libc.close(opened.right)
  if (E.isLeft(mapped)) return mapped

  const base = mapped.right
  const control = libc.view(base, controlBytes(ranks))
  const boxBytes = outboxBytes(ranks, capacity)
  const arena: Arena = {
    ranks,
    capacity,
    control,
    outbox: (owner, parity) => libc.view(base + controlBytes(ranks) + (2 * owner + parity) * boxBytes, boxBytes),
    bells: futexBells(libc, control, base, ranks),
  }
  const link = arenaLink(arena, rank, options)
  const place = whereaboutsIn(control, rank)
  let isOpen = true
  return E.right({
    ...link,
    setPosition: (position) => {
      if (isOpen) place.set(position)
    },
    close: async () => {
      await link.close()
      if (isOpen) libc.unmap(base, total)
      isOpen = false
    },
  })
}

/**
 * A rank first sleeps a moment on its own thread, which meets a peer that is about to ring in a few microseconds, and
 * then on a thread of the pool, which leaves its event loop free. It never spins.
 */
const momentNanoseconds = 50_000n

const futexBells = (libc: Libc, control: ArrayBuffer, base: number, ranks: number): Bells => {
  const words = new Int32Array(control)
  const timespecs = Array.from({ length: ranks }, (_, rank) => new BigInt64Array(control, scratchOffset(rank), 4))
  return {
    wait: (rank, seen, milliseconds) => {
      const timespec = timespecs[rank]!
      const bell = base + bellOffset(rank)
      timespec[2] = 0n
      timespec[3] = momentNanoseconds
      libc.futexWait(bell, seen, base + scratchOffset(rank) + 16)
      if (Atomics.load(words, bellOffset(rank) / 4) !== seen) return Promise.resolve()
      const nanoseconds = BigInt(Math.ceil(milliseconds * 1e6))
      timespec[0] = nanoseconds / 1_000_000_000n
      timespec[1] = nanoseconds % 1_000_000_000n
      return new Promise((resolve) => libc.futexWaitAsync(bell, seen, base + scratchOffset(rank), resolve))
    },
    wake: (rank) => libc.futexWake(base + bellOffset(rank)),
  }
}
