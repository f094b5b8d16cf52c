import assert from 'node:assert/strict'
import { it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { giveTensors, portsOf } from '#lib/cli/tensors.ts'
import { compile, input, mesh, parameter, program } from '#lib/mod.ts'
import { add } from '#ops/mod.ts'
import { correlation, limit, numbers } from '../ops/random-numbers.ts'
import { right } from '../ops/run-law.ts'

it('made-up tensors are independent of one another, of those of other seeds, and of what a program draws with the same seed', async () => {
  const count = 20_000
  const spec = `n:${count}` as 'n:20000'
  const plan = right(compile(program(
    'sum',
    mesh(''),
    { a: input(spec), b: input(spec), c: parameter(spec) },
    ({ a, b, c }) => pipe(a, add(b), add(c)),
  )))
  const { inputs, parameters } = portsOf(plan)
  const columns: Record<string, readonly number[]> = { uniform: numbers(count, 1, 'uniform') }
  for (const seed of [1, 2, 2 ** 32 + 1]) {
    const { values: given } = right(await giveTensors(inputs, undefined, seed, 'madeUpInput')())
    const { values: kept } = right(await giveTensors(parameters, undefined, seed, 'madeUpParameter')())
    for (const [name, values] of Object.entries({ ...given, ...kept })) columns[`${name} of seed ${seed}`] = Array.from(values)
  }
  const all = Object.entries(columns)
  all.forEach(([name, values], i) => {
    for (const [other, others] of all.slice(i + 1)) {
      const found = correlation(values, others)
      assert.ok(Math.abs(found) < limit(count), `${name} and ${other}: ${found}`)
    }
  })
})
