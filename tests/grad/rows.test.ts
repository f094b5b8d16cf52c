import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import type { ScatterKernel } from '#lib/kernel/kernel.ts'
import { compile, grad, input, layout, mesh, parameter, type Program, program, type Tensor } from '#lib/mod.ts'
import { instantiate } from '#lib/lower/instantiate.ts'
import { gather, scatterAdd, square, sum } from '#ops/mod.ts'
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
    { w: parameter(table), ids: input(of, 'i32') },
    ({ w, ids }) => grad((w: Tensor) => pipe(w, layout(used), gather('v', ids as never), square, sum('n e')) as Tensor<'', string>)(w as Tensor),
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

const scattersOf = (of: Program, ranks: number): readonly (readonly ScatterKernel[])[] => {
  const plan = right(compile(of))
  return Array.from({ length: ranks }, (_, rank) => instantiate(plan, rank).steps.filter((step) => step.kind === 'scatter'))
}

describe('rows that are cut', () => {
  it('are made by their own ranks, and nothing is sent', async () => {
    const added = program(
      'added',
      mesh('dp=3'),
      { x: input(`n:${N} e:${F}`), ids: input(`n:${N}`, 'i32') },
      ({ x, ids }) => pipe(x, scatterAdd('v:11', ids), layout('v@dp')),
    )
    const plan = right(compile(added))
    assert.deepEqual(plan.steps.filter((step) => step.do === 'move' && step.bytes.some((sent) => sent > 0)), [])
    const made = scattersOf(added, 3).map(([kernel]) => [kernel!.first, kernel!.rows])
    assert.deepEqual(made, [[0, 4], [4, 4], [8, 3]])
    const x = Float32Array.from({ length: N * F }, (_, i) => Math.cos(i))
    for (const backend of ['reference', 'webgpu'] as const) {
      const got = right(await run(added, { x, ids }, backend))['output']!
      got.forEach((sum, i) => {
        const row = Math.floor(i / F)
        const here = ids.reduce((total, id, n) => id === row ? total + x[n * F + i % F]! : total, 0)
        assert.ok(Math.abs(sum - here) <= 1e-5, `element ${i} is ${sum}, not ${here}`)
      })
    }
  })

  it('get the gradient of a table whose ids are cut by one reduce-scatter', () => {
    const plan = right(compile(embedding(3, `v:${V}@dp e:${F}`, `n:${N}@dp`, '')))
    const backward = plan.steps.flatMap((step) => step.do === 'move' && step.phase === 'backward' ? [step.collective] : [])
    assert.deepEqual(backward, ['reduce-scatter'])
  })
})
