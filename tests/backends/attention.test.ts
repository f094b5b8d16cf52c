import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type AttentionKernel, contiguous } from '#lib/kernel/kernel.ts'
import { blocksOf, elementAt, from, kept, masked, maskElements, positionsOf } from './attention-blocks.ts'
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

const inBlocks = fc.record({
  rows: sizes(0, 3, [1, 2, 3, 5]),
  blocks: fc.constantFrom(0, 1, 3, 8, 11).chain(blocksOf),
  features: fc.constantFrom(1, 3, 4, 8),
  mask: fc.constantFrom(null, 'bool' as const, 'f32' as const),
  kept,
  logSum: fc.boolean(),
  seed: fc.nat(),
}).chain((k) => fc.tuple(fc.constant(k), fc.array(lie(k.rows.length + 2), { minLength: 8, maxLength: 8 })))

test('attention block after block of keys is attention over all of them, and the logarithm of the sum of exponentials is true', async () => {
  await fc.assert(
    fc.asyncProperty(inBlocks, async ([k, lies]) => {
      const [byKey, scale] = [k.rows.length, 0.7]
      const keys = k.blocks.reduce((sum, size) => sum + size, 0)
      const loops = [...k.rows, keys, k.features]
      const without = (loop: number): boolean[] => loops.map((_, n) => n === loop)
      // Buffer 0 holds the result; what is left between blocks is in buffers 5 and on.
      const states = k.blocks.map((_, n) => {
        const last = n === k.blocks.length - 1
        const more = !last || k.logSum ? 1 : 0
        return viewOf(last ? 0 : 5 + n, 'f32', [...k.rows, keys, k.features + more], lies[last ? 0 : 5 + n]!, without(byKey), true)
      })
      const query = viewOf(1, 'f32', loops, lies[1]!, without(byKey))
      const key = viewOf(2, 'f32', loops, lies[2]!)
      const value = viewOf(3, 'f32', loops, lies[3]!)
      const mask = viewOf(4, k.mask ?? 'f32', loops, lies[4]!, without(byKey + 1))
      const buffers: Buffer[] = [states.at(-1)!, query, key, value, mask, ...states.slice(0, -1)].map(({ view, length }, n) => ({
        type: view.type,
        elements: n === 4 && k.mask !== null
          ? maskElements(k.mask, length, k.seed + n, k.kept)
          : randomElements(view.type, length, k.seed + n),
      }))
      const kernels = k.blocks.map((size, n): AttentionKernel => {
        const start = k.blocks.slice(0, n).reduce((sum, size) => sum + size, 0)
        return {
          kind: 'attention',
          rows: k.rows,
          keys: size,
          features: k.features,
          scale,
          query: query.view,
          key: from(key.view, byKey, start),
          value: from(value.view, byKey, start),
          mask: k.mask === null ? null : from(mask.view, byKey, start),
          carry: n === 0 ? null : states[n - 1]!.view,
          logSum: n < k.blocks.length - 1 || k.logSum,
          output: states[n]!.view,
        }
      })

      const expected = Float64Array.from(buffers[0]!.elements)
      const { view } = states.at(-1)!
      for (const row of positionsOf(k.rows)) {
        const read = (of: typeof view, j: number, f: number): number => elementAt(buffers, of, [...row, j, f])
        const scores = Array.from({ length: keys }, (_, j) => {
          let score = 0
          for (let f = 0; f < k.features; f++) score += scale * read(query.view, j, f) * read(key.view, j, f)
          return k.mask === null ? score : masked(k.mask, score, read(mask.view, j, 0))
        })
        const total = scores.reduce((sum, score) => sum + Math.exp(score), 0)
        const at = (f: number): number => view.offset + [...row, 0, f].reduce((sum, n, loop) => sum + n * view.strides[loop]!, 0)
        for (let f = 0; f < k.features; f++) {
          const sum = scores.reduce((sum, score, j) => sum + Math.exp(score) * read(value.view, j, f), 0)
          expected[at(f)] = total === 0 ? 0 : sum / total
        }
        if (k.logSum) expected[at(k.features)] = Math.log(total)
      }
      for (const backend of [backends.reference, ...backends.webgpu]) {
        assertClose(await execute(backend, buffers, kernels, 0), expected, 2e-5, 1e-5)
      }
    }),
    { numRuns: 40 },
  )
})

test('NaN is not hidden by the blocks that come after it', async () => {
  const [queries, keys, features] = [3, 4, 4]
  const whole = head(queries, keys, features, null)
  const state = (buffer: number) => ({ ...whole.output, buffer, strides: [features + 1, 0, 1] })
  const first: AttentionKernel = { ...whole, keys: 2, logSum: true, output: state(4) }
  const second: AttentionKernel = {
    ...whole,
    keys: 2,
    key: from(whole.key, 1, 2),
    value: from(whole.value, 1, 2),
    carry: state(4),
    output: { ...whole.output },
  }
  const left: Buffer = { type: 'f32', elements: new Float32Array(queries * (features + 1)) }
  for (const [buffer, at, rows] of [[1, features, [1]], [2, 1, [0, 1, 2]], [2, 3 * features, [0, 1, 2]], [3, 0, [0, 1, 2]]] as const) {
    const given = tensors(queries, keys, features, left)
    given[buffer]!.elements[at] = NaN
    for (const backend of [backends.reference, ...backends.webgpu]) {
      const result = await execute(backend, given, [first, second], 0)
      const wrong = [0, 1, 2].filter((row) => result.subarray(row * features, (row + 1) * features).some(Number.isNaN))
      assert.deepEqual(wrong, rows)
    }
  }
})

test('a single query leaves its log-sum-exp behind its features too, however they are written', async () => {
  const [keys, features] = [5, 4]
  const whole = head(1, keys, features, null)
  const given = [...tensors(1, keys, features, { type: 'f32', elements: new Float32Array(1) })]
  given[0] = { type: 'f32', elements: new Float32Array(features + 1) }
  const scores = Array.from({ length: keys }, (_, j) => {
    let score = 0
    for (let f = 0; f < features; f++) score += given[1]!.elements[f]! * given[2]!.elements[j * features + f]!
    return score / Math.sqrt(features)
  })
  for (const backend of [backends.reference, ...backends.webgpu]) {
    const result = await execute(backend, given, [{ ...whole, logSum: true }], 0)
    const plain = await execute(backend, given, [whole], 0)
    assertClose(result, [...plain.subarray(0, features), Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0))], 2e-5, 1e-5)
  }
})
