import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { decodeCluster } from '#lib/cluster/load.ts'
import { sentence } from '#lib/fault.ts'
import { compile } from '#lib/mod.ts'
import { calibrate, measurements } from '#lib/simulate/calibrate.ts'
import { arithmetic, products, switches, traffic } from '#lib/simulate/probes.ts'
import { simulate } from '#lib/simulate/simulate.ts'
import { workOf } from '#lib/kernel/work.ts'
import { instantiate } from '#lib/lower/instantiate.ts'
import type { Program } from '#lib/language/program.ts'

const planOf = (program: Program) => {
  const plan = compile(program)
  if (E.isLeft(plan)) assert.fail(sentence(plan.left))
  return plan.right
}
const kernelsOf = (program: Program) =>
  instantiate(planOf(program), 0).steps.flatMap((step) => step.kind === 'exchange' ? [] : [workOf(step)])

test('each program is made of what it measures', () => {
  const chain = kernelsOf(products(2, 3, 8, 16)).filter(({ matrix }) => matrix > 0)
  assert.deepEqual(chain.map(({ matrix }) => matrix), new Array(6).fill(2 * 8 * 16 * 16))
  // One map of all rounds, and the mean.
  const [map, ...rest] = kernelsOf(arithmetic(2, 5, 800))
  assert.ok(rest.length <= 1)
  assert.ok(map!.vector >= 4 * 5 * 800)
  // Differences are not written into one another: each reads two tensors and writes one.
  const differences = kernelsOf(traffic(2, 6, 80)).filter(({ bytes }) => bytes === 3 * 4 * 80)
  assert.equal(differences.length, 6)
  // One switch for each layout.
  const plan = planOf(switches(2, [4, 8], 3))
  const exchanges = instantiate(plan, 0).steps.filter((step) => step.kind === 'exchange')
  assert.equal(exchanges.length, 2 * 2 * 3)
})

test('this machine as a cluster: what is written can be read and simulated on', async () => {
  const told: string[] = []
  const options = { ranks: 2, repeats: 1, seconds: 1e-4, widths: [4, 32], backend: 'reference', inProcess: true } as const
  const measured = await calibrate(options, (what) => told.push(what))()
  if (E.isLeft(measured)) assert.fail(sentence(measured.left))
  assert.deepEqual(told, measurements)
  const read = decodeCluster('this.json', JSON.parse(JSON.stringify(measured.right)))
  if (E.isLeft(read)) assert.fail(sentence(read.left))
  assert.deepEqual(read.right, measured.right)
  const { seconds } = simulate(planOf(switches(2, [8], 1)), read.right)
  assert.ok(seconds > 0 && Number.isFinite(seconds))
})
