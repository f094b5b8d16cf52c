import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { AttentionGradientKernel, View } from '#lib/kernel/kernel.ts'
import { blocksOf, elementAt, from, kept, masked, maskElements, positionsOf } from './attention-blocks.ts'
import { assertClose, type Backends, type Buffer, execute, lie, openAll, randomElements, sizes, viewOf } from './support.ts'

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

const all = () => [backends.reference, ...backends.webgpu]

/** Either gradient by its formula, in float64, on the elements of a kernel's views: the expected contents of buffer 0. */
const formula = (k: AttentionGradientKernel, buffers: readonly Buffer[]): Float64Array => {
  const depth = k.rows.length
  const expected = Float64Array.from(buffers[k.output.buffer]!.elements)
  const still = k.inner.map(() => 0)
  const place = (view: View, row: readonly number[], f: number): number =>
    [...row, ...still, f].reduce((at, n, loop) => at + n * view.strides[loop]!, view.offset)
  for (const row of positionsOf(k.rows)) {
    const inner = positionsOf(k.inner).map((position) => {
      const read = (view: View, f: number): number => elementAt(buffers, view, [...row, ...position, f])
      const dot = (a: View, b: View): number =>
        Array.from({ length: k.features }, (_, f) => read(a, f) * read(b, f)).reduce((x, y) => x + y)
      const score = k.scale * dot(k.query, k.key)
      const [logSum, delta] = [read(k.stats, 0), read(k.stats, 1)]
      const kept = k.mask === null ? score : masked(k.mask.type === 'bool' ? 'bool' : 'f32', score, read(k.mask, 0))
      const weight = logSum === -Infinity ? 0 : Math.exp(kept - logSum)
      return { weight, slope: k.scale * weight * (dot(k.cotangent, k.value) - delta), read }
    })
    const carried = (part: number, f: number): number =>
      k.carry === null ? 0 : buffers[k.carry.buffer]!.elements[place(k.carry, row, f) + part]!
    for (let f = 0; f < k.features; f++) {
      const other = k.of === 'queries' ? k.key : k.query
      expected[place(k.output, row, f)] = inner.reduce((sum, { slope, read }) => sum + slope * read(other, f), carried(0, f))
      if (k.of === 'queries') continue
      expected[place(k.output, row, f) + k.part] = inner.reduce(
        (sum, { weight, read }) => sum + weight * read(k.cotangent, f),
        carried(k.carryPart, f),
      )
    }
  }
  assert.equal(k.output.strides.length, depth + k.inner.length + 1)
  return expected
}

const kernel = fc.record({
  of: fc.constantFrom('queries' as const, 'keys' as const),
  rows: sizes(0, 3, [1, 2, 3, 5]),
  inner: sizes(1, 3, [0, 1, 2, 3, 4]),
  features: fc.constantFrom(1, 3, 4, 8),
  mask: fc.constantFrom(null, 'bool' as const, 'f32' as const),
  kept,
  carried: fc.boolean(),
  seed: fc.nat(),
}).chain((k) => fc.tuple(fc.constant(k), fc.array(lie(k.rows.length + k.inner.length + 2), { minLength: 8, maxLength: 8 })))

test('the gradients of attention are those of the formula, for any shape, strides, offset, mask and carry', async () => {
  await fc.assert(
    fc.asyncProperty(kernel, async ([k, lies]) => {
      const depth = k.rows.length
      const loops = [...k.rows, ...k.inner, k.features]
      // Views of two parts, one after the other along a loop of their own in front.
      const isInner = loops.map((_, loop) => loop >= depth && loop < loops.length - 1)
      const none = loops.map(() => false)
      const view = (buffer: number, type: 'f32' | 'bool', sizes: readonly number[], still: readonly boolean[], output = false) => {
        const { view, length } = viewOf(buffer, type, [1, ...sizes], lies[buffer]!, [true, ...still], output)
        return { view: { ...view, strides: view.strides.slice(1) }, length }
      }
      const twoParts = (buffer: number) => {
        const parts = k.of === 'keys' ? 2 : 1
        const { view, length } = viewOf(buffer, 'f32', [parts, ...loops], lies[buffer]!, [parts === 1, ...isInner], true)
        return { view: { ...view, strides: view.strides.slice(1) }, length, part: view.strides[0]! }
      }
      const [ofQuery, ofKey] = k.of === 'queries' ? [isInner, none] : [none, isInner]
      const [out, query, key, value] = [
        twoParts(0),
        view(1, 'f32', loops, ofQuery),
        view(2, 'f32', loops, ofKey),
        view(3, 'f32', loops, ofKey),
      ]
      const cotangent = view(4, 'f32', loops, ofQuery)
      const stats = view(5, 'f32', [...k.rows, ...k.inner, 2], ofQuery, false)
      const mask = view(6, k.mask ?? 'f32', loops, loops.map((_, loop) => loop === loops.length - 1))
      const carry = twoParts(7)
      const step = stats.view.strides.at(-1)!
      const buffers: Buffer[] = [out, query, key, value, cotangent, stats, mask, carry].map(({ view, length }, n) => ({
        type: view.type,
        elements: n === 6 && k.mask !== null
          ? maskElements(k.mask, length, k.seed + n, k.kept)
          : randomElements(view.type, length, k.seed + n),
      }))
      // Some rows had no keys at all; where the statistics lie in the way of one another, all of them are numbers.
      if (step !== 0) {
        const { elements } = buffers[5]!
        positionsOf([...k.rows, ...k.inner]).forEach((position, i) => {
          const at = position.reduce((at, n, loop) => at + n * stats.view.strides[loop]!, stats.view.offset)
          if ((k.seed + i) % 5 === 0) elements[at] = -Infinity
        })
      }
      const gradient: AttentionGradientKernel = {
        kind: 'attention-gradient',
        of: k.of,
        rows: k.rows,
        inner: k.inner,
        features: k.features,
        scale: 0.4 / Math.sqrt(k.features),
        query: query.view,
        key: key.view,
        value: value.view,
        cotangent: cotangent.view,
        stats: stats.view,
        mask: k.mask === null ? null : mask.view,
        carry: k.carried ? carry.view : null,
        output: out.view,
        part: k.of === 'queries' ? 0 : out.part,
        carryPart: k.of === 'queries' || !k.carried ? 0 : carry.part,
      }
      const expected = formula(gradient, buffers)
      for (const backend of all()) assertClose(await execute(backend, buffers, [gradient], 0), expected, 5e-5, 5e-5)
    }),
    { numRuns: 60 },
  )
})

// ---- a whole attention ----------------------------------------------------------------------------------------------

interface Attention {
  readonly queries: number
  readonly keys: number
  readonly features: number
  readonly scale: number
  readonly mask: 'bool' | 'f32' | null
}

/** Buffers: 0 and 1 for gradients, then query, key, value, cotangent, stats, mask. */
const [q, k, v, g, m] = [2, 3, 4, 5, 7] as const

/** Attention of one head, by its formula in float64: the result of each query, with its log-sum-exp. */
const attend = ({ queries, keys, features, scale, mask }: Attention, of: readonly ArrayLike<number>[]) =>
  Array.from({ length: queries }, (_, i) => {
    const scores = Array.from({ length: keys }, (_, j) => {
      let score = 0
      for (let f = 0; f < features; f++) score += scale * of[q]![i * features + f]! * of[k]![j * features + f]!
      return mask === null ? score : masked(mask, score, of[m]![i * keys + j]!)
    })
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0)
    const result = Array.from(
      { length: features },
      (_, f) => total === 0 ? 0 : scores.reduce((sum, score, j) => sum + Math.exp(score) * of[v]![j * features + f]!, 0) / total,
    )
    return { result, logSum: Math.log(total) }
  })

test('block after block, the gradients of attention are its slopes', async () => {
  const whole = fc.record({
    queries: fc.constantFrom(1, 2, 5),
    keys: fc.constantFrom(1, 3, 6),
    features: fc.constantFrom(1, 3, 4),
    scale: fc.constant(0.6),
    mask: fc.constantFrom(null, 'bool' as const, 'f32' as const),
  }).chain((a) => fc.record({ a: fc.constant(a), ofKeys: blocksOf(a.keys), ofQueries: blocksOf(a.queries), kept, seed: fc.nat() }))
  await fc.assert(
    fc.asyncProperty(whole, async ({ a, ofKeys, ofQueries, kept, seed }) => {
      const { queries, keys, features, scale, mask } = a
      const real = (length: number, n: number): Float64Array => Float64Array.from(randomElements('f32', length, seed + n))
      const given = [
        new Float64Array(queries * features),
        new Float64Array(2 * keys * features),
        real(queries * features, 1),
        real(keys * features, 2),
        real(keys * features, 3),
        real(queries * features, 4),
        new Float64Array(2 * queries),
        Float64Array.from(mask === null ? [0] : maskElements(mask, queries * keys, seed, kept)),
      ]
      const loss = (): number =>
        attend(a, given).reduce((sum, { result }, i) => result.reduce((sum, x, f) => sum + x * given[g]![i * features + f]!, sum), 0)
      const slopes = (of: Float64Array): readonly number[] =>
        Array.from(of, (element, i) => {
          of[i] = element + 1e-5
          const after = loss()
          of[i] = element - 1e-5
          const before = loss()
          of[i] = element
          return (after - before) / 2e-5
        })
      attend(a, given).forEach(({ result, logSum }, i) => {
        given[6]![2 * i] = logSum
        given[6]![2 * i + 1] = result.reduce((sum, x, f) => sum + x * given[g]![i * features + f]!, 0)
      })
      const spare: Buffer = { type: 'f32', elements: new Float32Array(Math.max(queries, 2 * keys) * features) }
      const maskType = mask === 'bool' ? 'bool' : 'f32'
      const buffers: readonly Buffer[] = [
        ...given.slice(0, m).map((elements): Buffer => ({ type: 'f32', elements: Float32Array.from(elements) })),
        { type: maskType, elements: mask === 'bool' ? Int32Array.from(given[m]!) : Float32Array.from(given[m]!) },
        spare,
      ]
      const part = keys * features
      /** The kernels of one gradient; blocks write to `out` and to the spare buffer in turn, the last one to `out`. */
      const kernels = (of: 'queries' | 'keys', blocks: readonly number[], out: number) => {
        // Strides along the queries, along the keys, and along the features; what is in rows comes first.
        const lies = (buffer: number, [byQuery, byKey, byFeature]: readonly [number, number, number]): View => ({
          buffer,
          type: buffer === m ? maskType : 'f32',
          offset: 0,
          strides: of === 'queries' ? [byQuery, byKey, byFeature] : [byKey, byQuery, byFeature],
        })
        const [ofQuery, ofKey] = [[features, 0, 1], [0, features, 1]] as const
        return blocks.map((size, n): AttentionGradientKernel => {
          const start = blocks.slice(0, n).reduce((sum, size) => sum + size, 0)
          const block = (view: View): View => from(view, 1, start)
          const result = (n: number): View => lies((blocks.length - n) % 2 === 1 ? out : 8, of === 'queries' ? ofQuery : ofKey)
          return {
            kind: 'attention-gradient',
            of,
            rows: [of === 'queries' ? queries : keys],
            inner: [size],
            features,
            scale,
            query: block(lies(q, ofQuery)),
            key: block(lies(k, ofKey)),
            value: block(lies(v, ofKey)),
            cotangent: block(lies(g, ofQuery)),
            stats: block(lies(6, [2, 0, 1])),
            mask: mask === null ? null : block(lies(m, [keys, 1, 0])),
            carry: n === 0 ? null : result(n - 1),
            output: result(n),
            part: of === 'queries' ? 0 : part,
            carryPart: of === 'queries' || n === 0 ? 0 : part,
          }
        })
      }
      for (const backend of all()) {
        assertClose(await execute(backend, buffers, kernels('queries', ofKeys, 0), 0), slopes(given[q]!), 2e-4, 2e-4)
        const both = await execute(backend, buffers, kernels('keys', ofQueries, 1), 1)
        assertClose(both, [...slopes(given[k]!), ...slopes(given[v]!)], 2e-4, 2e-4)
      }
    }),
    { numRuns: 25 },
  )
})

test('NaN is not hidden: it is where the formula has it', async () => {
  const [rows, inner, features] = [3, 4, 4]
  for (const side of ['queries', 'keys'] as const) {
    const [own, other] = [[features, 0, 1], [0, features, 1]]
    const [ofQuery, ofKey] = side === 'queries' ? [own, other] : [other, own]
    const view = (buffer: number, strides: readonly number[]): View => ({ buffer, type: 'f32', offset: 0, strides })
    const kernel: AttentionGradientKernel = {
      kind: 'attention-gradient',
      of: side,
      rows: [rows],
      inner: [inner],
      features,
      scale: 0.5,
      query: view(1, ofQuery),
      key: view(2, ofKey),
      value: view(3, ofKey),
      cotangent: view(4, ofQuery),
      stats: view(5, side === 'queries' ? [2, 0, 1] : [0, 2, 1]),
      mask: null,
      carry: view(6, own),
      output: view(0, own),
      part: side === 'queries' ? 0 : rows * features,
      carryPart: side === 'queries' ? 0 : rows * features,
    }
    for (const [buffer, at] of [[1, 5], [2, 6], [3, 0], [4, 9], [5, 0], [5, 3], [6, 7]] as const) {
      const given = Array.from({ length: 7 }, (_, n): Buffer => ({ type: 'f32', elements: randomElements('f32', 2 * inner * features, n) }))
      given[buffer]!.elements[at] = NaN
      const expected = formula(kernel, given)
      assert.ok(expected.some(Number.isNaN))
      for (const backend of all()) assertClose(await execute(backend, given, [kernel], 0), expected, 5e-5, 5e-5)
    }
  }
})
