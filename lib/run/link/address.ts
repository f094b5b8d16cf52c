import { randomBytes } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import type { Fault } from '../../fault.ts'

/**
 * Where the processes of a session meet, as one word that fits a command line: `@name` is an abstract Unix socket
 * (Linux: no file, gone with its process), a number is a TCP port on this machine.
 */
export type Address = string

/** The environment variable that carries a session's secret to its ranks, where other users can't read it. */
export const tokenVariable = 'SHARDWISE_TOKEN'

export const makeToken = (): string => randomBytes(16).toString('hex')

/**
 * The name as the system sees it, after its zero byte. It fills all of the 107 bytes there are: Node pads shorter names
 * with zeros and Deno doesn't, so that they would not meet.
 */
const systemName = (address: Address): string => `\0${address.slice(1).padEnd(107, '-')}`

export interface Listener {
  readonly address: Address
  readonly close: () => Promise<void>
}

/** Listens at a fresh address: a TCP port where that is asked for, or where there are no abstract sockets. */
export const listen = (
  onSocket: (socket: Socket) => void,
  tcp: boolean = process.platform !== 'linux',
): Promise<E.Either<Fault, Listener>> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.setNoDelay(true)
      onSocket(socket)
    })
    const name = `@shardwise-${randomBytes(8).toString('hex')}`
    server.once(
      'error',
      (error) => resolve(E.left({ tag: 'Device', message: `cannot listen for ranks: ${error.message}` })),
    )
    server.once('listening', () => {
      const place = server.address()
      const address = place !== null && typeof place === 'object' ? String(place.port) : name
      resolve(E.right({ address, close: () => closeServer(server) }))
    })
    if (tcp) server.listen(0, '127.0.0.1')
    else server.listen(systemName(name))
  })

const closeServer = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

/** Connects to an address; the socket is connected when it comes. */
export const dial = (address: Address): Promise<E.Either<Fault, Socket>> =>
  new Promise((resolve) => {
    const socket = address.startsWith('@') ? connect(systemName(address)) : connect({ host: '127.0.0.1', port: Number(address) })
    const failed = (error: Error): void => resolve(E.left({ tag: 'Device', message: `cannot connect to ${address}: ${error.message}` }))
    socket.once('error', failed)
    socket.once('connect', () => {
      socket.removeListener('error', failed)
      socket.setNoDelay(true)
      resolve(E.right(socket))
    })
  })
