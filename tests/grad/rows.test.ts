import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import type { Cluster } from '#lib/cluster/cluster.ts'
import { compile, grad, input, launch, layout, mesh, type Program, program, type Tensor } from '#lib/mod.ts'
import { instantiate } from '#lib/lower/instantiate.ts'
import { gather, multiply, scatterAdd, square, sum } from '#ops/mod.ts'
import { right, run } from '../ops/run-law.ts'

/**
 * An embedding and its gradient, however its ids and its table lie. Of the loss Σ w[ids]² the gradient of a row is 2 w times how
 * often its id comes.
 */
const [V, F, N] = [11, 4, 23]
const ids = Int32Array.from({ length: N }, (_, n) => n % 5 === 0 ? 4 : (n * n) % V)
const w = Float32Array.from({ length: V * F }, (_, i) => Math.sin(1 + i))
const timesOf = (row: number): number => ids.reduce((count, id) => id === row ? count + 1 : count, 0)
const wanted = Array.from(w, (element, i) => 2 * element * timesOf(Math.floor(i / F)))

const embedding = (ranks: number, table: string, of: string, used: string): Program =>
  program(
    'embedding',
    mesh(`dp=${ranks}`),
    { w: input(table), ids: input(of, 'i32') },
    ({ w, ids }) =>
      grad((w: Tensor) => pipe(w, layout(used), gather('v', ids as never), square, sum('n e')) as Tensor<'', string>)(w as Tensor),
  )

const layouts: readonly (readonly [what: string, table: string, ids: string, used: string])[] = [
  ['ids cut', `v:${V} e:${F}`, `n:${N}@dp`, ''],
  ['ids whole', `v:${V} e:${F}`, `n:${N}`, ''],
  ['ids and rows of the table cut', `v:${V}@dp e:${F}`, `n:${N}@dp`, ''],
  ['rows of the table cut', `v:${V}@dp e:${F}`, `n:${N}`, ''],
  ['features of the table cut', `v:${V} e:${F}@dp`, `n:${N}`, 'e@dp'],
  ['ids and features of the table cut', `v:${V} e:${F}@dp`, `n:${N}@dp`, ''],
]

describe('the gradient of an embedding', () => {
  for (const [what, ...specs] of layouts) {
    it(`is right with ${what}, on 1, 2, 3 and 5 ranks`, async () => {
      for (const ranks of [1, 2, 3, 5]) {
        for (const backend of ['reference', 'webgpu'] as const) {
          const got = right(await run(embedding(ranks, ...specs), { w, ids }, backend))['output']!
          wanted.forEach((slope, i) => {
            assert.ok(Math.abs(got[i]! - slope) <= 1e-5 * Math.max(1, Math.abs(slope)), `${backend} on ${ranks}: ${got[i]}, not ${slope}`)
          })
        }
      }
    })
  }
})

it('the gradient of an embedding keeps its digits where a hundred thousand positions look one row up, on any number of ranks', async () => {
  const count = 100_000
  for (const ranks of [1, 3]) {
    const of = mesh(`dp=${ranks}` as string)
    const looked = program(
      'looked',
      of,
      { w: input('v:3 e:4'), ids: input(`n:${count}@dp`, 'i32') },
      ({ w, ids }) =>
        grad((w: Tensor) => pipe(w, gather('v', ids as never), multiply(0.1), sum('n e'), layout('')) as Tensor<''>)(w as Tensor),
    )
    const got = right(await run(looked, { w: w.slice(0, 12), ids: new Int32Array(count).fill(1) }, 'webgpu'))['output']!
    const wanted = Math.fround(0.1) * count
    got.forEach((slope, i) => {
      assert.ok(Math.floor(i / 4) === 1 ? Math.abs(slope / wanted - 1) <= 1e-6 : slope === 0, `element ${i} is ${slope}`)
    })
  }
})

/** Machines on which writing a table takes time. */
const cluster: Cluster = {
  format: 'shardwise-cluster',
  version: 1,
  name: 'slow memory',
  description: '',
  device: { name: '', matrix: { f32: 1e13 }, efficiency: 1, vector: 1e12, bandwidth: 1e6, memory: 1e11, launch: 0 },
  links: [{ name: 'line', ranks: null, bandwidth: 1e6, latency: 0 }],
  overlap: false,
  sources: [],
}

it('rows that are cut are made by their own ranks where the table is longer than the ids', async () => {
  const [rows, count] = [101, 7]
  const some = Int32Array.of(100, 0, 33, 34, 50, 0, 67)
  const x = Float32Array.from({ length: count }, (_, i) => Math.cos(i))
  for (const ranks of [2, 3, 5]) {
    const of = mesh(`dp=${ranks}` as string)
    const added = program(
      'added',
      of,
      { x: input(`n:${count}@dp`), ids: input(`n:${count}@dp`, 'i32') },
      ({ x, ids }) => pipe(x, scatterAdd(`v:${rows}`, ids), layout('v@dp')),
    )
    const plan = right(compile(added, { cluster }))
    const kernels = Array.from({ length: ranks }, (_, rank) => instantiate(plan, rank).steps.filter((step) => step.kind === 'scatter'))
    assert.deepEqual(kernels.map(([kernel]) => [kernel!.first, kernel!.rows]), pieces(rows, ranks))

    for (const backend of ['reference', 'webgpu'] as const) {
      const session = right(await launch(plan, { backend, inProcess: true })())
      const { outputs } = right(await session.run({ x, ids: some })())
      await session.close()
      outputs['output']!.forEach((sum, row) => {
        const here = some.reduce((total, id, n) => id === row ? total + x[n]! : total, 0)
        assert.ok(Math.abs(sum - here) <= 1e-6, `row ${row} is ${sum}, not ${here}`)
      })
    }
  }
})

/** Where balanced pieces start, and how long they are: the first ones are longer by one. */
const pieces = (size: number, ranks: number): readonly (readonly number[])[] =>
  Array.from({ length: ranks }, (_, rank) => {
    const [least, longer] = [Math.floor(size / ranks), size % ranks]
    return [rank * least + Math.min(rank, longer), least + (rank < longer ? 1 : 0)]
  })
