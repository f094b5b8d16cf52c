import type { Socket } from 'node:net'
import type { Fault } from '../fault.ts'
import { frameReader, showBytes } from './frames.ts'

/**
 * One end of a control socket between the launcher and a rank: messages are a JSON value and binary payload, both of
 * bounded size. Whatever arrives that is not such a message is a `Malformed` fault and the end of the channel.
 */
export interface Channel {
  /** Resolves when the message has left for the system, or the channel has ended. */
  readonly send: (message: unknown, payload?: readonly Uint8Array[]) => Promise<void>
  /** From now on messages may be this large. */
  readonly allow: (limits: Limits) => void
  readonly close: () => void
}

/** The most bytes of a message's two parts. */
export interface Limits {
  readonly message: number
  readonly payload: number
}

/** For somebody who has not yet said who he is. */
export const strangerLimits: Limits = { message: 4096, payload: 0 }
/** For a rank or launcher: room for a piece of a tensor, or a plan. */
export const peerLimits: Limits = { message: 2 ** 24, payload: 2 ** 32 - 1 }

export interface ChannelHandler {
  readonly message: (message: unknown, payload: Uint8Array<ArrayBuffer>) => void
  /** Called once: with the fault of a malformed message, or null when the other end closed. */
  readonly end: (fault: Fault | null) => void
}

const magic = 0x43445253
const headerBytes = 16

export const openChannel = (socket: Socket, from: string, limits: Limits, on: ChannelHandler): Channel => {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  let allowed = limits
  let ended = false

  const end = (fault: Fault | null): void => {
    if (ended) return
    ended = true
    socket.destroy()
    on.end(fault)
  }
  const malformed = (path: string, expected: string, got: string): void =>
    end({ tag: 'Malformed', what: `message from ${from}`, path, expected, got })

  const read = frameReader(
    {
      headerBytes,
      sizes: (header) => {
        const [text, payload] = [header.getUint32(4, true), header.getFloat64(8, true)]
        const fits = text <= allowed.message && payload >= 0 && payload <= allowed.payload
        return header.getUint32(0, true) === magic && fits ? { text, payload } : null
      },
      memoryFor: (bytes) => new Uint8Array(bytes),
    },
    {
      frame: (_, text, payload) => {
        const message = parse(decoder.decode(text))
        if (message === undefined) malformed('text', 'JSON', showBytes(text))
        else if (!ended) on.message(message, payload)
      },
      malformed: (header) => malformed('header', 'a message of an allowed size', showBytes(header)),
    },
  )
  socket.on('data', (chunk: Uint8Array) => {
    try {
      read(chunk)
    } catch (error) {
      // No memory for a payload, say: the channel ends, the process doesn't.
      malformed('payload', 'a message that can be taken in', error instanceof Error ? error.message : String(error))
    }
  })
  socket.on('error', () => end(null))
  socket.on('close', () => end(null))

  return {
    send: (message, payload = []) =>
      new Promise((resolve) => {
        if (ended) return resolve()
        const text = encoder.encode(JSON.stringify(message))
        const header = new DataView(new ArrayBuffer(headerBytes))
        header.setUint32(0, magic, true)
        header.setUint32(4, text.byteLength, true)
        header.setFloat64(8, payload.reduce((sum, part) => sum + part.byteLength, 0), true)
        const parts = [new Uint8Array(header.buffer), text, ...payload.filter((part) => part.byteLength > 0)]
        socket.cork()
        parts.forEach((part, i) => (i === parts.length - 1 ? socket.write(part, () => resolve()) : socket.write(part)))
        socket.uncork()
      }),
    allow: (more) => {
      allowed = more
    },
    close: () => {
      ended = true
      socket.destroy()
    },
  }
}

/** JSON, or undefined for text that isn't. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
