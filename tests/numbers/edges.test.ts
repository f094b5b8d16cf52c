import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Backends, openAll } from '../backends/support.ts'
import { edgeGroups } from './edges.ts'
import { mistakesOf } from './run-edges.ts'

describe('the rules for edges', () => {
  let backends: Backends
  before(async () => {
    backends = await openAll()
  })
  after(() => backends.close())

  for (const [number, group] of edgeGroups.entries()) {
    it(`${group.op} of ${group.of.join(' and ')} (#${number + 1})`, async () => {
      for (const [n, backend] of [backends.reference, ...backends.webgpu].entries()) {
        const where = ['the reference', "WebGPU in a CPU's shape", "WebGPU in a GPU's shape"][n]!
        assert.deepEqual(await mistakesOf(group, backend), [], `on ${where}`)
      }
    })
  }
})
