import { keyOf, threefry, uniformNumber } from '#lib/kernel/threefry.ts'

export const shapes = ['disc', 'square', 'cross'] as const
export const directions = ['right', 'left', 'up', 'down'] as const
export type Shape = (typeof shapes)[number]
export type Direction = (typeof directions)[number]

/** What a clip shows: a shape, and where it moves to. */
export interface ClipKind {
  readonly shape: Shape
  readonly direction: Direction
}

/** All kinds of clips, those of one shape side by side. */
export const kinds: readonly ClipKind[] = shapes.flatMap((shape) => directions.map((direction) => ({ shape, direction })))

export interface Sizes {
  readonly frames: number
  readonly height: number
  readonly width: number
}

/** A place in pixels; pixel (0, 0) covers the square from (0, 0) to (1, 1). */
export interface Place {
  readonly x: number
  readonly y: number
}

const background = -0.8
const colours: Readonly<Record<Shape, readonly [number, number, number]>> = {
  disc: [1, -0.1, -0.6],
  square: [-0.5, 0.8, -0.3],
  cross: [-0.3, 0.1, 1],
}
/** Half open, so that a shape is equally wide wherever the samples lie. */
const within = (x: number, half: number): boolean => x >= -half && x < half
/** Whether a shape of radius 1 around (0, 0) covers a point; the three cover about the same area. */
const covers: Readonly<Record<Shape, (x: number, y: number) => boolean>> = {
  disc: (x, y) => x * x + y * y < 1,
  square: (x, y) => within(x, 0.875) && within(y, 0.875),
  cross: (x, y) => (within(x, 1.125) && within(y, 0.375)) || (within(x, 0.375) && within(y, 1.125)),
}
const reach = 1.125

/**
 * How far a shape moves in a frame. From 6 frames on a clip leads the shape once around, so that it plays in a loop; a shorter
 * clip moves no faster than that, so that left differs from right. Always half pixels: `judge` then finds every frame on its grid.
 */
export const speedOf = (direction: Direction, { frames, height, width }: Sizes): Place => {
  const along = (extent: number): number => Math.max(1, Math.round((2 * extent) / Math.max(6, frames))) / 2
  switch (direction) {
    case 'right':
      return { x: along(width), y: 0 }
    case 'left':
      return { x: -along(width), y: 0 }
    case 'up':
      return { x: 0, y: -along(height) }
    case 'down':
      return { x: 0, y: along(height) }
  }
}

/** How much of each pixel `y x` a shape around `centre` covers, from 4 × 4 samples a pixel; what leaves on one side enters on the other. */
const coverage = (shape: Shape, centre: Place, height: number, width: number): Float32Array => {
  const covered = new Float32Array(height * width)
  const radius = Math.min(height, width) / 4
  const near = reach * radius + 1
  const wrapped = (offset: number, extent: number): number => offset - extent * Math.round(offset / extent)
  for (let y = 0; y < height; y++) {
    const fromY = wrapped(y + 0.5 - centre.y, height)
    if (Math.abs(fromY) > near) continue
    for (let x = 0; x < width; x++) {
      const fromX = wrapped(x + 0.5 - centre.x, width)
      if (Math.abs(fromX) > near) continue
      let hits = 0
      for (let sample = 0; sample < 16; sample++) {
        const [dx, dy] = [((sample & 3) - 1.5) / 4, ((sample >> 2) - 1.5) / 4]
        if (covers[shape]((fromX + dx) / radius, (fromY + dy) / radius)) hits++
      }
      covered[y * width + x] = hits / 16
    }
  }
  return covered
}

/** One clip `c:3 t y x`, from -1 to 1: a shape, around `start` in the first frame, moves steadily over a dark background. */
export const makeClip = (kind: ClipKind, start: Place, sizes: Sizes): Float32Array => {
  const { frames, height, width } = sizes
  const frame = height * width
  const clip = new Float32Array(3 * frames * frame)
  const speed = speedOf(kind.direction, sizes)
  for (let t = 0; t < frames; t++) {
    const covered = coverage(kind.shape, { x: start.x + t * speed.x, y: start.y + t * speed.y }, height, width)
    for (const [channel, colour] of colours[kind.shape].entries()) {
      const from = (channel * frames + t) * frame
      for (let i = 0; i < frame; i++) clip[from + i] = background + covered[i]! * (colour - background)
    }
  }
  return clip
}

/** Captions `b l:2 w` of one-hot words: first the shape, then the direction; w counts the words of both. */
export const captionOf = (kinds: readonly ClipKind[]): Float32Array => {
  const words = shapes.length + directions.length
  const captions = new Float32Array(kinds.length * 2 * words)
  for (const [b, { shape, direction }] of kinds.entries()) {
    captions[2 * b * words + shapes.indexOf(shape)] = 1
    captions[(2 * b + 1) * words + shapes.length + directions.indexOf(direction)] = 1
  }
  return captions
}

const modulo = (a: number, n: number): number => ((a % n) + n) % n

/** What the random numbers are for. Every use has its own stream, so that none repeats another's numbers. */
const streams = { shape: 0, direction: 1, x: 2, y: 3, uniform: 4, radius: 5, angle: 6 } as const

/** Random numbers in [0, 1) by index, for one use in one step. */
const draws = (seed: number, use: keyof typeof streams, step: number): (index: number) => number => {
  const [low, high] = keyOf(seed)
  const key = threefry(threefry(low, streams[use], high), step)
  return (index) => uniformNumber(key, 0, index, 0)
}

/** Shapes start on the grid of the model's patches, which are two pixels wide: there is less to learn about them. */
const onGrid = (at: number): number => 2 * Math.floor(at / 2)

/** Batch number `step` of an endless stream of clips: a function of its arguments alone, so that training can go on at any step. */
export const batchAt = (
  seed: number,
  step: number,
  batch: number,
  sizes: Sizes,
): { readonly kinds: readonly ClipKind[]; readonly clips: Float32Array; readonly captions: Float32Array } => {
  const [shape, direction] = [draws(seed, 'shape', step), draws(seed, 'direction', step)]
  const [x, y] = [draws(seed, 'x', step), draws(seed, 'y', step)]
  const drawn = Array.from({ length: batch }, (_, b): ClipKind => ({
    shape: shapes[Math.floor(shape(b) * shapes.length)]!,
    direction: directions[Math.floor(direction(b) * directions.length)]!,
  }))
  const size = 3 * sizes.frames * sizes.height * sizes.width
  const clips = new Float32Array(batch * size)
  for (const [b, kind] of drawn.entries()) {
    clips.set(makeClip(kind, { x: onGrid(x(b) * sizes.width), y: onGrid(y(b) * sizes.height) }, sizes), b * size)
  }
  return { kinds: drawn, clips, captions: captionOf(drawn) }
}

/** `count` numbers in [0, 1), each a function of (seed, step, index) alone. */
export const uniformNoise = (seed: number, step: number, count: number): Float32Array => {
  const uniform = draws(seed, 'uniform', step)
  return new Float32Array(count).map((_, i) => uniform(i))
}

/** `count` standard normal numbers, each a function of (seed, step, index) alone (Box and Muller, 1958). */
export const normalNoise = (seed: number, step: number, count: number): Float32Array => {
  const [radius, angle] = [draws(seed, 'radius', step), draws(seed, 'angle', step)]
  return new Float32Array(count).map((_, i) => Math.sqrt(-2 * Math.log(1 - radius(i))) * Math.cos(2 * Math.PI * angle(i)))
}

/** A shape's mask with its centre `phase` half pixels from the corner: the pixels it covers, as offsets into a frame tiled 2 × 2. */
const maskOf = (shape: Shape, phase: Place, { height, width }: Sizes) => {
  const covered = coverage(shape, { x: phase.x / 2, y: phase.y / 2 }, height, width)
  const pixels = [...covered.keys()].filter((i) => covered[i]! > 0)
  const weights = pixels.map((i) => covered[i]!)
  return {
    offsets: Int32Array.from(pixels, (i) => Math.floor(i / width) * 2 * width + (i % width)),
    weights: Float64Array.from(weights),
    sum: weights.reduce((sum, weight) => sum + weight, 0),
    squares: weights.reduce((sum, weight) => sum + weight * weight, 0),
  }
}

/** Each frame of `values` (`c:3 t y x`) seen in the light of one colour, tiled 2 × 2 so that a mask need not wrap around. */
const tiled = (values: Float64Array, light: readonly number[], { frames, height, width }: Sizes): Float64Array => {
  const tiles = new Float64Array(4 * frames * height * width)
  for (let t = 0; t < frames; t++) {
    for (let y = 0; y < 2 * height; y++) {
      for (let x = 0; x < 2 * width; x++) {
        for (const [channel, weight] of light.entries()) {
          tiles[(2 * height * t + y) * 2 * width + x]! += weight *
            values[((channel * frames + t) * height + (y % height)) * width + (x % width)]!
        }
      }
    }
  }
  return tiles
}

/**
 * Which kind of clip this looks like most, and how much: its correlation with the best of all clips of `makeClip` that start on a
 * grid of half pixels. 1 says that it is one of them; clips between the points of the grid come close, noise comes to about 0.
 *
 * Speeds are half pixels too, so each frame of each such clip is one of four masks, rolled. The product of every frame with every
 * roll is taken once for each shape; those of the clips, in all directions from all starts, are sums of these.
 */
export const judge = (clip: Float32Array, sizes: Sizes): { readonly kind: ClipKind; readonly correlation: number } => {
  const { frames, height, width } = sizes
  const [rows, columns] = [2 * height, 2 * width]
  const mean = clip.reduce((sum, value) => sum + value, 0) / clip.length
  const values = Float64Array.from(clip, (value) => value - mean)
  const energy = values.reduce((sum, value) => sum + value * value, 0)
  let best = { kind: kinds[0]!, correlation: 0 }
  for (const shape of shapes) {
    const light = colours[shape].map((colour) => colour - background)
    const lightSum = light.reduce((sum, weight) => sum + weight, 0)
    const lightSquares = light.reduce((sum, weight) => sum + weight * weight, 0)
    const masks = [0, 1, 2, 3].map((phase) => maskOf(shape, { x: phase & 1, y: phase >> 1 }, sizes))
    const maskAt = (y: number, x: number) => masks[2 * (y & 1) + (x & 1)]!
    const tiles = tiled(values, light, sizes)
    const products = new Float64Array(frames * rows * columns)
    for (let at = 0; at < products.length; at++) {
      const [t, y, x] = [Math.floor(at / columns / rows), Math.floor(at / columns) % rows, at % columns]
      const { offsets, weights } = maskAt(y, x)
      const corner = (t * rows + (y >> 1)) * columns + (x >> 1)
      let product = 0
      for (let i = 0; i < offsets.length; i++) product += weights[i]! * tiles[corner + offsets[i]!]!
      products[at] = product
    }
    for (const direction of directions) {
      const speed = speedOf(direction, sizes)
      for (let start = 0; start < rows * columns; start++) {
        let [product, sum, squares] = [0, 0, 0]
        for (let t = 0; t < frames; t++) {
          const y = modulo(Math.floor(start / columns) + 2 * speed.y * t, rows)
          const x = modulo((start % columns) + 2 * speed.x * t, columns)
          product += products[(t * rows + y) * columns + x]!
          sum += maskAt(y, x).sum
          squares += maskAt(y, x).squares
        }
        const correlation = product / Math.sqrt(energy * (lightSquares * squares - (lightSum * sum) ** 2 / clip.length))
        if (correlation > best.correlation) best = { kind: { shape, direction }, correlation }
      }
    }
  }
  return best
}
