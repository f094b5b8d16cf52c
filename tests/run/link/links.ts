import * as E from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { Fault } from '#lib/fault.ts'
import { makeToken } from '#lib/run/link/address.ts'
import type { Link } from '#lib/run/link/link.ts'
import { localLinks } from '#lib/run/link/local.ts'
import { createArena, openArena } from '#lib/run/link/shared-memory.ts'
import { listenForPeers } from '#lib/run/link/socket.ts'

/** The ends of a link between ranks, all in this process, and how to let go of them. */
export interface World {
  readonly links: readonly Link[]
  readonly close: () => Promise<void>
}

export const right = <A>(value: Either<Fault, A>): A => {
  if (E.isLeft(value)) throw new Error(`unexpected fault: ${JSON.stringify(value.left)}`)
  return value.right
}

const closeAll = async (links: readonly Link[]): Promise<void> => {
  await Promise.all(links.map((link) => link.close()))
}

/** Every kind of link, opened the same way. */
export const openers: Readonly<Record<string, (ranks: number, capacity: number, timeout: number) => Promise<World>>> = {
  local: async (ranks, capacity, timeout) => {
    const links = localLinks(ranks, capacity, { timeout })
    return { links, close: () => closeAll(links) }
  },
  socket: async (ranks, capacity, timeout) => {
    const listeners = (await Promise.all(Array.from({ length: ranks }, listenForPeers))).map(right)
    const addresses = listeners.map((listener) => listener.address)
    const token = makeToken()
    const joined = await Promise.all(
      listeners.map((listener, rank) => listener.join(rank, addresses, { timeout, capacity, token })),
    )
    const links = joined.map(right)
    return { links, close: () => closeAll(links) }
  },
  ...(process.platform === 'linux' && {
    'shared memory': async (ranks: number, capacity: number, timeout: number) => {
      const owner = right(await createArena(ranks, capacity))
      const links = await Promise.all(
        Array.from({ length: ranks }, async (_, rank) => right(await openArena(owner.address, rank, { timeout }))),
      )
      return {
        links,
        close: async () => {
          await closeAll(links)
          owner.close()
        },
      }
    },
  }),
}
