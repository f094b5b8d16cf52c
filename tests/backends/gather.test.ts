import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { GatherKernel, Outside } from '#lib/kernel/kernel.ts'
import { type Backends, dtype, execute, lie, openAll, randomElements, sizes, viewOf } from './support.ts'

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

const kernel = sizes(0, 3).chain((loops) =>
  fc.record({
    loops: fc.constant(loops),
    type: dtype,
    lies: fc.array(lie(loops.length), { minLength: 3, maxLength: 3 }),
    entries: fc.constantFrom(1, 3, 8),
    gap: fc.constantFrom(0, 0, 1, 4),
    outside: fc.constantFrom<Outside>('NaN', 'zero'),
    seed: fc.nat(),
  })
)

test('a gather gives the same on every backend; an id outside the table gives NaN or 0, as it says', async () => {
  await fc.assert(
    fc.asyncProperty(kernel, async (k) => {
      const out = viewOf(0, k.type, k.loops, k.lies[0]!, [], true)
      const ids = viewOf(1, 'i32', k.loops, k.lies[1]!)
      const table = viewOf(2, k.type, k.loops, k.lies[2]!)
      const step = Math.ceil(table.length / 4) * 4 + k.gap
      const gather: GatherKernel = {
        kind: 'gather',
        sizes: k.loops,
        ids: ids.view,
        table: table.view,
        step,
        size: k.entries,
        outside: k.outside,
        output: out.view,
      }
      const buffers = [
        { type: k.type, elements: randomElements(k.type, out.length, k.seed) },
        { type: 'i32' as const, elements: Int32Array.from(randomElements('i32', ids.length, k.seed + 1), (id) => id % (k.entries + 2)) },
        { type: k.type, elements: randomElements(k.type, step * k.entries, k.seed + 2) },
      ]
      const expected = await execute(backends.reference, buffers, [gather], 0)
      for (const backend of backends.webgpu) assert.deepEqual(await execute(backend, buffers, [gather], 0), expected)
    }),
    { numRuns: 60 },
  )
})
