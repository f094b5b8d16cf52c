import { type Arena, arenaLink, bellOffset, type Bells, controlBytes, outboxBytes } from './arena.ts'
import type { Link, LinkOptions } from './link.ts'

/** Links between ranks that are tasks of one process: the shared-memory protocol, with promises for bells. */
export const localLinks = (ranks: number, capacity: number, options: LinkOptions): readonly Link[] => {
  const control = new ArrayBuffer(controlBytes(ranks))
  const boxes = Array.from({ length: 2 * ranks }, () => new ArrayBuffer(outboxBytes(ranks, capacity)))
  const arena: Arena = {
    ranks,
    capacity,
    control,
    outbox: (rank, parity) => boxes[2 * rank + parity]!,
    bells: promiseBells(control, ranks),
  }
  return Array.from({ length: ranks }, (_, rank) => arenaLink(arena, rank, options))
}

const promiseBells = (control: ArrayBuffer, ranks: number): Bells => {
  const words = new Int32Array(control)
  const sleepers = new Array<(() => void) | undefined>(ranks)
  return {
    wait: (rank, seen, milliseconds) =>
      new Promise((resolve) => {
        if (Atomics.load(words, bellOffset(rank) / 4) !== seen) return resolve()
        const timer = setTimeout(resolve, milliseconds)
        sleepers[rank] = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
    wake: (rank) => sleepers[rank]?.(),
  }
}
