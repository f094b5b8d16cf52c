import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type Backend, type Executable, normalised, wrongLength } from '../backend.ts'
import { checkBounds, checkView } from '../bounds.ts'
import type { DType, Elements } from '#lib/dtype.ts'
import { bytesPerElement } from '#lib/dtype.ts'
import { type Fault, refused } from '#lib/fault.ts'
import { combineValues } from '#lib/kernel/combine.ts'
import { type Combine, elementsOf, type Exchange, type RankProgram, type View } from '#lib/kernel/kernel.ts'
import { execute } from './kernels.ts'
import { rememberingOffsets } from './offsets.ts'

/** An executable whose numbers can be read with all their digits. */
export interface ReferenceExecutable extends Executable {
  readonly readExact: (view: View, sizes: readonly number[]) => Float64Array
}

export interface ReferenceBackend extends Backend {
  readonly load: (program: RankProgram) => TE.TaskEither<Fault, ReferenceExecutable>
}

/** What one rank brings to an exchange, and where it goes. */
interface Part {
  readonly rank: number
  readonly view: View
  readonly sizes: readonly number[]
  readonly elements: Elements
}

const elementsFor = (type: DType, buffer: ArrayBuffer): Elements => type === 'f32' ? new Float32Array(buffer) : new Int32Array(buffer)

/** A view of bytes that need not lie on a multiple of four. */
const elementsOfBytes = (type: DType, bytes: Uint8Array): Elements => {
  const copy = new ArrayBuffer(bytes.byteLength)
  new Uint8Array(copy).set(bytes)
  return elementsFor(type, copy)
}

/**
 * A program held in memory as float64, whatever its element types, and executed kernel by kernel. What crosses an
 * exchange is float32, the rank's own part included, so that all ranks hold the same numbers afterwards.
 */
const executable = (program: RankProgram): ReferenceExecutable => {
  const buffers = program.buffers.map((length) => new Float64Array(length))
  const offsets = rememberingOffsets()

  const put = (view: View, sizes: readonly number[], elements: ArrayLike<number>): void => {
    const buffer = buffers[view.buffer]!
    const to = offsets(sizes, view.strides, view.offset)
    for (let i = 0; i < to.length; i++) buffer[to[i]!] = elements[i]!
  }

  const readExact = (view: View, sizes: readonly number[]): Float64Array => {
    const buffer = buffers[view.buffer]!
    return Float64Array.from(offsets(sizes, view.strides, view.offset), (at) => buffer[at]!)
  }

  const take = (view: View, sizes: readonly number[]): Elements => {
    const elements = elementsFor(view.type, new ArrayBuffer(elementsOf(sizes) * bytesPerElement))
    elements.set(readExact(view, sizes))
    return elements
  }

  /** Folds the parts in rank order; the first that comes to a place starts there. */
  const fold = (combine: Combine, parts: readonly Part[]): void => {
    const started = new Set<number>()
    for (const { view, sizes, elements } of parts.toSorted((a, b) => a.rank - b.rank)) {
      const combined = combineValues(combine, view.type)
      const buffer = buffers[view.buffer]!
      offsets(sizes, view.strides, view.offset).forEach((at, i) => {
        buffer[at] = started.has(at) ? combined(buffer[at]!, elements[i]!) : elements[i]!
        started.add(at)
      })
    }
  }

  const exchangeAt = (step: number): Exchange => program.steps[step] as Exchange

  return {
    readExact,

    write: (view, sizes, elements) =>
      elements.length === elementsOf(sizes)
        ? pipe(TE.fromEither(checkView(view, sizes, program.buffers)), TE.map(() => put(view, sizes, normalised(view.type, elements))))
        : TE.left(refused(`${elements.length} elements given for a view of [${sizes.join(', ')}]`)),

    read: (view, sizes) => pipe(TE.fromEither(checkView(view, sizes, program.buffers)), TE.map(() => take(view, sizes))),

    run: (from, to) =>
      TE.fromIO(() => {
        for (const step of program.steps.slice(from, to)) if (step.kind !== 'exchange') execute(step, buffers, offsets)
      }),

    settle: () => TE.right(undefined),

    pack: (step, deliver) =>
      TE.fromIO(() => {
        exchangeAt(step).sends.forEach(({ view, sizes }, parcel) => {
          deliver(parcel, new Uint8Array(take(view, sizes).buffer as ArrayBuffer))
        })
      }),

    unpack: (step, received) => async () => {
      const { keeps, receives, combine } = exchangeAt(step)
      const parts: Part[] = []
      if (keeps !== null) {
        parts.push({ rank: program.rank, view: keeps.to, sizes: keeps.sizes, elements: take(keeps.from, keeps.sizes) })
      }
      for (const [parcel, { peer, view, sizes }] of receives.entries()) {
        const expected = elementsOf(sizes) * bytesPerElement
        const bytes = expected === 0 ? new Uint8Array(0) : received(parcel)
        if (bytes.byteLength !== expected) return E.left(wrongLength(parcel, step, bytes.byteLength, expected))
        parts.push({ rank: peer, view, sizes, elements: elementsOfBytes(view.type, bytes) })
      }
      if (combine === 'place') { for (const { view, sizes, elements } of parts) put(view, sizes, elements) }
      else fold(combine, parts)
      return E.right(undefined)
    },

    free: () => Promise.resolve(),
  }
}

/** The oracle: plain TypeScript in float64, obviously right and not clever. It is there on every machine. */
export const openReference = (): TE.TaskEither<Fault, ReferenceBackend> =>
  TE.right({
    describe: { backend: 'reference', adapter: 'float64 in TypeScript', software: true },
    load: (program) => TE.fromEither(E.map(executable)(checkBounds(program))),
    close: () => Promise.resolve(),
  })
