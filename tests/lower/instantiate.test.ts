import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instantiate } from '#lib/lower/instantiate.ts'
import type { Plan } from '#lib/mod.ts'
import { readGolden } from '../../examples/video/golden.ts'
import { videoTransformer } from '../../examples/video/model.ts'
import { programOf, recipes } from '../plan/random-programs.ts'
import { assertApart, assertClose, inputsFor, plannedBytes, plansOf, right, runPlan } from './run-plan.ts'

/** What comes out of an exchange is float32; sums of a few dozen such numbers stay this near. */
const tolerance = 1e-5

const assertSame = async (plan: Plan, wanted: Awaited<ReturnType<typeof runPlan>>['outputs'], poison: boolean): Promise<void> => {
  const { outputs, sent } = await runPlan(plan, inputsFor(plan), { poison })
  assert.deepEqual(Object.keys(outputs), Object.keys(wanted))
  for (const [name, elements] of Object.entries(outputs)) assertClose(elements, wanted[name]!, tolerance)
  assert.deepEqual(sent, plannedBytes(plan))
  assert.equal(sent.reduce((sum, bytes) => sum + bytes, 0), plan.certificate.bytes)
}

test('a random program gives on n ranks what it gives on one, fused or not, whatever its buffers held before', async () => {
  await fc.assert(
    fc.asyncProperty(recipes(['sp=2', 'sp=3', 'sp=7', 'a=2 b=2', 'a=3 b=2'], 12), async (recipe) => {
      const program = programOf(recipe, 3)
      const one = plansOf(program, { alone: true })
      const many = plansOf(program)
      const { outputs, sent } = await runPlan(one.unfused, inputsFor(one.unfused))
      assert.deepEqual(sent, [0])
      await assertSame(one.fused, outputs, true)
      await assertSame(many.unfused, outputs, false)
      await assertSame(many.fused, outputs, true)
    }),
    { numRuns: 150 },
  )
})

test('all ranks meet in the same exchanges, and what one sends another receives', () => {
  fc.assert(
    fc.property(recipes(['sp=3', 'a=2 b=2', 'a=3 b=2'], 12), (recipe) => {
      const { fused } = plansOf(programOf(recipe, 3))
      const programs = Array.from({ length: fused.ranks }, (_, rank) => instantiate(fused, rank))
      const exchanges = programs.map(({ steps }) => steps.flatMap((step) => step.kind === 'exchange' ? [step] : []))
      const [first] = exchanges
      for (const own of exchanges) {
        assert.deepEqual(
          own.map(({ name, signature, combine }) => [name, signature, combine]),
          first!.map(({ name, signature, combine }) => [name, signature, combine]),
        )
      }
      first!.forEach((_, at) => {
        for (const [rank, own] of exchanges.entries()) {
          for (const { peer, sizes } of own[at]!.sends) {
            assert.deepEqual(exchanges[peer]![at]!.receives.filter((parcel) => parcel.peer === rank).map((parcel) => parcel.sizes), [sizes])
          }
          assert.equal(
            own[at]!.sends.length,
            exchanges.reduce((count, other) => count + other[at]!.receives.filter(({ peer }) => peer === rank).length, 0),
          )
        }
      })
      programs.forEach(assertApart)
    }),
    { numRuns: 200 },
  )
})

test('the video transformer survives poison, and fusion changes none of its numbers', async () => {
  const golden = right(await readGolden('odd')())
  const tensors = Object.fromEntries(
    Object.entries({ ...golden.weights, ...golden.inputs }).map(([name, { elements }]) => [name, elements]),
  )
  const wanted = await runPlan(plansOf(videoTransformer(golden.sizes, 1)).unfused, tensors)
  for (const ranks of [2, 3]) {
    const { fused, unfused } = plansOf(videoTransformer(golden.sizes, ranks))
    assert.ok(fused.steps.length < unfused.steps.length)
    for (const plan of [fused, unfused]) {
      const { outputs, sent } = await runPlan(plan, tensors, { poison: true })
      for (const [name, elements] of Object.entries(outputs)) assertClose(elements, wanted.outputs[name]!, tolerance)
      assert.deepEqual(sent, plannedBytes(plan))
    }
  }
})
