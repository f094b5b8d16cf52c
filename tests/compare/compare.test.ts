import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { makeUpTensors } from '#lib/cli/tensors.ts'
import { comparedIn, decodeComparison, isRefused, measurementOf } from '#lib/compare/codec.ts'
import { compare, compareSteps } from '#lib/compare/compare.ts'
import { constraintsOf } from '#lib/compare/constraints.ts'
import { planNumbers } from '#lib/compare/plan-numbers.ts'
import { storedActivations } from '#lib/compare/stored.ts'
import { pieceOf } from '#lib/layout/pieces.ts'
import { explain } from '#lib/mod.ts'
import { compared, hostile, planOf, training, twoStages } from './programs.ts'

describe('numbers of a plan', () => {
  it('count what a switch sends, in bytes and messages, on any number of ranks', () => {
    for (let ranks = 1; ranks <= 5; ranks++) {
      const [t, s, e] = [4, 6, 2]
      const { sent, sentInAll, exchanges, messages } = planNumbers(planOf(twoStages('two stages', `sp=${ranks}`, [t, s, e])))
      const most = Math.max(...Array.from({ length: ranks }, (_, rank) => {
        const kept = pieceOf(s, ranks, rank).size
        return 4 * pieceOf(t, ranks, rank).size * (s - kept) * e
      }))
      assert.deepEqual(sent, { forward: most, recompute: 0, backward: 0, update: 0 })
      assert.equal(sentInAll, most)
      assert.equal(exchanges, ranks === 1 ? 0 : 1)
      assert.equal(messages, ranks - 1)
    }
  })

  it('are the totals and the peak that explain tells, of a training too', () => {
    for (const plan of [planOf(twoStages('two stages', 'sp=3')), planOf(training('training', 'sp=4'))]) {
      const numbers = planNumbers(plan)
      const { total, phases, peak } = explain(plan)
      assert.equal(numbers.sentInAll, total.bytesPerRank)
      assert.equal(numbers.exchanges, total.exchanges)
      for (const { phase, bytesPerRank } of phases) assert.equal(numbers.sent[phase], bytesPerRank)
      assert.deepEqual(numbers.memory.peak, peak)
    }
  })

  it('count two operations for each multiply-add of a linear layer, forward and for the gradient of its weight', () => {
    const { flops: { matrix } } = planNumbers(planOf(training('training', 'sp=2')))
    // Three of six rows on each rank; the input needs no gradient.
    assert.equal(matrix, 2 * 2 * 3 * 8 * 5)
  })

  it('store what the backward pass reads of the forward pass, and nothing of inputs and parameters', () => {
    // The layer's result, 3 × 5 of 6 × 5 on a rank, is squared: its gradient needs it. The loss is still to be summed over ranks.
    assert.equal(storedActivations(planOf(training('training', 'sp=2')), 0), 4 * (3 * 5 + 1))
    assert.equal(storedActivations(planOf(training('training', 'sp=1')), 0), 4 * 6 * 5)
    assert.equal(storedActivations(planOf(twoStages('two stages', 'sp=2')), 0), 0)
  })

  it('say which dims are cut unevenly, and tell only those', () => {
    assert.deepEqual(constraintsOf(planOf(twoStages('two stages', 'sp=2'))), [])
    assert.deepEqual(constraintsOf(planOf(twoStages('two stages', 'sp=3'))), ['t:4 over sp=3: pieces of 2, 1, 1'])
    assert.deepEqual(constraintsOf(planOf(twoStages('two stages', 'sp=5'))), [
      's:6 over sp=5: pieces of 2, 1, 1, 1, 1',
      't:4 over sp=5: pieces of 1, 1, 1, 1, 0; 1 of 5 have none',
    ])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 9, max: 16 }), (t, ranks) => {
        const [told] = constraintsOf(planOf(twoStages('two stages', `sp=${ranks}`, [t, ranks, 1])))
        if (t % ranks === 0) return told === undefined
        const [, many, size, few, less] = /(\d+) pieces of (\d+), (\d+) of (\d+)/.exec(told!)!.map(Number)
        return many! * size! + few! * less! === t && many! + few! === ranks && size! === less! + 1
      }),
      { numRuns: 30 },
    )
  })
})

describe('compare', () => {
  it('counts, estimates and measures programs, makes a refused one a row, and can be read again', async () => {
    const comparison = await compared(true)
    const [one, two] = comparedIn(comparison)
    assert.equal(one!.name, hostile)
    assert.deepEqual(comparison.programs.map(isRefused), [false, false, true])
    for (const program of [one!, two!]) {
      const measurement = measurementOf(program)!
      assert.equal(measurement.runs.length, 5)
      assert.equal(measurement.median, [...measurement.runs].sort((a, b) => a - b)[2])
      assert.ok(measurement.least <= measurement.median && measurement.median <= measurement.most)
      // What the link counted is what the plan says.
      assert.equal(measurement.sent, program.plan.sentInAll)
      assert.equal(measurement.lanes.length, 3)
      const compute = measurement.lanes.flatMap(({ spans }) => spans).filter(({ activity }) => activity === 'compute')
      const seconds = compute.reduce((sum, { start, end }) => sum + end - start, 0) / 3 / 1000
      assert.ok(Math.abs(measurement.activities.compute - seconds) < 1e-6)
      assert.deepEqual(program.estimate!.lanes.flatMap(({ ranks }) => ranks).sort(), [0, 1, 2])
      assert.ok(program.estimate!.seconds > 0)
    }
    assert.deepEqual(decodeComparison(JSON.parse(JSON.stringify(comparison))), E.right(comparison))
    const broken = decodeComparison({ ...comparison, programs: [{ file: 3 }] })
    assert.ok(E.isLeft(broken) && broken.left.tag === 'Malformed')
  })

  it('goes on without a program that fails, says why, and tells of each step that it said it would take', async () => {
    const plans = ['good', 'bad'].map((name) => planOf(twoStages(name, 'sp=2')))
    const candidates = plans.map((plan) => ({ file: `${plan.program}.ts`, plan: E.right(plan) }))
    let steps = 0
    const options = {
      step: () => void steps++,
      measurement: {
        repeat: 5,
        launch: { backend: 'reference', inProcess: true },
        tensors: (plan: typeof plans[number]) => plan.program === 'bad' ? { inputs: {}, parameters: {} } : makeUpTensors(plan),
      },
    } as const
    const [good, bad] = comparedIn(await compare(candidates, options)())
    assert.equal(measurementOf(good!)!.runs.length, 5)
    assert.ok(bad!.measurement !== null && 'failed' in bad!.measurement && /tensor 'x'|input/.test(bad!.measurement.failed))
    assert.equal(steps, compareSteps(candidates, options))
  })
})
