import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { compile, input, launch, type LaunchOptions, mesh, program } from '#lib/mod.ts'
import { fill, multiply, pad, reciprocal } from '#ops/mod.ts'
import { right } from '../ops/run-law.ts'

/** Numbers that JSON can't say are the same on ranks that are processes of their own as in one process. */
const plan = right(compile(program('numbers', mesh('sp=2'), { x: input('b:2@sp t:2') }, ({ x }) => ({
  largest: pipe(x, pad('t', { before: 1, value: -Infinity })),
  unknown: pipe(x, pad('t', { after: 1, value: NaN })),
  below: pipe(fill('b:2 t:2', -0), reciprocal, multiply(x)),
}))))
const x = Float32Array.from([1, 2, 3, 4])

const ways: readonly (readonly [string, LaunchOptions])[] = [
  ['in one process', { inProcess: true }],
  ['Node processes', { runtimes: ['node'] }],
  ['Deno processes', { runtimes: ['deno'] }],
  ['processes that may take for ever', { runtimes: ['node'], timeout: Infinity }],
]
for (const [title, options] of ways) {
  test(`-0, infinities and NaN of a plan, ${title}`, async () => {
    const session = right(await launch(plan, { backend: 'reference', ...options })())
    try {
      assert.deepEqual(right(await session.run({ x })()).outputs, {
        largest: Float32Array.from([-Infinity, 1, 2, -Infinity, 3, 4]),
        unknown: Float32Array.from([1, 2, NaN, 3, 4, NaN]),
        below: Float32Array.from([-Infinity, -Infinity, -Infinity, -Infinity]),
      })
    } finally {
      await session.close()
    }
  })
}
