import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AnyTensor, checkpoint, grad, layout, type Program, type Tensor, type TensorTree } from '#lib/mod.ts'
import { add, mean, tanh } from '#ops/mod.ts'
import { programOf, recipes } from '../plan/random-programs.ts'
import { assertClose, inputsFor, plansOf, runPlan } from '../lower/run-plan.ts'

/**
 * Random programs, closed with a mean: gradients by all that comes in are the same on one rank and on several, with kernels
 * fused or not, kept from the forward pass or made anew.
 */
type Body = (given: TensorTree) => readonly AnyTensor[]

/** The mean of a bounded function of each of the results. */
const lossOf = (results: readonly AnyTensor[]): AnyTensor =>
  results.map((result) => {
    const whole = layout('')(result)
    return mean(whole.spec.split(' ').map((part) => part.split(':')[0]).join(' '))(tanh(whole))
  }).reduce((x, y) => add(y)(x))

/** The program whose results are the gradients of a program's results. */
const gradientsOf = (of: Program, around: (body: Body) => Body): Program => {
  const body = around(of.body as unknown as Body)
  return { ...of, body: ((given: TensorTree) => grad((given: TensorTree) => lossOf(body(given)) as Tensor<''>)(given)) as Program['body'] }
}

test('gradients of random programs are the same on one rank and on several, recomputed or not', async () => {
  await fc.assert(
    fc.asyncProperty(recipes(['a=2', 'a=3', 'a=2 b=2'], 8), async (recipe) => {
      const program = programOf(recipe, 3)
      const [kept, remade] = [(body: Body) => body, checkpoint].map((around) => gradientsOf(program, around))
      const alone = plansOf(kept!, { alone: true }).unfused
      const tensors = inputsFor(alone)
      const wanted = (await runPlan(alone, tensors)).outputs
      const largest = Math.max(...Object.values(wanted).flatMap((elements) => Array.from(elements, Math.abs)))
      for (const plan of [plansOf(kept!), plansOf(remade!)].flatMap(({ fused, unfused }) => [fused, unfused])) {
        assert.deepEqual(plan.outputs.map(({ name }) => name), plan.inputs.map(({ name }) => name))
        // Where an input is left to the planner, so is its gradient.
        if (!recipe.inputs.join().includes('?')) {
          assert.deepEqual(plan.outputs.map(({ spec }) => spec), plan.inputs.map(({ spec }) => spec))
        }
        const { outputs } = await runPlan(plan, tensors, { poison: true })
        for (const [name, elements] of Object.entries(wanted)) {
          // Sums whose parts cancel are as exact as their largest part.
          assertClose(outputs[name]!, elements, 1e-5 * Math.max(1, largest))
        }
      }
    }),
    { numRuns: 60 },
  )
})
