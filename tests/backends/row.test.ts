import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { call, type Expression, fold, index, input, real } from '#lib/kernel/expression.ts'
import { contiguous, type RowKernel } from '#lib/kernel/kernel.ts'
import { assertClose, type Backends, execute, lie, openAll, randomElements, sizes, viewOf } from './support.ts'

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

const exponential = (e: Expression): Expression => call('exponential', e)
const where = (loops: number, n: number): Expression => loops === 0 ? real(1) : call('toReal', index(n % loops))

/** Row programs: softmax, a norm in two dependent passes, two independent folds, places, truth and integers. */
const bodies = {
  softmax: () => ({
    folds: [
      { combine: 'max', expression: input(0) },
      { combine: 'sum', expression: exponential(call('subtract', input(0), fold(0))) },
    ],
    result: call('divide', exponential(call('subtract', input(0), fold(0))), fold(1)),
    summary: call('add', fold(0), call('logarithm', fold(1))),
  }),
  norm: () => {
    const centred = call('subtract', call('multiply', input(0), input(1)), fold(0))
    return {
      folds: [
        { combine: 'sum', expression: call('multiply', input(0), input(1)) },
        { combine: 'sum', expression: call('multiply', centred, centred) },
      ],
      result: call('multiply', centred, call('reciprocalSquareRoot', call('add', fold(1), real(1)))),
      summary: fold(1),
    }
  },
  places: (loops: number) => ({
    folds: [
      { combine: 'min', expression: call('add', input(0), where(loops, 0)) },
      { combine: 'max', expression: call('select', call('less', input(1), real(0)), where(loops, loops - 1), input(0)) },
    ],
    result: call('add', call('subtract', input(0), fold(0)), call('multiply', fold(1), where(loops, loops - 1))),
    summary: call('subtract', fold(0), fold(1)),
  }),
  truth: (loops: number) => ({
    folds: [
      { combine: 'max', expression: call('less', input(0), real(-1.5)) },
      { combine: 'min', expression: call('toInteger', call('multiply', input(1), real(100))) },
    ],
    result: call('select', fold(0), call('toReal', fold(1)), where(loops, 0)),
    summary: call('select', fold(0), call('toReal', fold(1)), real(-1)),
  }),
} as const satisfies Record<
  string,
  (loops: number) => {
    folds: RowKernel['folds']
    result: Expression
    summary: Expression
  }
>

const kernel = fc.record({
  outer: sizes(0, 3, [1, 2, 3, 4, 7]),
  inner: sizes(0, 3, [1, 2, 3, 4, 8, 12, 33]),
  body: fc.constantFrom(...Object.keys(bodies) as (keyof typeof bodies)[]),
  per: fc.constantFrom('row' as const, 'element' as const),
  seed: fc.nat(),
}).chain((k) =>
  fc.record({
    ...Object.fromEntries(Object.entries(k).map(([name, value]) => [name, fc.constant(value)])) as {
      [N in keyof typeof k]: fc.Arbitrary<typeof k[N]>
    },
    lies: fc.array(lie(k.outer.length + k.inner.length), { minLength: 3, maxLength: 3 }),
  })
)

test('a row kernel gives the same on every backend, for any shape, strides and offset', async () => {
  await fc.assert(
    fc.asyncProperty(kernel, async (k) => {
      const loops = [...k.outer, ...k.inner]
      const still = loops.map((_, loop) => k.per === 'row' && loop >= k.outer.length)
      const out = viewOf(0, 'f32', loops, k.lies[0]!, still, true)
      const inputs = [1, 2].map((n) => viewOf(n, 'f32', loops, k.lies[n]!))
      const { folds, result, summary } = bodies[k.body](loops.length)
      const row: RowKernel = {
        kind: 'row',
        outer: k.outer,
        inner: k.inner,
        origin: loops.map((_, n) => n),
        folds,
        per: k.per,
        inputs: inputs.map(({ view }) => view),
        result: k.per === 'row' ? summary : result,
        output: out.view,
      }
      const buffers = [out, ...inputs].map(({ length }, n) => ({
        type: 'f32' as const,
        elements: randomElements('f32', length, k.seed + n),
      }))
      const expected = await execute(backends.reference, buffers, [row], 0)
      for (const backend of backends.webgpu) assertClose(await execute(backend, buffers, [row], 0), expected, 2e-5, 1e-5)
    }),
    { numRuns: 60 },
  )
})

const sumOf = (length: number): RowKernel => ({
  kind: 'row',
  outer: [],
  inner: [length],
  origin: [0],
  per: 'row',
  result: fold(0),
  inputs: [{ buffer: 1, type: 'f32', offset: 0, strides: [1] }],
  folds: [{ combine: 'sum', expression: input(0) }],
  output: { buffer: 0, type: 'f32', offset: 0, strides: [0] },
})

test('a long sum keeps its digits', async () => {
  const elements = Float32Array.from({ length: 300_001 }, (_, i) => 1 + (i % 7) * 0.1)
  const expected = elements.reduce((sum, x) => sum + x, 0)
  const buffers = [{ type: 'f32' as const, elements: new Float32Array(1) }, { type: 'f32' as const, elements }]
  for (const backend of [backends.reference, ...backends.webgpu]) {
    assertClose(await execute(backend, buffers, [sumOf(elements.length)], 0), [expected], 3e-6)
  }
})

test('a fold over nothing gives its neutral element', async () => {
  for (const [combine, neutral] of [['sum', 0], ['max', -Infinity], ['min', Infinity]] as const) {
    const row: RowKernel = {
      ...sumOf(0),
      outer: [3],
      inner: [0],
      origin: [0, 0],
      folds: [{ combine, expression: input(0) }],
      inputs: [{ buffer: 1, type: 'f32', offset: 0, strides: [1, 1] }],
      output: { buffer: 0, type: 'f32', offset: 0, strides: [1, 0] },
    }
    const buffers = [new Float32Array(3), new Float32Array(4)].map((elements) => ({ type: 'f32' as const, elements }))
    for (const backend of [backends.reference, ...backends.webgpu]) {
      assert.deepEqual(Array.from(await execute(backend, buffers, [row], 0)), [neutral, neutral, neutral])
    }
  }
})

test('a NaN or an infinity in a row is seen in its result', async () => {
  const rows = 40
  const width = 64
  const elements = randomElements('f32', rows * width, 5) as Float32Array
  elements[3 * width + 17] = NaN
  elements[4 * width + 63] = Infinity
  elements[5 * width] = -Infinity
  for (const combine of ['sum', 'max', 'min'] as const) {
    const row: RowKernel = {
      ...sumOf(width),
      outer: [rows],
      inner: [width],
      origin: [0, 0],
      folds: [{ combine, expression: input(0) }],
      inputs: [{ buffer: 1, type: 'f32', offset: 0, strides: contiguous([rows, width]) }],
      output: { buffer: 0, type: 'f32', offset: 0, strides: [1, 0] },
    }
    const buffers = [new Float32Array(rows), elements].map((of) => ({ type: 'f32' as const, elements: of }))
    const expected = await execute(backends.reference, buffers, [row], 0)
    assert.ok(Number.isNaN(expected[3]))
    for (const backend of backends.webgpu) assertClose(await execute(backend, buffers, [row], 0), expected, 1e-5)
  }
})

test('more rows than one dimension of workgroups may have', async () => {
  const [rows, width] = [65535 + 70, 36]
  const row: RowKernel = {
    ...sumOf(width),
    outer: [rows],
    inner: [width],
    origin: [0, 0],
    inputs: [{ buffer: 1, type: 'f32', offset: 0, strides: contiguous([rows, width]) }],
    output: { buffer: 0, type: 'f32', offset: 0, strides: [1, 0] },
  }
  const elements = Float32Array.from({ length: rows * width }, (_, i) => Math.floor(i / width) % 97)
  const buffers = [new Float32Array(rows), elements].map((of) => ({ type: 'f32' as const, elements: of }))
  for (const backend of backends.webgpu) {
    assert.ok((await execute(backend, buffers, [row], 0)).every((x, n) => x === (n % 97) * width))
  }
})
