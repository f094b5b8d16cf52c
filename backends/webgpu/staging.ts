import * as E from 'fp-ts/lib/Either.js'
import type { Fault } from '#lib/fault.ts'
import { type Device, mapForReading, mapForWriting, usages } from './device.ts'
import { expectSoon } from './patience.ts'

/**
 * The way of bytes between JavaScript and the GPU. Buffers for it are kept and used again: fresh ones cost a page
 * fault per page, which is several times the copy itself.
 */

/** Up to this many bytes the queue's own staging is quickest. */
const smallUpload = 256 * 1024
const slotBytes = 4 * 1024 * 1024
const slotCount = 3

interface Slot {
  readonly buffer: GPUBuffer
  /** Settles when the buffer is mapped for writing again; false if it never will be. */
  ready: Promise<boolean>
}

/** Dawn crashes on views over shared memory, so these are copied first. */
const unshared = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer ? bytes as Uint8Array<ArrayBuffer> : new Uint8Array(bytes)

export class Staging {
  readonly #device: Device
  #slots: Slot[] = []
  #next = 0
  #readback: GPUBuffer | null = null

  constructor(device: Device) {
    this.#device = device
  }

  /** Writes bytes into a buffer. They have been taken when the promise settles; the GPU gets them in queue order. */
  async upload(target: GPUBuffer, offset: number, bytes: Uint8Array): Promise<E.Either<Fault, void>> {
    if (bytes.byteLength <= smallUpload) {
      if (bytes.byteLength > 0) this.#device.gpu.queue.writeBuffer(target, offset, unshared(bytes))
      return this.#device.check()
    }
    for (let start = 0; start < bytes.byteLength; start += slotBytes) {
      const chunk = bytes.subarray(start, start + slotBytes)
      const slot = await this.#slot()
      if (E.isLeft(slot)) return slot
      const { buffer } = slot.right
      new Uint8Array(buffer.getMappedRange(0, chunk.byteLength)).set(chunk)
      buffer.unmap()
      const encoder = this.#device.gpu.createCommandEncoder()
      encoder.copyBufferToBuffer(buffer, 0, target, offset + start, chunk.byteLength)
      this.#device.submit([encoder.finish()])
      slot.right.ready = buffer.mapAsync(mapForWriting).then(() => true, () => false)
    }
    return this.#device.check()
  }

  async #slot(): Promise<E.Either<Fault, Slot>> {
    if (this.#slots.length < slotCount) {
      const made = await this.#device.allocate([{ bytes: slotBytes, usage: usages.mapWrite | usages.copySource }])
      if (E.isLeft(made)) return made
      const buffer = made.right[0]!
      this.#slots.push({ buffer, ready: buffer.mapAsync(mapForWriting).then(() => true, () => false) })
    }
    const slot = this.#slots[this.#next++ % this.#slots.length]!
    expectSoon()
    return this.#device.guard(async () => {
      if (!await slot.ready) throw new Error('a staging buffer could not be mapped')
      return slot
    })
  }

  /** A buffer to copy into on the GPU, then to read from with `mapped`; valid until the next call. */
  async readback(bytes: number): Promise<E.Either<Fault, GPUBuffer>> {
    if (this.#readback !== null && this.#readback.size >= bytes) return E.right(this.#readback)
    this.#readback?.destroy()
    this.#readback = null
    const made = await this.#device.allocate([{ bytes, usage: usages.mapRead | usages.copyDestination }])
    if (E.isLeft(made)) return made
    this.#readback = made.right[0]!
    return E.right(this.#readback)
  }

  /** Waits for the GPU and shows the first bytes of the read-back buffer to `use`; they are gone afterwards. */
  mapped<A>(buffer: GPUBuffer, bytes: number, use: (bytes: Uint8Array) => A): Promise<E.Either<Fault, A>> {
    return this.#device.guard(async () => {
      expectSoon()
      await buffer.mapAsync(mapForReading, 0, bytes)
      try {
        return use(new Uint8Array(buffer.getMappedRange(0, bytes)))
      } finally {
        buffer.unmap()
      }
    })
  }

  free(): void {
    for (const { buffer } of this.#slots) buffer.destroy()
    this.#readback?.destroy()
    this.#slots = []
    this.#readback = null
  }
}
