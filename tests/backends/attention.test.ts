import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type AttentionKernel, contiguous } from '#lib/kernel/kernel.ts'
import { assertClose, type Backends, type Buffer, execute, lie, openAll, randomElements, sizes, viewOf } from './support.ts'

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

const kernel = fc.record({
  rows: sizes(0, 3, [1, 2, 3, 5, 9]),
  keys: fc.constantFrom(0, 1, 2, 3, 8, 9, 33),
  features: fc.constantFrom(1, 3, 4, 8, 12, 16),
  mask: fc.constantFrom(null, 'bool' as const, 'f32' as const),
  seed: fc.nat(),
}).chain((k) => fc.tuple(fc.constant(k), fc.array(lie(k.rows.length + 2), { minLength: 5, maxLength: 5 })))

test('attention gives the same on every backend, for any shape, strides, offset and mask', async () => {
  await fc.assert(
    fc.asyncProperty(kernel, async ([k, lies]) => {
      const loops = [...k.rows, k.keys, k.features]
      const byKey = k.rows.length
      const without = (loop: number): boolean[] => loops.map((_, n) => n === loop)
      const out = viewOf(0, 'f32', loops, lies[0]!, without(byKey), true)
      const query = viewOf(1, 'f32', loops, lies[1]!, without(byKey))
      const key = viewOf(2, 'f32', loops, lies[2]!)
      const value = viewOf(3, 'f32', loops, lies[3]!)
      const mask = viewOf(4, k.mask ?? 'f32', loops, lies[4]!, without(byKey + 1))
      const attention: AttentionKernel = {
        kind: 'attention',
        rows: k.rows,
        keys: k.keys,
        features: k.features,
        scale: 0.7,
        query: query.view,
        key: key.view,
        value: value.view,
        mask: k.mask === null ? null : mask.view,
        carry: null,
        logSum: false,
        output: out.view,
      }
      const buffers = [out, query, key, value, mask].map(({ view, length }, n) => (
        { type: view.type, elements: randomElements(view.type, length, k.seed + n) }
      ))
      const expected = await execute(backends.reference, buffers, [attention], 0)
      for (const backend of backends.webgpu) assertClose(await execute(backend, buffers, [attention], 0), expected, 2e-5, 1e-5)
    }),
    { numRuns: 60 },
  )
})

/** One head over contiguous [tokens, features] tensors in buffers 0 (output) to 3, mask in 4. */
const head = (queries: number, keys: number, features: number, mask: 'f32' | 'bool' | null): AttentionKernel => {
  const row = contiguous([queries, features])
  const column = contiguous([keys, features])
  return {
    kind: 'attention',
    rows: [queries],
    keys,
    features,
    scale: 1 / Math.sqrt(features),
    query: { buffer: 1, type: 'f32', offset: 0, strides: [row[0]!, 0, 1] },
    key: { buffer: 2, type: 'f32', offset: 0, strides: [0, column[0]!, 1] },
    value: { buffer: 3, type: 'f32', offset: 0, strides: [0, column[0]!, 1] },
    mask: mask === null ? null : { buffer: 4, type: mask, offset: 0, strides: [keys, 1, 0] },
    carry: null,
    logSum: false,
    output: { buffer: 0, type: 'f32', offset: 0, strides: [row[0]!, 0, 1] },
  }
}

const tensors = (queries: number, keys: number, features: number, mask: Buffer): readonly Buffer[] => [
  ...[queries, queries, keys, keys].map((tokens, n) => ({ type: 'f32' as const, elements: randomElements('f32', tokens * features, n) })),
  mask,
]

test('attention is softmax of the scaled scores times the values', async () => {
  for (const [queries, keys, features] of [[17, 40, 72], [303, 21, 24], [70, 9, 8], [5, 33, 250], [3, 10, 260]] as const) {
    const given = tensors(queries, keys, features, { type: 'f32', elements: new Float32Array(1) })
    const [q, k, v] = given.slice(1).map(({ elements }) => elements)
    const expected: number[] = []
    for (let i = 0; i < queries; i++) {
      const weights = Array.from({ length: keys }, (_, j) => {
        let score = 0
        for (let f = 0; f < features; f++) score += q![i * features + f]! * k![j * features + f]!
        return Math.exp(score / Math.sqrt(features))
      })
      const total = weights.reduce((a, b) => a + b)
      for (let f = 0; f < features; f++) {
        expected.push(weights.reduce((sum, w, j) => sum + w * v![j * features + f]!, 0) / total)
      }
    }
    for (const backend of [backends.reference, ...backends.webgpu]) {
      assertClose(await execute(backend, given, [head(queries, keys, features, null)], 0), expected, 2e-5, 1e-5)
    }
  }
})

test('a row whose keys are all masked out gives 0, and scores of -inf weigh nothing', async () => {
  const [queries, keys, features] = [12, 20, 8]
  const keep = (i: number, j: number): boolean => i !== 3 && i !== 7 && j <= i
  const places = Array.from({ length: queries * keys }, (_, n) => keep(Math.floor(n / keys), n % keys))
  const masks: readonly Buffer[] = [
    { type: 'bool', elements: Int32Array.from(places, Number) },
    { type: 'f32', elements: Float32Array.from(places, (place) => place ? 0.25 : -Infinity) },
  ]
  for (const mask of masks) {
    const kernel = head(queries, keys, features, mask.type === 'bool' ? 'bool' : 'f32')
    const given = tensors(queries, keys, features, mask)
    const expected = await execute(backends.reference, given, [kernel], 0)
    assert.ok(expected.every(Number.isFinite))
    for (const row of [3, 7]) assert.ok(expected.subarray(row * features, (row + 1) * features).every((x) => x === 0))
    for (const backend of backends.webgpu) assertClose(await execute(backend, given, [kernel], 0), expected, 2e-5, 1e-5)
  }
})

test('NaN and large scores: a NaN is never hidden, and nothing overflows', async () => {
  const [queries, keys, features] = [6, 16, 8]
  for (const [buffer, at, value] of [[1, 2 * features, NaN], [2, 3 * features + 1, NaN], [3, 5, NaN], [1, 0, 3e4]] as const) {
    const given = tensors(queries, keys, features, { type: 'f32', elements: new Float32Array(1) })
    given[buffer]!.elements[at] = value
    const kernel = head(queries, keys, features, null)
    const expected = await execute(backends.reference, given, [kernel], 0)
    assert.equal(expected.some(Number.isNaN), Number.isNaN(value))
    for (const backend of backends.webgpu) assertClose(await execute(backend, given, [kernel], 0), expected, 2e-5, 1e-5)
  }
})
