import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { initialValues } from '#lib/train/mod.ts'
import { forward, training, type Volume } from '../../examples/baselines/axial.ts'
import { assertClose, inputsFor, right, runPlan } from '../lower/run-plan.ts'
import { planOf } from './baselines.ts'

/**
 * Attention along K dims in turn, and not a word about layouts. One dim is cut at a time, never the one that is attended over;
 * cutting the dim that is needed furthest in the future leaves K - 1 stages between two switches. So L layers of K stages
 * need ⌈K L / (K - 1)⌉ cuts and one switch less, which tends to K/(K-1) per layer, and no plan sends less.
 */
const volume = (dims: string, layers: number): Volume => ({
  lengths: Object.fromEntries(dims.split(' ').map((dim) => [dim, 6])),
  width: 8,
  heads: 2,
  layers,
})

describe('axial attention, left to the planner', () => {
  for (const [dims, layers, switches] of [['x y', 6, 11], ['x y z', 6, 8], ['x y z', 12, 17], ['w x y z', 6, 7]] as const) {
    const K = dims.split(' ').length
    it(`${layers} layers over K = ${K} dims need ${switches} switches, proven minimal`, () => {
      assert.equal(switches, Math.ceil((K * layers) / (K - 1)) - 1)
      for (const ranks of [2, 3]) {
        const plan = planOf(forward(`sp=${ranks}`, volume(dims, layers)))
        const moves = plan.steps.flatMap((step) => step.do === 'move' && step.bytes.some((bytes) => bytes > 0) ? [step] : [])
        assert.deepEqual(moves.map(({ name }) => name), Array.from({ length: switches }, () => 'switch'))
        assert.equal(plan.certificate.bytes, (switches * 4 * 6 ** K * 8 * (ranks - 1)) / ranks)
        assert.ok(plan.certificate.minimal)
      }
    })
  }

  it('one more layer of three dims and then another cost two switches and one, three for two', () => {
    const count = (layers: number): number =>
      planOf(forward('sp=2', volume('x y z', layers))).steps.filter((step) => step.do === 'move' && step.name === 'switch').length
    assert.deepEqual([1, 2, 3, 4, 5, 6].map(count), [1, 2, 4, 5, 7, 8])
  })

  it('switches back as often as forth, and gives the numbers of one rank', async () => {
    const program = (ranks: number) => training(`sp=${ranks}`)
    const parameters = right(initialValues(program(1)))
    const alone = await runPlan(planOf(program(1)), { ...inputsFor(planOf(program(1))), ...parameters })
    for (const ranks of [2, 3, 4]) {
      const plan = planOf(program(ranks))
      const phases = plan.steps.flatMap((step) => step.do === 'move' && step.name === 'switch' ? [step.phase] : [])
      assert.deepEqual(phases, ['forward', 'forward', 'backward', 'backward'])
      const { outputs } = await runPlan(plan, { ...inputsFor(plan), ...parameters })
      for (const [name, elements] of Object.entries(alone.outputs)) assertClose(outputs[name]!, elements, 1e-5)
    }
  })
})
