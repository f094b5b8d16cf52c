import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { decodeWith } from '#lib/codec.ts'
import { type Fault, fileFault } from '#lib/fault.ts'
import { readSafetensors, type StoredTensors } from '#lib/files/safetensors.ts'
import type { Sizes } from './model.ts'

const SizesCodec = t.type({
  B: t.number,
  T: t.number,
  grid: t.tuple([t.number, t.number]),
  C: t.number,
  heads: t.number,
  depth: t.number,
  text: t.number,
  captionWidth: t.number,
  latentChannels: t.number,
  outputChannels: t.number,
})

/** A reference case computed by PyTorch (golden/README.md): sizes, weights, inputs and what must come out. */
export interface GoldenCase {
  readonly sizes: Sizes
  readonly weights: StoredTensors
  readonly inputs: StoredTensors
  readonly outputs: StoredTensors
}

const at = (name: string): string => fileURLToPath(new URL(`golden/${name}`, import.meta.url))

/** Reads a case by name: `small` or `odd`. */
export const readGolden = (name: 'small' | 'odd'): TE.TaskEither<Fault, GoldenCase> =>
  pipe(
    TE.Do,
    TE.bind('sizes', () => readSizes(at(`${name}.json`))),
    TE.bind('weights', () => readSafetensors(at(`${name}.weights.safetensors`))),
    TE.bind('inputs', () => readSafetensors(at(`${name}.inputs.safetensors`))),
    TE.bind('outputs', () => readSafetensors(at(`${name}.outputs.safetensors`))),
  )

/** The sizes of a model from the JSON beside its weights. */
export const readSizes = (path: string): TE.TaskEither<Fault, Sizes> =>
  pipe(
    TE.tryCatch(async () => JSON.parse(await readFile(path, 'utf8')) as unknown, fileFault(path)),
    TE.chainEitherK((json) => decodeWith(path, SizesCodec, json)),
    TE.map(({ B, T, grid, C, heads, depth, text, captionWidth, latentChannels, outputChannels }) => ({
      batch: B,
      frames: T,
      rows: grid[0],
      columns: grid[1],
      width: C,
      heads,
      depth,
      words: text,
      captionWidth,
      channels: latentChannels,
      outputChannels,
    })),
  )

/** Largest difference between two tensors, relative to the largest element of the second. */
export const relativeError = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  let [difference, scale] = [got.length === want.length ? 0 : Infinity, 0]
  for (let i = 0; i < want.length; i++) {
    difference = Math.max(difference, Number.isNaN(got[i]!) ? Infinity : Math.abs(got[i]! - want[i]!))
    scale = Math.max(scale, Math.abs(want[i]!))
  }
  return difference / scale
}
