import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eliminate, type Factor } from '#lib/plan/eliminate.ts'

const unlimited = 2 ** 24

/** Whole numbers, so that sums are exact in any order; now and then a choice that is not allowed. */
const cost = fc.oneof({ weight: 9, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.constant(Infinity) })

/** Up to seven variables, and tables over none to three of them; equal tables are common, as in models of equal blocks. */
const problem = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 7 }).chain((sizes) =>
  fc.record({
    sizes: fc.constant(sizes),
    factors: fc.array(
      fc.shuffledSubarray(sizes.map((_, variable) => variable), { maxLength: Math.min(3, sizes.length) }).chain((scope) => {
        const cells = scope.reduce((product, variable) => product * sizes[variable]!, 1)
        return fc.record({
          scope: fc.constant(scope),
          costs: fc.oneof(
            fc.array(cost, { minLength: cells, maxLength: cells }).map((costs) => Float64Array.from(costs)),
            fc.constant(Float64Array.from({ length: cells }, (_, cell) => cell % 3)),
          ),
        })
      }),
      { maxLength: 10 },
    ),
  })
)

const costOf = (factors: readonly Factor[], sizes: readonly number[], values: readonly number[]): number =>
  factors.reduce((sum, { scope, costs }) => sum + costs[scope.reduce((at, variable) => at * sizes[variable]! + values[variable]!, 0)]!, 0)

/** The least cost over all choices, one after another. */
const leastCost = (sizes: readonly number[], factors: readonly Factor[]): number => {
  const choices = sizes.reduce<(readonly number[])[]>(
    (all, size) => all.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])),
    [[]],
  )
  return choices.reduce((least, values) => Math.min(least, costOf(factors, sizes, values)), Infinity)
}

const assertChoice = (sizes: readonly number[], values: readonly number[]): void => {
  assert.equal(values.length, sizes.length)
  values.forEach((value, variable) => assert.ok(Number.isInteger(value) && value >= 0 && value < sizes[variable]!))
}

test('elimination finds the least cost, and proves it', () => {
  fc.assert(
    fc.property(problem, ({ sizes, factors }) => {
      const { values, cost, bound } = eliminate(sizes, factors, unlimited)
      assertChoice(sizes, values)
      assert.equal(cost, leastCost(sizes, factors))
      assert.equal(cost, costOf(factors, sizes, values))
      assert.equal(bound, cost)
    }),
    { numRuns: 500 },
  )
})

test('where tables do not fit, the bound still lies below the least cost and the choice costs what is said', () => {
  fc.assert(
    fc.property(problem, fc.constantFrom(1, 2, 4, 8, 16, 32), ({ sizes, factors }, largestTable) => {
      const { values, cost, bound } = eliminate(sizes, factors, largestTable)
      assertChoice(sizes, values)
      assert.equal(cost, costOf(factors, sizes, values))
      assert.ok(bound <= leastCost(sizes, factors))
      assert.ok(cost >= leastCost(sizes, factors))
    }),
    { numRuns: 500 },
  )
})

test('a long chain of equal blocks is solved block by block', () => {
  const steps = Array.from({ length: 2000 }, (_, i) => i)
  const step = Float64Array.from([3, 1, 4, 1, 5, 9, 2, 6, 5])
  const factors = steps.slice(1).map((i): Factor => ({ scope: [i - 1, i], costs: step }))
  // The shortest path by the textbook: the cheapest way to each value, step by step.
  const reached = steps.slice(1).reduce(
    (costs) => [0, 1, 2].map((to) => Math.min(...costs.map((before, from) => before + step[from * 3 + to]!))),
    [0, 0, 0],
  )
  const { cost, bound, width } = eliminate(steps.map(() => 3), factors, unlimited)
  assert.equal(cost, Math.min(...reached))
  assert.equal(bound, cost)
  assert.ok(width <= 3)
})
