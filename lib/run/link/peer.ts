import type { Socket } from 'node:net'
import type { Fault } from '../../fault.ts'
import { frameReader, showBytes } from '../frames.ts'
import { now } from '../timeline.ts'
import { maximumStampText, type Stamp } from './link.ts'

/**
 * One peer at the other end of a socket: frames go out from two buffers in turn, and come in to buffers that are used
 * again. A frame is a header of fixed size, a text (the stamp's, or the reason of an abort), and the message.
 */
export interface Peer {
  /** Whether the buffer of this sequence's parity has left for the system. */
  readonly canWrite: (sequence: number) => boolean
  /** The place for a message of the given size in that buffer. */
  readonly outgoing: (sequence: number, bytes: number) => Uint8Array
  /** Sends what lies there. */
  readonly send: (stamp: Stamp) => void
  readonly hasFrame: () => boolean
  readonly front: () => Frame
  /** Gives the front frame's memory back. */
  readonly drop: () => void
  /** Why no more frames will come, if so. */
  readonly failure: (text: string) => Fault | null
  readonly abort: (message: string) => void
  readonly close: () => Promise<void>
}

export interface Frame {
  readonly stamp: Stamp
  /** When it was sent, on the sender's clock. */
  readonly sent: number
  readonly payload: Uint8Array<ArrayBuffer>
}

const kinds = { message: 1, abort: 2 } as const
const magic = 0x57445253
const headerBytes = 40
/** Of a stamp or the reason of an abort. */
const maximumText = 1024
/** Where a message starts in an outgoing buffer: its header and text end right before it, so one write sends all. */
const messageStart = headerBytes + maximumStampText
/** A peer that runs ahead is not read any further than this. */
const framesAhead = 2
/** How long a closing end waits for its last bytes to leave, in milliseconds. */
const patience = 200

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const makePeer = (
  socket: Socket,
  rank: number,
  peer: number,
  capacity: number,
  on: { readonly changed: () => void; readonly aborted: (message: string) => void },
): Peer => {
  const out = [0, 1].map(() => ({ buffer: new Uint8Array(messageStart), bytes: 0, inFlight: false }))
  const frames: Frame[] = []
  const spare: Uint8Array<ArrayBuffer>[] = []
  let failure: { readonly cause: string; readonly got?: string } | null = null
  let closing = false

  const fail = (cause: string, got?: string): void => {
    failure ??= got === undefined ? { cause } : { cause, got }
    on.changed()
  }
  const memoryFor = (bytes: number): Uint8Array<ArrayBuffer> => {
    const at = spare.findIndex((buffer) => buffer.byteLength >= bytes)
    return (at < 0 ? new Uint8Array(bytes) : spare.splice(at, 1)[0]!).subarray(0, bytes)
  }

  const parse = frameReader(
    {
      headerBytes,
      sizes: (header) => {
        const { kind, text, bytes } = readHeader(header)
        const isKnown = header.getUint32(0, true) === magic && (kind === kinds.message || kind === kinds.abort)
        return isKnown && text <= maximumText && bytes >= 0 && bytes <= capacity ? { text, payload: bytes } : null
      },
      memoryFor,
    },
    {
      frame: (header, bytes, payload) => {
        const { kind, sequence, hash, sent } = readHeader(header)
        const text = decoder.decode(bytes)
        if (kind === kinds.abort) return on.aborted(text)
        if (frames.push({ stamp: { sequence, hash, text }, sent, payload }) >= framesAhead) socket.pause()
        on.changed()
      },
      malformed: (header) => {
        fail('it sent something that is not a message', showBytes(header))
        socket.destroy()
      },
    },
  )
  socket.on('data', parse)
  socket.on('error', (error) => fail(`its connection failed: ${error.message}`))
  socket.on('close', () => {
    if (!closing) fail(`its connection to rank ${rank} closed`)
  })
  socket.resume()

  return {
    canWrite: (sequence) => !out[sequence & 1]!.inFlight,
    outgoing: (sequence, bytes) => {
      const box = out[sequence & 1]!
      if (box.buffer.byteLength < messageStart + bytes) box.buffer = new Uint8Array(messageStart + bytes)
      box.bytes = bytes
      return box.buffer.subarray(messageStart, messageStart + bytes)
    },
    send: (stamp) => {
      const box = out[stamp.sequence & 1]!
      const text = encoder.encode(stamp.text).subarray(0, maximumStampText)
      const start = messageStart - text.byteLength - headerBytes
      writeHeader(box.buffer, start, { kind: kinds.message, stamp, text, bytes: box.bytes, sent: now() })
      box.inFlight = true
      socket.write(box.buffer.subarray(start, messageStart + box.bytes), () => {
        box.inFlight = false
        on.changed()
      })
    },
    hasFrame: () => frames.length > 0,
    front: () => frames[0]!,
    drop: () => {
      const frame = frames.shift()
      if (frame !== undefined && frame.payload.byteLength > 0) spare.push(new Uint8Array(frame.payload.buffer))
      if (spare.length > framesAhead) spare.shift()
      if (frames.length < framesAhead && !closing) socket.resume()
    },
    failure: (text) => {
      if (failure === null) return null
      return failure.got === undefined ? { tag: 'RankDied', rank: peer, step: `in ${text}`, cause: failure.cause } : {
        tag: 'Malformed',
        what: `message from rank ${peer} in ${text}`,
        path: 'header',
        expected: 'a message',
        got: failure.got,
      }
    },
    abort: (message) => {
      const text = encoder.encode(message).subarray(0, maximumText)
      const frame = new Uint8Array(headerBytes + text.byteLength)
      writeHeader(frame, 0, { kind: kinds.abort, stamp: { sequence: 0, hash: 0, text: '' }, text, bytes: 0, sent: 0 })
      socket.write(frame)
    },
    close: () =>
      new Promise((resolve) => {
        closing = true
        if (socket.destroyed) return resolve()
        // What was written last still leaves; then both directions end. A peer that no longer reads is not waited for.
        const timer = setTimeout(() => socket.destroy(), patience)
        socket.once('close', () => {
          clearTimeout(timer)
          resolve()
        })
        socket.end(() => socket.destroy())
      }),
  }
}

const readHeader = (view: DataView) => ({
  kind: view.getUint32(4, true),
  sequence: view.getInt32(8, true),
  hash: view.getInt32(12, true),
  text: view.getUint32(16, true),
  bytes: view.getFloat64(24, true),
  sent: view.getFloat64(32, true),
})

interface Header {
  readonly kind: number
  readonly stamp: Stamp
  readonly text: Uint8Array
  readonly bytes: number
  readonly sent: number
}

const writeHeader = (buffer: Uint8Array, start: number, { kind, stamp, text, bytes, sent }: Header): void => {
  const view = new DataView(buffer.buffer, buffer.byteOffset + start, headerBytes)
  view.setUint32(0, magic, true)
  view.setUint32(4, kind, true)
  view.setInt32(8, stamp.sequence, true)
  view.setInt32(12, stamp.hash, true)
  view.setUint32(16, text.byteLength, true)
  view.setFloat64(24, bytes, true)
  view.setFloat64(32, sent, true)
  buffer.set(text, start + headerBytes)
}
