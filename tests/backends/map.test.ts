import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { call, type Expression, index, input, integer, real } from '#lib/kernel/expression.ts'
import type { MapKernel } from '#lib/kernel/kernel.ts'
import type { DType, Elements } from '#lib/dtype.ts'
import { assertClose, type Backends, dtype, execute, lie, openAll, randomElements, sizes, viewOf } from './support.ts'

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

/** A few expressions of each result type over operands of the given types and `loops` indices. */
const expressionOf = (types: readonly DType[], loops: number, result: DType, pick: number): Expression => {
  const reals = types.map((type, n) => type === 'f32' ? input(n) : call('toReal', input(n)))
  const sum = reals.reduce((a, b) => call('add', a, b))
  const place = loops === 0 ? integer(3) : call('add', index(pick % loops), call('multiply', index(loops - 1), integer(100)))
  const options: Record<DType, readonly Expression[]> = {
    f32: [sum, call('multiply', sum, sum), call('add', call('toReal', place), call('maximum', sum, real(0)))],
    i32: [call('toInteger', call('floor', sum)), place, call('minimum', place, integer(5))],
    bool: [call('less', sum, real(0.5)), call('and', call('not', call('less', sum, real(-1))), call('lessOrEqual', place, integer(7)))],
  }
  return options[result][pick % options[result].length]!
}

const kernel = sizes(0, 4).chain((loops) =>
  fc.record({
    sizes: fc.constant(loops),
    origin: fc.constant(loops.map((_, n) => n * 10)),
    types: fc.array(dtype, { minLength: 1, maxLength: 3 }),
    result: dtype,
    lies: fc.array(lie(loops.length), { minLength: 4, maxLength: 4 }),
    pick: fc.nat(5),
    seed: fc.nat(),
  })
)

/** Multiples of 1/64: their sums are exact in f32 too, so that `floor` and `less` must agree to the last bit. */
const exactElements = (type: DType, length: number, seed: number): Elements =>
  randomElements(type, length, seed).map((element) => Math.round(element * 64) / 64)

test('a map gives the same on every backend, for any shape, strides, offset and type', async () => {
  await fc.assert(
    fc.asyncProperty(kernel, async (k) => {
      const out = viewOf(0, k.result, k.sizes, k.lies[0]!, [], true)
      const inputs = k.types.map((type, n) => viewOf(n + 1, type, k.sizes, k.lies[n + 1]!))
      const map: MapKernel = {
        kind: 'map',
        sizes: k.sizes,
        origin: k.origin,
        inputs: inputs.map(({ view }) => view),
        expression: expressionOf(k.types, k.sizes.length, k.result, k.pick),
        output: out.view,
      }
      const buffers = [out, ...inputs].map(({ view, length }, n) => (
        { type: view.type, elements: exactElements(view.type, length, k.seed + n) }
      ))
      const expected = await execute(backends.reference, buffers, [map], 0)
      for (const backend of backends.webgpu) {
        const actual = await execute(backend, buffers, [map], 0)
        if (k.result === 'f32') assertClose(actual, expected, 1e-6)
        else assert.deepEqual(actual, expected)
      }
    }),
    { numRuns: 60 },
  )
})

test('more workgroups than one dimension may have', async () => {
  const size = 65535 * 64 + 4097
  const map: MapKernel = {
    kind: 'map',
    sizes: [size],
    origin: [7],
    inputs: [{ buffer: 1, type: 'i32', offset: 0, strides: [1] }],
    expression: call('add', input(0), index(0)),
    output: { buffer: 0, type: 'i32', offset: 0, strides: [1] },
  }
  const buffers = [new Int32Array(size), Int32Array.from({ length: size }, (_, i) => -i)].map((elements) => ({
    type: 'i32' as const,
    elements,
  }))
  for (const backend of backends.webgpu) {
    assert.ok((await execute(backend, buffers, [map], 0)).every((x) => x === 7))
  }
})
