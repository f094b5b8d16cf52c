import * as E from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { Fault } from '#lib/fault.ts'
import { makeToken } from '#lib/run/link/address.ts'
import type { Link } from '#lib/run/link/link.ts'
import { localLinks } from '#lib/run/link/local.ts'
import { createArena, openArena } from '#lib/run/link/shared-memory.ts'
import { listenForPeers } from '#lib/run/link/socket.ts'
import { throttled } from '#lib/run/link/throttled.ts'

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

type Opener = (ranks: number, capacity: number, timeout: number) => Promise<World>

const sockets = (tcp: boolean | undefined): Opener => async (ranks, capacity, timeout) => {
  const listeners = (await Promise.all(Array.from({ length: ranks }, () => listenForPeers(tcp)))).map(right)
  const addresses = listeners.map((listener) => listener.address)
  const token = makeToken()
  const joined = await Promise.all(
    listeners.map((listener, rank) => listener.join(rank, addresses, { timeout, capacity, token })),
  )
  const links = joined.map(right)
  return { links, close: () => closeAll(links) }
}

const local: Opener = async (ranks, capacity, timeout) => {
  const links = localLinks(ranks, capacity, { timeout })
  return { links, close: () => closeAll(links) }
}

const sharedMemory: Opener = async (ranks, capacity, timeout) => {
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
}

const slower = (open: Opener): Opener => async (...world) => {
  const { links, close } = await open(...world)
  return { links: links.map((link) => throttled(link, [{ name: 'slow', ranks: null, bandwidth: 1e9, latency: 2e-4 }])), close }
}

/** Every kind of link, opened the same way. */
export const openers: Readonly<Record<string, Opener>> = {
  local,
  'throttled local': slower(local),
  socket: sockets(undefined),
  'throttled socket': slower(sockets(undefined)),
  tcp: sockets(true),
  ...(process.platform === 'linux' && { 'shared memory': sharedMemory, 'throttled shared memory': slower(sharedMemory) }),
}
