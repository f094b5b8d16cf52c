import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { DType } from '#lib/dtype.ts'
import { contiguous, elementsOf, type ScatterKernel } from '#lib/kernel/kernel.ts'
import { assertClose, type Backends, type Buffer, execute, lie, openAll, randomElements, sizes, viewOf } from './support.ts'

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

interface Scatter {
  readonly batch: readonly number[]
  readonly inner: readonly number[]
  readonly rest: readonly number[]
  readonly type: DType
  readonly rows: number
}

/** The same by the definition, from tensors that lie contiguously: row by row, a walk over all ids. */
const oneHot = ({ batch, inner, rest, rows }: Scatter, first: number, ids: ArrayLike<number>, values: ArrayLike<number>): Float64Array => {
  const [batches, positions, features] = [batch, inner, rest].map(elementsOf) as [number, number, number]
  const out = new Float64Array(batches * rows * features)
  for (let b = 0; b < batches; b++) {
    for (let r = 0; r < rows; r++) {
      for (let f = 0; f < features; f++) {
        for (let i = 0; i < positions; i++) {
          if (ids[b * positions + i] === first + r) out[(b * rows + r) * features + f]! += values[(b * positions + i) * features + f]!
        }
      }
    }
  }
  return out
}

/** A kernel over contiguous tensors: the output in buffer 0, ids in 1, values in 2. */
const contiguousKernel = ({ batch, inner, rest, type, rows }: Scatter, first = 0): ScatterKernel => {
  const [ofBatch, ofInner, ofRest] = [batch.length, inner.length, rest.length]
  const loops = [...batch, ...inner, ...rest]
  const to = contiguous([...batch, rows, ...rest])
  return {
    kind: 'scatter',
    batch,
    inner,
    rest,
    ids: { buffer: 1, type: 'i32', offset: 0, strides: [...contiguous([...batch, ...inner]), ...rest.map(() => 0)] },
    values: { buffer: 2, type, offset: 0, strides: contiguous(loops) },
    first,
    rows,
    step: to[ofBatch]!,
    output: {
      buffer: 0,
      type,
      offset: 0,
      strides: [...to.slice(0, ofBatch), ...new Array<number>(ofInner).fill(0), ...to.slice(-ofRest || to.length)],
    },
  }
}

const buffersFor = ({ batch, rows, rest, type }: Scatter, ids: Int32Array, values: Buffer['elements']): readonly Buffer[] => [
  { type, elements: randomElements(type, Math.max(1, elementsOf([...batch, rows, ...rest])), 99) },
  { type: 'i32', elements: ids },
  { type, elements: values },
]

const scatter: fc.Arbitrary<Scatter> = fc.record({
  batch: sizes(0, 2, [1, 2, 3]),
  inner: sizes(0, 2, [1, 2, 5, 16, 40]),
  rest: sizes(0, 2, [1, 3, 4, 8]),
  type: fc.constantFrom<DType>('f32', 'i32'),
  rows: fc.constantFrom(1, 2, 7, 33),
})

describe('a scatter', () => {
  test('is the sum of the values whose id names the row, whole or in pieces of the rows, on every backend', async () => {
    await fc.assert(
      fc.asyncProperty(scatter, fc.constantFrom(0, 1, 3), fc.nat(), async (of, first, seed) => {
        const positions = elementsOf([...of.batch, ...of.inner])
        // Ids before and behind the piece's rows occur, and negative ones.
        const ids = Int32Array.from(randomElements('i32', positions, seed), (id) => id % (first + of.rows + 3))
        const values = randomElements(of.type, positions * elementsOf(of.rest), seed + 1)
        const wanted = oneHot(of, first, ids, values)
        for (const backend of [backends.reference, ...backends.webgpu]) {
          const got = await execute(backend, buffersFor(of, ids, values), [contiguousKernel(of, first)], 0)
          if (of.type === 'i32') assert.deepEqual(Array.from(got), Array.from(wanted))
          else assertClose(got, wanted, 1e-6, 2e-6)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('gives the same on every backend however its views lie, and writes nothing beside its rows', async () => {
    const lies = scatter.chain((of) =>
      fc.tuple(
        fc.constant(of),
        lie(of.batch.length + 1 + of.rest.length),
        lie(of.batch.length + of.inner.length + of.rest.length),
        lie(of.batch.length + of.inner.length + of.rest.length),
        fc.nat(),
      )
    )
    await fc.assert(
      fc.asyncProperty(lies, async ([of, outLie, valuesLie, idsLie, seed]) => {
        const { batch, inner, rest, type, rows } = of
        const loops = [...batch, ...inner, ...rest]
        const out = viewOf(0, type, [...batch, rows, ...rest], outLie, [], true)
        const still = loops.map((_, loop) => loop >= batch.length + inner.length)
        const ids = viewOf(1, 'i32', loops, idsLie, still)
        const values = viewOf(2, type, loops, valuesLie)
        const { strides } = out.view
        const kernel: ScatterKernel = {
          kind: 'scatter',
          batch,
          inner,
          rest,
          ids: ids.view,
          values: values.view,
          first: 1,
          rows,
          step: strides[batch.length]!,
          output: { ...out.view, strides: [...strides.slice(0, batch.length), ...inner.map(() => 0), ...strides.slice(batch.length + 1)] },
        }
        const buffers: readonly Buffer[] = [
          { type, elements: randomElements(type, out.length, seed) },
          { type: 'i32', elements: Int32Array.from(randomElements('i32', ids.length, seed + 1), (id) => id % (rows + 3)) },
          { type, elements: randomElements(type, values.length, seed + 2) },
        ]
        const expected = await execute(backends.reference, buffers, [kernel], 0)
        for (const backend of backends.webgpu) {
          const got = await execute(backend, buffers, [kernel], 0)
          if (type === 'i32') assert.deepEqual(got, expected)
          else assertClose(got, expected, 1e-6, 2e-6)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('of no ids at all is 0, and so are rows that no id names', async () => {
    const none: Scatter = { batch: [2], inner: [0], rest: [3], type: 'f32', rows: 5 }
    const beside: Scatter = { batch: [2], inner: [3], rest: [3], type: 'f32', rows: 5 }
    for (const backend of [backends.reference, ...backends.webgpu]) {
      const empty = await execute(backend, buffersFor(none, new Int32Array(1), new Float32Array(1)), [contiguousKernel(none)], 0)
      assert.deepEqual(Array.from(empty), new Array(30).fill(0))
      const ids = Int32Array.of(-1, 5, -2147483648, 2147483647, 6, 100)
      const outside = await execute(backend, buffersFor(beside, ids, new Float32Array(18).fill(1)), [contiguousKernel(beside, 0)], 0)
      assert.deepEqual(Array.from(outside), new Array(30).fill(0))
    }
  })

  test('keeps its digits where one id comes a hundred thousand times', async () => {
    const count = 100_000
    for (const rest of [[], [4]]) {
      const of: Scatter = { batch: [], inner: [count], rest, type: 'f32', rows: 3 }
      const values = new Float32Array(count * elementsOf(rest)).fill(0.1)
      // float32(0.1) times the count, in float64.
      const wanted = Math.fround(0.1) * count
      for (const backend of backends.webgpu) {
        const got = await execute(backend, buffersFor(of, new Int32Array(count).fill(1), values), [contiguousKernel(of)], 0)
        const perRow = elementsOf(rest)
        got.forEach((sum, i) => {
          const error = i >= perRow && i < 2 * perRow ? Math.abs(sum / wanted - 1) : Math.abs(sum)
          assert.ok(error <= 1e-6, `element ${i} is ${sum}, not ${wanted}`)
        })
      }
    }
  })

  test('wraps around as i32 does', async () => {
    const of: Scatter = { batch: [], inner: [3], rest: [], type: 'i32', rows: 1 }
    const values = Int32Array.of(2147483647, 2147483647, 3)
    for (const backend of [backends.reference, ...backends.webgpu]) {
      assert.deepEqual(Array.from(await execute(backend, buffersFor(of, new Int32Array(3), values), [contiguousKernel(of)], 0)), [1])
    }
  })

  test('makes the same bits on every run, and passes infinities and NaN on to their own rows only', async () => {
    const of: Scatter = { batch: [], inner: [5000], rest: [8], type: 'f32', rows: 50 }
    const ids = Int32Array.from(randomElements('i32', 5000, 5), (id) => Math.abs(id) % 50)
    const values = randomElements('f32', 40_000, 6)
    const special = Float32Array.from(values)
    special.set([Infinity], 8 * ids.indexOf(7))
    special.set([NaN], 8 * ids.indexOf(9) + 1)
    for (const backend of backends.webgpu) {
      const [once, again, other] = [
        await execute(backend, buffersFor(of, ids, values), [contiguousKernel(of)], 0),
        await execute(backend, buffersFor(of, ids, values), [contiguousKernel(of)], 0),
        await execute(backend, buffersFor(of, ids, special), [contiguousKernel(of)], 0),
      ]
      assert.deepEqual(again, once)
      // As lists, since a NaN may have any bits.
      assert.deepEqual(Array.from(other), Array.from(once, (sum, i) => i === 7 * 8 ? Infinity : i === 9 * 8 + 1 ? NaN : sum))
    }
  })
})
