import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { call, fold, input } from '#lib/kernel/expression.ts'
import { contiguous, elementsOf, type Kernel, type View } from '#lib/kernel/kernel.ts'
import { workOf } from '#lib/kernel/work.ts'

const view = (buffer: number, strides: readonly number[], offset = 0): View => ({ buffer, type: 'f32', offset, strides })

test('a product is two operations for each multiply-add, and reads its factors once', () => {
  // [5, 7] · [7, 3], with a bias along the columns and an activation of two calls.
  const product: Kernel = {
    kind: 'contract',
    batch: [],
    rows: [5],
    columns: [3],
    inner: [7],
    left: view(0, [7, 0, 1]),
    right: view(1, [0, 1, 3]),
    extras: [view(2, [0, 1, 0])],
    epilogue: call('maximum', call('add', input(0), input(1)), input(1)),
    output: view(3, [3, 1, 0]),
  }
  assert.deepEqual(workOf(product), { matrix: 2 * 5 * 7 * 3, vector: 2 * 5 * 3, bytes: 4 * (5 * 7 + 7 * 3 + 3 + 5 * 3) })
})

test('attention is four operations a score and feature; its gradients six for queries and eight for keys', () => {
  const [heads, queries, keys, features] = [2, 3, 5, 4]
  const ofQueries = [queries * features, features, 0, 1]
  const ofKeys = [keys * features, 0, features, 1]
  const parts = { scale: 1, mask: null, carry: null, features, query: view(0, ofQueries), key: view(1, ofKeys), value: view(2, ofKeys) }
  const attention: Kernel = {
    ...parts,
    kind: 'attention',
    rows: [heads, queries],
    keys,
    logSum: false,
    output: view(3, ofQueries),
  }
  const scores = heads * queries * keys
  const [small, large] = [heads * queries * features, heads * keys * features]
  assert.deepEqual(workOf(attention), { matrix: 4 * scores * features, vector: 5 * scores, bytes: 4 * (2 * small + 2 * large) })
  const going = workOf({ ...attention, logSum: true, carry: view(4, ofQueries) })
  assert.equal(going.bytes, 4 * (3 * small + 2 * large + 2 * heads * queries))

  const gradient = { ...parts, kind: 'attention-gradient', cotangent: view(5, ofQueries), part: 1, carryPart: 0 } as const
  const stats = view(6, [queries * 2, 2, 0, 1])
  const toQueries = workOf({ ...gradient, of: 'queries', rows: [heads, queries], inner: [keys], stats, output: view(7, ofQueries) })
  assert.deepEqual(toQueries, {
    matrix: 6 * scores * features,
    vector: 5 * scores,
    bytes: 4 * (3 * small + 2 * large + 2 * heads * queries),
  })
  const turned = ({ buffer, strides: [head, query, key, feature] }: View): View => view(buffer, [head!, key!, query!, feature!])
  const toKeys = workOf({
    ...gradient,
    of: 'keys',
    rows: [heads, keys],
    inner: [queries],
    query: turned(parts.query),
    key: turned(parts.key),
    value: turned(parts.value),
    cotangent: turned(gradient.cotangent),
    stats: turned(stats),
    output: view(7, [keys * 2 * features, 2 * features, 0, 1]),
  })
  assert.deepEqual(toKeys, { matrix: 8 * scores * features, vector: 5 * scores, bytes: 4 * (2 * small + 4 * large + 2 * heads * queries) })
})

test('rows count their folds for each element and a result per row once', () => {
  // A norm's factor: 1 / √(Σ x²), for 6 rows of 8.
  const norm: Kernel = {
    kind: 'row',
    outer: [6],
    inner: [8],
    origin: [0, 0],
    inputs: [view(0, [8, 1])],
    folds: [{ combine: 'sum', expression: call('multiply', input(0), input(0)) }],
    result: call('reciprocalSquareRoot', fold(0)),
    per: 'row',
    output: view(1, [1, 0]),
  }
  assert.deepEqual(workOf(norm), { matrix: 0, vector: 48 * 2 + 6, bytes: 4 * (48 + 6) })
  assert.deepEqual(workOf({ ...norm, per: 'element', output: view(1, [8, 1]) }), { matrix: 0, vector: 48 * 3, bytes: 4 * (48 + 48) })
})

test('a map moves each element of its views once, whatever repeats', () => {
  const dims = fc.array(fc.record({ size: fc.integer({ min: 0, max: 4 }), repeats: fc.boolean() }), { maxLength: 4 })
  fc.assert(fc.property(dims, fc.boolean(), (loops, twice) => {
    const sizes = loops.map(({ size }) => size)
    const strides = contiguous(sizes)
    const repeated = view(0, strides.map((stride, i) => loops[i]!.repeats ? 0 : stride))
    const addresses = new Set<number>()
    const walk = (dim: number, at: number): void => {
      if (dim === sizes.length) addresses.add(at)
      else for (let i = 0; i < sizes[dim]!; i++) walk(dim + 1, at + i * repeated.strides[dim]!)
    }
    walk(0, 0)
    const work = workOf({
      kind: 'map',
      sizes,
      origin: sizes.map(() => 0),
      inputs: twice ? [repeated, repeated] : [repeated],
      expression: call('negate', input(0)),
      output: view(1, strides),
    })
    assert.equal(work.bytes, 4 * (addresses.size + elementsOf(sizes)))
    assert.equal(work.vector, elementsOf(sizes))
  }))
})

test('a gather reads no more of a table than there is', () => {
  const gather = (rows: number): Kernel => (
    {
      kind: 'gather',
      sizes: [rows, 3],
      ids: view(0, [1, 0]),
      table: view(1, [0, 1]),
      step: 3,
      size: 10,
      outside: 'NaN',
      output: view(2, [3, 1]),
    }
  )
  assert.equal(workOf(gather(4)).bytes, 4 * (4 + 4 * 3 + 4 * 3))
  assert.equal(workOf(gather(40)).bytes, 4 * (40 + 10 * 3 + 40 * 3))
})

test('a scatter reads its ids and values once, writes each row once, and adds each value', () => {
  const scatter: Kernel = {
    kind: 'scatter',
    batch: [2],
    inner: [5, 7],
    rest: [3],
    ids: view(0, [35, 7, 1, 0]),
    values: view(1, [105, 21, 3, 1]),
    first: 0,
    rows: 11,
    step: 3,
    output: view(2, [33, 0, 0, 1]),
  }
  assert.deepEqual(workOf(scatter), { matrix: 0, vector: 2 * 35 * 3, bytes: 4 * (2 * 35 + 2 * 35 * 3 + 2 * 11 * 3) })
})
