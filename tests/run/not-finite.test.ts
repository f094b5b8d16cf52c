import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openReference } from '#backends/mod.ts'
import type { ScatterKernel } from '#lib/kernel/kernel.ts'
import { madeNotFinite } from '#lib/run/not-finite.ts'
import { program, right, whole } from '../backends/support.ts'

/** Two values of three features to row 1 of two; only the rows of the output count, and not what lies between them. */
const kernel: ScatterKernel = {
  kind: 'scatter',
  batch: [],
  inner: [2],
  rest: [3],
  ids: { buffer: 1, type: 'i32', offset: 0, strides: [1, 0] },
  values: { buffer: 2, type: 'f32', offset: 0, strides: [3, 1] },
  first: 0,
  rows: 2,
  step: 4,
  output: { buffer: 0, type: 'f32', offset: 0, strides: [0, 1] },
}

test('a scatter that adds finite numbers up to an infinity has made it, and one that was given NaN has not', async () => {
  const backend = await right(openReference())
  const executable = await right(backend.load(program([8, 2, 6], [kernel])))
  const made = async (values: readonly number[], between: number) => {
    await right(executable.write(whole(0, 'f32'), [8], new Float32Array(8).fill(between)))
    await right(executable.write(whole(1, 'i32'), [2], Int32Array.of(1, 1)))
    await right(executable.write(whole(2, 'f32'), [6], Float32Array.from(values)))
    await right(executable.run(0, 1))
    return right(() => madeNotFinite(executable, kernel))
  }
  assert.equal(await made([1, 2, 3, 4, 5, 6], NaN), null)
  assert.equal(await made([3e38, 2, 3, 3e38, 5, 6], 0), 'an infinity')
  assert.equal(await made([NaN, 2, 3, 3e38, 5, 6], 0), null)
  await backend.close()
})
