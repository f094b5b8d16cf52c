import * as TE from 'fp-ts/lib/TaskEither.js'
import { badTensor, type Fault, refused } from '#lib/fault.ts'
import { type Clip, clipOf, writeGif } from '../video/clip.ts'
import type { Sizes } from './shapes.ts'

/** Clips beside and below one another on white, `gap` pixels apart. */
const sheetOf = (rows: readonly (readonly Clip[])[], { width, height, frames }: Clip, gap: number): Clip => {
  const columns = Math.max(...rows.map((row) => row.length))
  const sheetWidth = columns * (width + gap) - gap
  const sheetHeight = rows.length * (height + gap) - gap
  return {
    width: sheetWidth,
    height: sheetHeight,
    frames: frames.map((_, t) => {
      const pixels = new Uint8Array(4 * sheetWidth * sheetHeight).fill(255)
      for (const [row, clips] of rows.entries()) {
        for (const [column, clip] of clips.entries()) {
          for (let y = 0; y < height; y++) {
            const corner = (row * (height + gap) + y) * sheetWidth + column * (width + gap)
            pixels.set(clip.frames[t]!.subarray(4 * y * width, 4 * (y + 1) * width), 4 * corner)
          }
        }
      }
      return pixels
    }),
  }
}

/** Writes rows of clips `c:3 t y x` (from -1 to 1) as one animated GIF, each position `zoom` pixels wide, `delay` milliseconds a frame. */
export const writeSheet = (
  path: string,
  rows: readonly (readonly Float32Array[])[],
  { frames, height, width }: Sizes,
  { zoom, gap, delay }: { readonly zoom: number; readonly gap: number; readonly delay: number },
): TE.TaskEither<Fault, void> => {
  const numbers = 3 * frames * height * width
  const odd = rows.flat().find((clip) => clip.length !== numbers)
  if (odd !== undefined) {
    return TE.left(badTensor('clip', `${odd.length} numbers, but c:3 t:${frames} y:${height} x:${width} has ${numbers}`))
  }
  const clips = rows.map((row) => row.map((clip) => clipOf(clip, frames, height, width, zoom)))
  const first = clips.flat()[0]
  return first === undefined ? TE.left(refused('a sheet needs a clip, but got none')) : writeGif(path, sheetOf(clips, first, gap), delay)
}
