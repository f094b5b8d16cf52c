import { open, rename, writeFile } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { decodeWith } from '../codec.ts'
import { bytesPerElement, type Elements } from '../dtype.ts'
import { type Fault, file, fileFault } from '../fault.ts'

/** A tensor of a safetensors file: its sizes and its elements, row-major. */
export interface StoredTensor {
  readonly sizes: readonly number[]
  readonly elements: Elements
}
export type StoredTensors = Readonly<Record<string, StoredTensor>>

const HeaderCodec = t.record(
  t.string,
  t.union([
    t.strict({ dtype: t.string, shape: t.readonlyArray(t.number), data_offsets: t.tuple([t.number, t.number]) }),
    t.record(t.string, t.string),
  ]),
)

/** The longest header that is read: more is a damaged file, not a model. */
const longestHeader = 100 * 1024 * 1024

/**
 * Reads the F32 and I32 tensors of a safetensors file (an 8-byte little-endian header length, a JSON header, the data).
 * Truncated or damaged files and other element types are faults that name the file and the tensor.
 */
export const readSafetensors = (path: string): TE.TaskEither<Fault, StoredTensors> =>
  pipe(
    TE.tryCatch(async () => {
      const handle = await open(path)
      try {
        return await handle.readFile()
      } finally {
        await handle.close()
      }
    }, fileFault(path)),
    TE.chainEitherK((bytes) => parseSafetensors(path, bytes)),
  )

/** The tensors in the bytes of a safetensors file; `path` is for messages. */
export const parseSafetensors = (path: string, bytes: Uint8Array): E.Either<Fault, StoredTensors> => {
  const broken = (message: string): E.Either<Fault, never> => E.left(file(path, `${message}: this is not a whole safetensors file`))
  if (bytes.length < 8) return broken(`it has ${bytes.length} bytes`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  if (length > longestHeader || 8 + length > bytes.length) return broken(`its header should take ${length} bytes`)
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
  } catch {
    return broken('its header is not JSON')
  }
  return pipe(
    decodeWith(`header of ${path}`, HeaderCodec, json),
    E.chain((header) => {
      const tensors: Record<string, StoredTensor> = {}
      for (const [name, entry] of Object.entries(header)) {
        if (name === '__metadata__' || !isEntry(entry)) continue
        const [start, end] = entry.data_offsets
        const count = entry.shape.reduce((product, size) => product * size, 1)
        if (entry.dtype !== 'F32' && entry.dtype !== 'I32') {
          return E.left(file(path, `tensor '${name}' is ${entry.dtype}; only F32 and I32 are read`))
        }
        if (start < 0 || end - start !== count * bytesPerElement || 8 + length + end > bytes.length) {
          return broken(`tensor '${name}' lies outside the file or has another size than its shape`)
        }
        const data = new Uint8Array(bytes.subarray(8 + length + start, 8 + length + end)).buffer
        tensors[name] = { sizes: entry.shape, elements: entry.dtype === 'F32' ? new Float32Array(data) : new Int32Array(data) }
      }
      return E.right(tensors)
    }),
  )
}

const isEntry = (entry: unknown): entry is { dtype: string; shape: readonly number[]; data_offsets: [number, number] } =>
  typeof entry === 'object' && entry !== null && 'data_offsets' in entry

/** The bytes of a safetensors file. */
export const encodeSafetensors = (tensors: StoredTensors): Uint8Array => {
  const header: Record<string, unknown> = {}
  let offset = 0
  for (const [name, { sizes, elements }] of Object.entries(tensors)) {
    header[name] = {
      dtype: elements instanceof Float32Array ? 'F32' : 'I32',
      shape: sizes,
      data_offsets: [offset, offset + elements.byteLength],
    }
    offset += elements.byteLength
  }
  const text = JSON.stringify(header)
  // The data begins at a multiple of 8 bytes; blanks fill the header up.
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8))
  const bytes = new Uint8Array(8 + json.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  let at = 8 + json.length
  for (const { elements } of Object.values(tensors)) {
    bytes.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength), at)
    at += elements.byteLength
  }
  return bytes
}

/** Writes a safetensors file; readers see the old file or the whole new one. */
export const writeSafetensors = (path: string, tensors: StoredTensors): TE.TaskEither<Fault, void> =>
  TE.tryCatch(async () => {
    const half = `${path}.${process.pid}.part`
    await writeFile(half, encodeSafetensors(tensors))
    await rename(half, path)
  }, fileFault(path))
