import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Elements } from '#lib/dtype.ts'
import { type AnyTensor, layout, mesh, program, type Tensor } from '#lib/mod.ts'
import { type Law, positions } from './law.ts'
import { laws } from './laws.ts'
import { type Cuts, declarationsFor, fieldsFor, ifLegal, meshes, opFiles, right, run, valuesFor } from './run-law.ts'

/**
 * One suite of laws for every op: its result is what a formula of its own says, in float64 and on the GPU; cut in every
 * legal way over every small mesh, uneven pieces and ranks without any included, it is the same; and what can't be cut
 * is refused.
 */
const programOf = (law: Law, on: string, cuts: Cuts) =>
  program('law', mesh(on), declarationsFor(law, cuts), (tensors) => {
    const result = law.apply(tensors as unknown as Record<string, Tensor>)
    return (layout('') as unknown as (x: AnyTensor) => AnyTensor)(result)
  })

const close = (got: Elements, wanted: ArrayLike<number>, tolerance: number, what: string): void => {
  assert.equal(got.length, wanted.length, what)
  for (let i = 0; i < got.length; i++) {
    const difference = Math.abs(got[i]! - wanted[i]!)
    assert.ok(difference <= tolerance * Math.max(1, Math.abs(wanted[i]!)), `${what}: element ${i} is ${got[i]}, not ${wanted[i]}`)
  }
}

describe('laws of ops', () => {
  it('are there for every file in ops, and for nothing else', () => {
    assert.deepEqual(Object.keys(laws).sort(), opFiles)
  })

  for (const file of opFiles) {
    it(file, async () => {
      for (const [number, law] of laws[file]!.entries()) {
        const values = valuesFor(law, 7 * number + 1)
        const fields = fieldsFor(law, values)
        const wanted = positions(law.dims).map((at) => law.result(fields, at))
        const what = `${file} #${number + 1}`

        close(right(await run(programOf(law, '', {}), values, 'reference'))['output']!, wanted, 1e-6, `${what} on the reference`)
        close(right(await run(programOf(law, '', {}), values, 'webgpu'))['output']!, wanted, 5e-5, `${what} on WebGPU`)

        let legal = 0
        for (const [on, ways] of meshes(law)) {
          for (const cuts of ways) {
            const where = `${what} on ${on}, ${JSON.stringify(cuts)}`
            const result = ifLegal(await run(programOf(law, on, cuts), values, 'reference'), where)
            if (result === undefined) continue
            if (Object.keys(cuts).length > 0) legal++
            close(result['output']!, wanted, 1e-6, where)
          }
        }
        assert.ok(legal > 0, `${what}: no cut at all is legal`)
      }
    })
  }
})
