import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { decodeWith } from '../codec.ts'
import { bytesPerElement, type Elements } from '../dtype.ts'
import { badTensor, type Fault, file } from '../fault.ts'
import { readWhole, writeDurably } from './durable.ts'

/** A tensor of a safetensors file: its sizes and its elements, row-major. */
export interface StoredTensor {
  readonly sizes: readonly number[]
  readonly elements: Elements
}
export type StoredTensors = Readonly<Record<string, StoredTensor>>

/** What a safetensors file may say beside its tensors. */
export type Metadata = Readonly<Record<string, string>>

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
  pipe(readWhole(path), TE.chainEitherK((bytes) => parseSafetensors(path, bytes)))

/** The tensors in the bytes of a safetensors file; `path` is for messages. */
export const parseSafetensors = (path: string, bytes: Uint8Array<ArrayBuffer>): E.Either<Fault, StoredTensors> =>
  pipe(decodeSafetensors(path, bytes), E.map(({ tensors }) => tensors))

/** Tensors and metadata in the bytes of a safetensors file. The tensors are views of the bytes where these lie as they must. */
export const decodeSafetensors = (
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): E.Either<Fault, { readonly tensors: StoredTensors; readonly metadata: Metadata }> => {
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
        if (!isEntry(entry)) continue
        const [start, end] = entry.data_offsets
        const count = entry.shape.reduce((product, size) => product * size, 1)
        if (entry.dtype !== 'F32' && entry.dtype !== 'I32') {
          return E.left(file(path, `tensor '${name}' is ${entry.dtype}; only F32 and I32 are read`))
        }
        const isWhole = [start, ...entry.shape].every((n) => Number.isSafeInteger(n) && n >= 0)
        if (!isWhole || end - start !== count * bytesPerElement || 8 + length + end > bytes.length) {
          return broken(`tensor '${name}' lies outside the file or has another size than its shape`)
        }
        const elements = elementsIn(entry.dtype === 'F32' ? Float32Array : Int32Array, bytes.subarray(8 + length + start, 8 + length + end))
        tensors[name] = { sizes: entry.shape, elements }
      }
      const { __metadata__: metadata = {} } = header
      return E.right({ tensors, metadata: isEntry(metadata) ? {} : metadata })
    }),
  )
}

const elementsIn = (Kind: typeof Float32Array | typeof Int32Array, data: Uint8Array<ArrayBuffer>): Elements => {
  const { buffer, byteOffset, byteLength } = data.byteOffset % bytesPerElement === 0 ? data : data.slice()
  return new Kind(buffer, byteOffset, byteLength / bytesPerElement)
}

type Header = t.TypeOf<typeof HeaderCodec>
type Entry = Exclude<Header[string], Record<string, string>>

const isEntry = (entry: Header[string]): entry is Entry => Array.isArray(entry['data_offsets'])

/** Tensors that can be stored so that they can be read again. */
export const checkStorable = (tensors: StoredTensors): E.Either<Fault, StoredTensors> => {
  for (const [name, { sizes, elements }] of Object.entries(tensors)) {
    if (reservedNames.includes(name)) return E.left(badTensor(name, 'no tensor of a file can have this name'))
    const count = sizes.reduce((product, size) => product * size, 1)
    if (elements.length !== count) return E.left(badTensor(name, `its sizes make ${count} elements, got ${elements.length}`))
  }
  return E.right(tensors)
}

/** The first has a meaning of its own in these files, the second in JavaScript's objects. */
const reservedNames = ['__metadata__', '__proto__']

/** The bytes of a safetensors file. */
export const encodeSafetensors = (tensors: StoredTensors, metadata: Metadata = {}): Uint8Array<ArrayBuffer> => {
  const parts = safetensorsParts(tensors, metadata)
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}

/** The same in parts, one after another: the header, and the tensors as they lie in memory. */
export const safetensorsParts = (tensors: StoredTensors, metadata: Metadata = {}): readonly Uint8Array[] => {
  const header: Record<string, unknown> = Object.keys(metadata).length === 0 ? {} : { __metadata__: metadata }
  let offset = 0
  for (const [name, { sizes, elements }] of Object.entries(tensors)) {
    header[name] = {
      dtype: elements instanceof Float32Array ? 'F32' : 'I32',
      shape: sizes,
      data_offsets: [offset, offset + elements.byteLength],
    }
    offset += elements.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  // The data begins at a multiple of 8 bytes; blanks fill the header up.
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20)
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true)
  head.set(json, 8)
  return [head, ...Object.values(tensors).map(({ elements }) => new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength))]
}

/** Writes a safetensors file; readers see the old file or the whole new one. */
export const writeSafetensors = (path: string, tensors: StoredTensors): TE.TaskEither<Fault, void> =>
  pipe(TE.fromEither(checkStorable(tensors)), TE.chain((storable) => writeDurably(path, safetensorsParts(storable))))
