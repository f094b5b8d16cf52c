import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { call, type Expression, input, real } from '#lib/kernel/expression.ts'
import { contiguous, type ContractKernel } from '#lib/kernel/kernel.ts'
import { assertClose, type Backends, execute, lie, openAll, randomElements, sizes, viewOf } from './support.ts'

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

const epilogues: readonly Expression[] = [
  input(0),
  call('add', call('multiply', input(0), real(0.5)), input(1)),
  call('select', input(2), call('maximum', input(0), real(0)), input(1)),
]

const kernel = fc.record({
  batch: sizes(0, 2, [1, 2, 3]),
  rows: sizes(0, 2, [1, 2, 3, 4, 7, 8, 9, 12, 40]),
  columns: sizes(0, 2, [1, 2, 3, 4, 5, 8, 12, 36]),
  inner: sizes(0, 2, [0, 1, 3, 4, 8, 17, 20]),
  epilogue: fc.nat(2),
  seed: fc.nat(),
}).chain((k) => {
  const loops = k.batch.length + k.rows.length + k.columns.length + k.inner.length
  return fc.tuple(fc.constant(k), fc.array(lie(loops), { minLength: 5, maxLength: 5 }))
})

test('a contraction gives the same on every backend, for any shape, strides and offset', async () => {
  await fc.assert(
    fc.asyncProperty(kernel, async ([k, lies]) => {
      const loops = [...k.batch, ...k.rows, ...k.columns, ...k.inner]
      const group = loops.map((_, n) =>
        n < k.batch.length ? 'batch' : n < k.batch.length + k.rows.length ? 'rows' : n < loops.length - k.inner.length ? 'columns' : 'inner'
      )
      const without = (name: string): boolean[] => group.map((g) => g === name)
      const out = viewOf(0, 'f32', loops, lies[0]!, without('inner'), true)
      const left = viewOf(1, 'f32', loops, lies[1]!, without('columns'))
      const right = viewOf(2, 'f32', loops, lies[2]!, without('rows'))
      const extra = viewOf(3, 'f32', loops, lies[3]!, without('inner'))
      const truth = viewOf(4, 'bool', loops, lies[4]!, without('inner'))
      const contract: ContractKernel = {
        kind: 'contract',
        batch: k.batch,
        rows: k.rows,
        columns: k.columns,
        inner: k.inner,
        left: left.view,
        right: right.view,
        extras: [extra.view, truth.view],
        epilogue: epilogues[k.epilogue]!,
        output: out.view,
      }
      const buffers = [out, left, right, extra, truth].map(({ view, length }, n) => (
        { type: view.type, elements: randomElements(view.type, length, k.seed + n) }
      ))
      const expected = await execute(backends.reference, buffers, [contract], 0)
      for (const backend of backends.webgpu) {
        assertClose(await execute(backend, buffers, [contract], 0), expected, 1e-5, 3e-5)
      }
    }),
    { numRuns: 50 },
  )
})

/** rows x inner times inner x columns, with any operand laid out the other way round. */
const matrices = (rows: number, columns: number, inner: number, turned: readonly [boolean, boolean, boolean]): ContractKernel => {
  const view = (buffer: number, sizes: readonly [number, number], places: readonly [number, number], turn: boolean) => {
    const strides = [0, 0, 0]
    const dense = turn ? [1, sizes[0]] : [sizes[1], 1]
    places.forEach((place, n) => {
      strides[place] = dense[n]!
    })
    return { buffer, type: 'f32' as const, offset: 0, strides }
  }
  return {
    kind: 'contract',
    batch: [],
    rows: [rows],
    columns: [columns],
    inner: [inner],
    extras: [],
    epilogue: input(0),
    left: view(1, [rows, inner], [0, 2], turned[0]),
    right: view(2, [inner, columns], [2, 1], turned[1]),
    output: view(0, [rows, columns], [0, 1], turned[2]),
  }
}

test('matrices multiply by the textbook formula, however each of them lies in memory', async () => {
  const sizes = [[64, 64, 64], [65, 70, 33], [1, 100, 50], [100, 1, 50]] as const
  for (const [rows, columns, inner] of sizes) {
    for (let turns = 0; turns < 8; turns++) {
      const turned = [(turns & 1) > 0, (turns & 2) > 0, (turns & 4) > 0] as const
      const kernel = matrices(rows, columns, inner, turned)
      const a = randomElements('f32', rows * inner, 1)
      const b = randomElements('f32', inner * columns, 2)
      const expected = new Float64Array(rows * columns)
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          let sum = 0
          for (let k = 0; k < inner; k++) {
            sum += a[turned[0] ? k * rows + i : i * inner + k]! * b[turned[1] ? j * inner + k : k * columns + j]!
          }
          expected[turned[2] ? j * rows + i : i * columns + j] = sum
        }
      }
      const buffers = [new Float32Array(rows * columns), a, b].map((elements) => ({ type: 'f32' as const, elements }))
      for (const backend of [backends.reference, ...backends.webgpu]) {
        assertClose(await execute(backend, buffers, [kernel], 0), expected, 1e-5, 2e-5)
      }
    }
  }
})

test('integers are contracted exactly', async () => {
  const kernel = matrices(5, 6, 7, [false, false, false])
  const whole: ContractKernel = {
    ...kernel,
    left: { ...kernel.left, type: 'i32' },
    right: { ...kernel.right, type: 'i32' },
    output: { ...kernel.output, type: 'i32' },
  }
  const buffers = [new Int32Array(30), randomElements('i32', 35, 3), randomElements('i32', 42, 4)]
    .map((elements) => ({ type: 'i32' as const, elements }))
  const expected = await execute(backends.reference, buffers, [whole], 0)
  for (const backend of backends.webgpu) assert.deepEqual(await execute(backend, buffers, [whole], 0), expected)
})

test('a NaN in an operand reaches exactly the sums it belongs to', async () => {
  const sizes = [64, 64] as const
  const kernel = matrices(64, 64, 64, [false, false, false])
  const a = randomElements('f32', 64 * 64, 1)
  a[5 * 64 + 9] = NaN
  const buffers = [new Float32Array(64 * 64), a, randomElements('f32', 64 * 64, 2)]
    .map((elements) => ({ type: 'f32' as const, elements }))
  assert.deepEqual(kernel.left.strides, [contiguous(sizes)[0], 0, 1])
  for (const backend of [backends.reference, ...backends.webgpu]) {
    const result = await execute(backend, buffers, [kernel], 0)
    result.forEach((value, n) => assert.equal(Number.isNaN(value), Math.floor(n / 64) === 5))
  }
})
