/**
 * Frames on a stream: a header of fixed size that gives the sizes of a text and a payload, then those. Both the
 * control sockets and the links between ranks speak in frames.
 */
export interface FrameFormat {
  readonly headerBytes: number
  /** Sizes of text and payload, or null for a header that is not one of ours or asks for too much. */
  readonly sizes: (header: DataView) => { readonly text: number; readonly payload: number } | null
  readonly memoryFor: (bytes: number) => Uint8Array<ArrayBuffer>
}

export interface FrameHandler {
  /** The header is valid during the call only. */
  readonly frame: (header: DataView, text: Uint8Array, payload: Uint8Array<ArrayBuffer>) => void
  /** After this nothing more is read. */
  readonly malformed: (header: Uint8Array) => void
}

/** Cuts a stream of chunks into frames; payloads are copied once, to where they are used. */
export const frameReader = (format: FrameFormat, on: FrameHandler): (chunk: Uint8Array) => void => {
  const head = new Uint8Array(format.headerBytes)
  const view = new DataView(head.buffer)
  const empty = new Uint8Array(0)
  let part: 'header' | 'text' | 'payload' | 'broken' = 'header'
  let target: Uint8Array<ArrayBuffer> = head
  let filled = 0
  let sizes = { text: 0, payload: 0 }
  let text: Uint8Array = empty

  const expect = (next: 'header' | 'text' | 'payload', memory: Uint8Array<ArrayBuffer>): void => {
    part = next
    target = memory
    filled = 0
  }
  /** What to do when the part being read is complete; empty parts complete at once. */
  const complete = (): void => {
    if (part === 'header') {
      const asked = format.sizes(view)
      if (asked === null) {
        part = 'broken'
        on.malformed(head)
        return
      }
      sizes = asked
      expect('text', new Uint8Array(sizes.text))
    } else if (part === 'text') {
      text = target
      expect('payload', sizes.payload === 0 ? empty : format.memoryFor(sizes.payload))
    } else {
      const payload = target
      expect('header', head)
      on.frame(view, text, payload)
    }
  }

  return (chunk) => {
    let at = 0
    while (part !== 'broken' && (at < chunk.byteLength || filled === target.byteLength)) {
      const piece = chunk.subarray(at, at + target.byteLength - filled)
      target.set(piece, filled)
      filled += piece.byteLength
      at += piece.byteLength
      if (filled === target.byteLength) complete()
    }
  }
}

/** The start of something that is not a frame, for a message. */
export const showBytes = (bytes: Uint8Array): string =>
  `bytes ${[...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`
