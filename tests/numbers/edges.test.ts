import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { type Backends, openAll } from '../backends/support.ts'
import { edgeGroups } from './edges.ts'
import { mistakesOf } from './run-edges.ts'
import { opFiles } from '../ops/run-law.ts'

/** Files of ops whose edges are no table of elements, and the tests that hold them. */
const elsewhere: Readonly<Record<string, string>> = {
  attention: 'numbers/masked-out.test.ts',
  selfAttention: 'backends/attention.test.ts',
  constant: 'ops/literals.test.ts',
  crossEntropy: 'ops/cross-entropy.test.ts',
  random: 'ops/random.test.ts',
  scatterAdd: 'backends/scatter.test.ts',
}

describe('the rules for edges', () => {
  let backends: Backends
  before(async () => {
    backends = await openAll()
  })
  after(() => backends.close())

  it('are there for every file in ops, or a test of its own is', async () => {
    const words = new Set(edgeGroups.flatMap(({ op }) => op.split(' ')))
    for (const file of opFiles) {
      const test = elsewhere[file]
      const exported = Object.keys(await import(`#ops/${file}.ts`) as object)
      const there = test === undefined ? exported.some((name) => words.has(name)) : existsSync(new URL(`../${test}`, import.meta.url))
      assert.ok(there, `${file} is not among the edges`)
    }
  })

  for (const [number, group] of edgeGroups.entries()) {
    it(`${group.op} of ${group.of.join(' and ')} (#${number + 1})`, async () => {
      for (const [n, backend] of [backends.reference, ...backends.webgpu].entries()) {
        const where = ['the reference', "WebGPU in a CPU's shape", "WebGPU in a GPU's shape"][n]!
        assert.deepEqual(await mistakesOf(group, backend), [], `on ${where}`)
      }
    })
  }
})
