import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { DType, Elements } from '#lib/dtype.ts'
import { device, type Fault } from '#lib/fault.ts'
import type { Kernel, RankProgram, View } from '#lib/kernel/kernel.ts'

/** What a backend says about itself: for `doctor`, logs and reports. */
export interface BackendDescription {
  readonly backend: 'webgpu' | 'reference'
  readonly adapter: string
  readonly software: boolean
}

/** Opens a device. */
export interface Backend {
  readonly describe: BackendDescription
  /** Allocates the program's buffers (zeroed) and compiles its kernels. */
  readonly load: (program: RankProgram) => TaskEither<Fault, Executable>
  readonly close: () => Promise<void>
}

/** A program on a device. Calls are made one after another, never at once. */
export interface Executable {
  /** Puts contiguous elements (in loop order over `sizes`) into a view; in one of truth values whatever is not 0 becomes 1. */
  readonly write: (view: View, sizes: readonly number[], elements: Elements) => TaskEither<Fault, void>
  /** Takes a view's elements out, contiguous in loop order over `sizes`. */
  readonly read: (view: View, sizes: readonly number[]) => TaskEither<Fault, Elements>
  /**
   * Queues the steps `from … to - 1`, all of them kernels. It may return before they have run; faults of the device
   * surface in the next `read` or `pack` at the latest.
   */
  readonly run: (from: number, to: number) => TaskEither<Fault, void>
  /** Waits until all that was queued has run. */
  readonly settle: () => TaskEither<Fault, void>
  /**
   * Starts an exchange: reads back every send parcel of step `step` and hands each to `deliver` as contiguous bytes
   * in parcel order. The bytes are valid only during the call: `deliver` copies them to their destination at once.
   */
  readonly pack: (step: number, deliver: (parcel: number, bytes: Uint8Array) => void) => TaskEither<Fault, void>
  /**
   * Ends an exchange: puts the kept part and the received parcels where they belong. `received(parcel)` gives each
   * receive parcel's contiguous bytes, valid until the returned task ends (they may lie in shared memory).
   * With a combining exchange all parts, own one included, are folded in ascending rank order.
   */
  readonly unpack: (step: number, received: (parcel: number) => Uint8Array) => TaskEither<Fault, void>
  readonly free: () => Promise<void>
}

/** What is written into a view: truth values as 0 and 1, whatever stands for true outside. */
export const normalised = (type: DType, elements: Elements): Elements =>
  type !== 'bool' || elements.every((x) => x === 0 || x === 1) ? elements : Int32Array.from(elements, (x) => x === 0 ? 0 : 1)

export type KernelOf<K extends Kernel['kind']> = Extract<Kernel, { kind: K }>

/** A parcel arrived that is not as long as the plan says: never data to be used. */
export const wrongLength = (parcel: number, step: number, bytes: number, expected: number): Fault =>
  device(`parcel ${parcel} of step ${step} has ${bytes} bytes instead of ${expected}`)
