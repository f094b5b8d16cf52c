import { readFile, writeFile } from 'node:fs/promises'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import gifenc from 'gifenc'
import { GifReader } from 'omggif'
import { type Fault, file, fileFault } from '#lib/fault.ts'

/** A clip of colours: RGBA bytes of each frame, row-major. */
export interface Clip {
  readonly width: number
  readonly height: number
  readonly frames: readonly Uint8Array[]
}

const failed = (path: string) => (thrown: unknown): Fault =>
  thrown instanceof Error ? fileFault(path)(thrown) : file(path, `not a GIF (${String(thrown)})`)

/** Reads an animated GIF; each frame is drawn over the ones before it. */
export const readGif = (path: string): TE.TaskEither<Fault, Clip> =>
  TE.tryCatch(async () => {
    const reader = new GifReader(await readFile(path))
    const { width, height } = reader
    const canvas = new Uint8Array(4 * width * height)
    const frames = Array.from({ length: reader.numFrames() }, (_, i) => {
      reader.decodeAndBlitFrameRGBA(i, canvas)
      return canvas.slice()
    })
    return { width, height, frames }
  }, failed(path))

/** Writes an animated GIF, `delay` milliseconds a frame. */
export const writeGif = (path: string, { width, height, frames }: Clip, delay = 120): TE.TaskEither<Fault, void> =>
  TE.tryCatch(async () => {
    const encoder = gifenc.GIFEncoder()
    for (const frame of frames) {
      const palette = gifenc.quantize(frame, 256)
      encoder.writeFrame(gifenc.applyPalette(frame, palette), width, height, { palette, delay })
    }
    encoder.finish()
    await writeFile(path, encoder.bytes())
  }, failed(path))

/** A latent `b c t y x` of one clip: frames and positions picked evenly; red, green, blue and brightness from -1 to 1. */
export const latentOf = (clip: Clip, frames: number, height: number, width: number): Float32Array => {
  const latent = new Float32Array(4 * frames * height * width)
  const pick = (at: number, of: number, from: number): number => Math.min(from - 1, Math.floor(((at + 0.5) * from) / of))
  for (let t = 0; t < frames; t++) {
    const frame = clip.frames[pick(t, frames, clip.frames.length)]!
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = 4 * (pick(y, height, clip.height) * clip.width + pick(x, width, clip.width))
        const colour = [0, 1, 2].map((channel) => frame[from + channel]! / 127.5 - 1)
        const brightness = (colour[0]! + colour[1]! + colour[2]!) / 3
        for (const [channel, value] of [...colour, brightness].entries()) latent[((channel * frames + t) * height + y) * width + x] = value
      }
    }
  }
  return latent
}

/** The first three channels of a tensor `c t y x` as a clip, each position `zoom` pixels wide and high. */
export const clipOf = (tensor: Float32Array, frames: number, height: number, width: number, zoom: number): Clip => ({
  width: width * zoom,
  height: height * zoom,
  frames: Array.from({ length: frames }, (_, t) => {
    const pixels = new Uint8Array(4 * width * height * zoom * zoom).fill(255)
    for (let y = 0; y < height * zoom; y++) {
      for (let x = 0; x < width * zoom; x++) {
        for (let channel = 0; channel < 3; channel++) {
          const value = tensor[((channel * frames + t) * height + Math.floor(y / zoom)) * width + Math.floor(x / zoom)]!
          pixels[4 * (y * width * zoom + x) + channel] = Math.max(0, Math.min(255, Math.round(127.5 * (value + 1))))
        }
      }
    }
    return pixels
  }),
})

/** The clip of a file as the latent of a batch of one, as often as the batch needs it. */
export const readLatent = (
  path: string,
  batch: number,
  frames: number,
  height: number,
  width: number,
): TE.TaskEither<Fault, Float32Array> =>
  pipe(
    readGif(path),
    TE.map((clip) => {
      const one = latentOf(clip, frames, height, width)
      const all = new Float32Array(batch * one.length)
      for (let b = 0; b < batch; b++) all.set(one, b * one.length)
      return all
    }),
  )
