import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  batchAt,
  captionOf,
  directions,
  judge,
  kinds,
  makeClip,
  normalNoise,
  shapes,
  speedOf,
  uniformNoise,
} from '../../examples/video-diffusion/shapes.ts'

const sizes = { frames: 8, height: 16, width: 16 }
const oblong = { frames: 6, height: 12, width: 24 }
const modulo = (a: number, n: number): number => ((a % n) + n) % n

const anyKind = fc.constantFrom(...kinds)
/** Eighths of a pixel lie on the grid of samples, or half-way between its points: sums of them are exact. */
const eighths = fc.record({ x: fc.integer({ min: -200, max: 200 }), y: fc.integer({ min: -200, max: 200 }) })
  .map(({ x, y }) => ({ x: x / 8, y: y / 8 }))

/** The largest distance of the numbers' distribution from the one they should have, times the root of their count. */
const kolmogorov = (numbers: Float32Array, distribution: (x: number) => number): number => {
  const sorted = numbers.slice().sort()
  let distance = 0
  for (const [i, x] of sorted.entries()) {
    const [below, above] = [distribution(x) - i / sorted.length, (i + 1) / sorted.length - distribution(x)]
    distance = Math.max(distance, below, above)
  }
  return distance * Math.sqrt(sorted.length)
}
/** Exceeded by one sample in a million, were the numbers random; the seeds are fixed, so the tests are too. */
const bound = Math.sqrt(Math.log(2e6) / 2)

/** The integral of the normal density by Simpson's rule. */
const normalDistribution = (x: number): number => {
  const [steps, from] = [64, Math.abs(x)]
  const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  let sum = density(0) + density(from)
  for (let i = 1; i < steps; i++) sum += (i % 2 === 0 ? 2 : 4) * density((i * from) / steps)
  return 0.5 + (Math.sign(x) * sum * from) / steps / 3
}

const meanOf = (numbers: ArrayLike<number>): number => Array.from(numbers).reduce((sum, x) => sum + x, 0) / numbers.length
const correlationOf = (a: Float32Array, b: Float32Array): number => {
  const [meanA, meanB] = [meanOf(a), meanOf(b)]
  const product = (c: Float32Array, d: Float32Array, m: number, n: number): number => meanOf(c.map((x, i) => (x - m) * (d[i]! - n)))
  return product(a, b, meanA, meanB) / Math.sqrt(product(a, a, meanA, meanA) * product(b, b, meanB, meanB))
}

describe('clips of shapes', () => {
  it('move on the torus: the next frame is the frame, rolled by the speed', () => {
    fc.assert(
      fc.property(anyKind, eighths, fc.constantFrom(sizes, oblong), (kind, start, sizes) => {
        const { frames, height, width } = sizes
        const [clip, speed] = [makeClip(kind, start, sizes), speedOf(kind.direction, sizes)]
        assert.ok(Number.isInteger(speed.x) && Number.isInteger(speed.y))
        const at = (c: number, t: number, y: number, x: number): number =>
          clip[((c * frames + t) * height + modulo(y, height)) * width + modulo(x, width)]!
        for (let c = 0; c < 3; c++) {
          for (let t = 1; t < frames; t++) {
            for (let y = 0; y < height; y++) {
              for (let x = 0; x < width; x++) assert.equal(at(c, t, y, x), at(c, t - 1, y - speed.y, x - speed.x))
            }
          }
        }
      }),
      { numRuns: 25 },
    )
  })

  it('go where their direction says', () => {
    const towards = { right: [1, 0], left: [-1, 0], up: [0, -1], down: [0, 1] }
    for (const direction of directions) {
      const speed = speedOf(direction, sizes)
      assert.deepEqual([Math.sign(speed.x), Math.sign(speed.y)].map((sign) => sign + 0), towards[direction])
    }
  })

  it('hold their start on the torus, their colours from -1 to 1, and their shape at every place', () => {
    fc.assert(
      fc.property(anyKind, eighths, (kind, start) => {
        const clip = makeClip(kind, start, sizes)
        assert.deepEqual(clip, makeClip(kind, { x: start.x + sizes.width, y: start.y - sizes.height }, sizes))
        assert.ok(clip.every((value) => value >= -1 && value <= 1))
        const brightness = meanOf(clip) - meanOf(makeClip(kind, { x: 0, y: 0 }, sizes))
        assert.ok(Math.abs(brightness) < 0.01, String(brightness))
      }),
      { numRuns: 40 },
    )
  })

  it('cover what the shapes cover, up to the samples', () => {
    const radius = 16
    const areas = { disc: Math.PI, square: 1.75 ** 2, cross: 2 * 2.25 * 0.75 - 0.75 ** 2 }
    const still = { frames: 1, height: 4 * radius, width: 4 * radius }
    for (const shape of shapes) {
      const red = makeClip({ shape, direction: 'up' }, { x: 5.3, y: 60.1 }, still).subarray(0, still.height * still.width)
      const full = red[5 + 60 * still.width]!
      const area = red.reduce((sum, value) => sum + (value + 0.8) / (full + 0.8), 0) / radius ** 2
      assert.ok(Math.abs(area - areas[shape]) < 0.03, `${shape}: ${area}`)
    }
  })
})

describe('batches', () => {
  it('are functions of seed and step', () => {
    assert.deepEqual(batchAt(3, 7, 5, sizes), batchAt(3, 7, 5, sizes))
    const several = [batchAt(3, 7, 5, sizes), batchAt(3, 8, 5, sizes), batchAt(4, 7, 5, sizes), batchAt(7, 3, 5, sizes)]
    assert.equal(new Set(several.map(({ clips }) => clips.join())).size, several.length)
  })

  it('begin with the same clips when they are larger', () => {
    const [small, large] = [batchAt(0, 1, 2, sizes), batchAt(0, 1, 6, sizes)]
    assert.deepEqual(small.clips, large.clips.slice(0, small.clips.length))
    assert.deepEqual(small.captions, large.captions.slice(0, small.captions.length))
  })

  it('hold every kind about equally often', () => {
    const counts = new Map<string, number>()
    for (let step = 0; step < 100; step++) {
      for (const { shape, direction } of batchAt(1, step, 12, { frames: 1, height: 4, width: 4 }).kinds) {
        counts.set(`${shape} ${direction}`, (counts.get(`${shape} ${direction}`) ?? 0) + 1)
      }
    }
    assert.equal(counts.size, kinds.length)
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)
    assert.ok(chiSquare < 45, String(chiSquare)) // one in 200 000 with 11 degrees of freedom
  })

  it('are captioned by two one-hot words', () => {
    const captions = captionOf(kinds)
    assert.equal(captions.length, kinds.length * 2 * 7)
    for (const [b, { shape, direction }] of kinds.entries()) {
      const words = [0, 1].map((l) => [...captions.subarray((2 * b + l) * 7, (2 * b + l + 1) * 7)])
      assert.deepEqual(words, [shape, direction].map((word) => [...shapes, ...directions].map((each) => (each === word ? 1 : 0))))
    }
    const { kinds: drawn, captions: given } = batchAt(2, 0, 9, sizes)
    assert.deepEqual(given, captionOf(drawn))
  })
})

describe('noise', () => {
  const count = 40_000
  const streams: readonly (readonly [string, (seed: number, step: number, count: number) => Float32Array])[] = [
    ['normal', normalNoise],
    ['uniform', uniformNoise],
  ]

  it('has the mean, the variance and the distribution it should have', () => {
    for (const [seed, step] of [[0, 0], [0, 1], [1, 0], [12345, 678]] as const) {
      const [normal, uniform] = [normalNoise(seed, step, count), uniformNoise(seed, step, count)]
      assert.ok(Math.abs(meanOf(normal)) < 5 / Math.sqrt(count))
      assert.ok(Math.abs(meanOf(normal.map((x) => x * x)) - 1) < 5 * Math.sqrt(2 / count))
      assert.ok(kolmogorov(normal, normalDistribution) < bound)
      assert.ok(uniform.every((x) => x >= 0 && x < 1))
      assert.ok(Math.abs(meanOf(uniform) - 0.5) < 5 * Math.sqrt(1 / 12 / count))
      assert.ok(kolmogorov(uniform, (x) => x) < bound)
    }
  })

  it('is a function of seed, step and index', () => {
    for (const [, noise] of streams) {
      assert.deepEqual(noise(5, 6, 50), noise(5, 6, 50))
      assert.deepEqual(noise(5, 6, 50), noise(5, 6, 100).slice(0, 50))
    }
  })

  it('of neighbouring seeds and steps, and of the two sorts, is unrelated', () => {
    for (const [, noise] of streams) {
      const all = [noise(5, 6, count), noise(6, 5, count), noise(5, 7, count), noise(6, 6, count), noise(6, 7, count), noise(0, 11, count)]
      for (const [i, a] of all.entries()) {
        for (const b of all.slice(i + 1)) {
          assert.ok(Math.abs(correlationOf(a, b)) < 5 / Math.sqrt(count))
          for (const shift of [1, 2]) assert.ok(Math.abs(correlationOf(a.subarray(shift), b.subarray(0, -shift))) < 5 / Math.sqrt(count))
        }
      }
    }
    assert.ok(Math.abs(correlationOf(normalNoise(5, 6, count), uniformNoise(5, 6, count))) < 5 / Math.sqrt(count))
  })

  it('gives each step an average of its own', () => {
    const averages = Float32Array.from({ length: 2000 }, (_, step) => meanOf(normalNoise(9, step, 25)) * 5)
    assert.ok(kolmogorov(averages, normalDistribution) < bound)
  })
})

describe('the judge', () => {
  const place = fc.record({ x: fc.double({ min: 0, max: 16, noNaN: true }), y: fc.double({ min: 0, max: 16, noNaN: true }) })

  it('tells every kind, wherever it starts, also under some noise', () => {
    for (const kind of kinds) {
      fc.assert(
        fc.property(place, fc.integer(), (start, seed) => {
          const clip = makeClip(kind, start, sizes)
          const clear = judge(clip, sizes)
          assert.deepEqual(clear.kind, kind)
          assert.ok(clear.correlation > 0.95 && clear.correlation < 1 + 1e-9, String(clear.correlation))
          const noise = normalNoise(seed, 0, clip.length)
          const dim = judge(clip.map((value, i) => value + 0.5 * noise[i]!), sizes)
          assert.deepEqual(dim.kind, kind)
          assert.ok(dim.correlation < clear.correlation)
        }),
        { numRuns: 4 },
      )
    }
  })

  it('knows a clip that starts on its grid for what it is, in any brightness', () => {
    fc.assert(
      fc.property(anyKind, eighths, fc.constantFrom(sizes, oblong), (kind, { x, y }, sizes) => {
        const clip = makeClip(kind, { x: Math.round(2 * x) / 2, y: Math.round(2 * y) / 2 }, sizes)
        const { kind: told, correlation } = judge(clip.map((value) => value / 2 + 0.25), sizes)
        assert.deepEqual(told, kind)
        assert.ok(Math.abs(correlation - 1) < 1e-6, String(correlation))
      }),
      { numRuns: 15 },
    )
  })

  it('agrees with the correlation taken directly', () => {
    const sizes = { frames: 3, height: 6, width: 4 }
    const clip = normalNoise(1, 2, 3 * 3 * 6 * 4)
    const starts = Array.from({ length: 12 * 8 }, (_, i) => ({ y: Math.floor(i / 8) / 2, x: (i % 8) / 2 }))
    const all = kinds.flatMap((kind) => starts.map((start) => ({ kind, correlation: correlationOf(clip, makeClip(kind, start, sizes)) })))
    const best = all.reduce((a, b) => (b.correlation > a.correlation ? b : a))
    const judged = judge(clip, sizes)
    assert.deepEqual(judged.kind, best.kind)
    assert.ok(Math.abs(judged.correlation - best.correlation) < 1e-6)
  })

  it('finds nothing in noise, in one colour, or in what is no number', () => {
    for (let seed = 0; seed < 8; seed++) assert.ok(judge(normalNoise(seed, 0, 3 * 8 * 16 * 16), sizes).correlation < 0.15)
    assert.equal(judge(new Float32Array(3 * 8 * 16 * 16).fill(0.25), sizes).correlation, 0)
    assert.equal(judge(makeClip(kinds[0]!, { x: 1, y: 1 }, sizes).fill(NaN, 5, 6), sizes).correlation, 0)
  })

  it('is not convinced by the frames in another order', () => {
    const clip = makeClip({ shape: 'disc', direction: 'right' }, { x: 4, y: 4 }, sizes)
    const frame = 16 * 16
    const shuffled = clip.map((_, i) =>
      clip[(Math.floor(i / (8 * frame)) * 8 + [3, 0, 6, 1, 7, 4, 2, 5][Math.floor(i / frame) % 8]!) * frame + (i % frame)]!
    )
    assert.ok(judge(shuffled, sizes).correlation < 0.6)
    const backwards = clip.map((_, i) => clip[(Math.floor(i / (8 * frame)) * 8 + 7 - (Math.floor(i / frame) % 8)) * frame + (i % frame)]!)
    assert.deepEqual(judge(backwards, sizes).kind, { shape: 'disc', direction: 'left' })
  })
})
