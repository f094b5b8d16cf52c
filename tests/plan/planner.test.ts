import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { sentence } from '#lib/fault.ts'
import { buildGraph, type Graph } from '#lib/graph/graph.ts'
import { trace } from '#lib/language/trace.ts'
import { keyOf } from '#lib/layout/layout.ts'
import type { Program } from '#lib/mod.ts'
import { type Decision, plan } from '#lib/plan/planner.ts'
import { strategiesOf } from '#lib/plan/strategies.ts'
import { ringProgram } from '../grad/ring-programs.ts'
import { combinations, declaresAll, largestStateSpace, leastBytes, moveBytes, resultBytes } from './brute-force.ts'
import { programOf, type Recipe, recipes } from './random-programs.ts'

const graphOf = (recipe: Recipe, dims: number): Graph => graphFrom(programOf(recipe, dims))
const graphFrom = (program: Program): Graph => {
  const traced = trace(program)
  if (E.isLeft(traced)) assert.fail(sentence(traced.left))
  return buildGraph(traced.right)
}

/** A decision that can be carried out: every op runs in a legal way, and every copy that it reads is made. */
const assertSound = (graph: Graph, { strategies, copies, outputs, bytes }: Decision): void => {
  const made = graph.nodes.map(({ shape }, value) => {
    const { moves } = copies[value]!
    const exist = new Set([keyOf(strategies[value]!.result)])
    for (let before = -1; before < exist.size;) {
      before = exist.size
      for (const { from, to, bytes } of moves) {
        if (exist.has(keyOf(from))) exist.add(keyOf(to))
        assert.equal(bytes, moveBytes(shape, from, to, graph.mesh))
      }
    }
    return exist
  })
  graph.nodes.forEach((node, value) => {
    const chosen = strategies[value]!
    const print = ({ operands, result }: typeof chosen): string => [...operands, result].map(keyOf).join(' ')
    assert.ok(strategiesOf(graph, node).some((strategy) => print(strategy) === print(chosen)))
    node.operands.forEach((use, operand) => assert.ok(made[use.value]!.has(keyOf(chosen.operands[operand]!))))
  })
  graph.outputs.forEach(({ use }, i) => assert.ok(made[use.value]!.has(keyOf(outputs[i]!))))
  const moved = copies.reduce((sum, { moves }) => sum + moves.reduce((total, move) => total + move.bytes, 0), 0)
  assert.equal(bytes, graph.nodes.reduce((sum, node, value) => sum + resultBytes(graph, node, strategies[value]!), moved))
}

/** As much as can be tried for hundreds of programs. */
const mostCombinations = 2 ** 20
const mostStates = 18

/** Values of three long dims on two axes have too many sets of copies to try; two dims have enough to go wrong. */
const cases = [
  { name: 'one axis', recipes: recipes(['sp=2', 'sp=3'], 14), dims: 3, runs: 700 },
  { name: 'two axes', recipes: recipes(['a=2 b=2', 'a=2 b=1'], 7), dims: 2, runs: 300 },
]

for (const { name, recipes, dims, runs } of cases) {
  test(`on ${name}, the plan of a random program sends the fewest bytes there can be, and proves it`, () => {
    let tried = 0
    fc.assert(
      fc.property(recipes, (recipe) => {
        const graph = graphOf(recipe, dims)
        fc.pre(combinations(graph) <= mostCombinations && largestStateSpace(graph) <= mostStates)
        tried++
        const decision = plan(graph)
        assertSound(graph, decision)
        assert.equal(decision.bytes, leastBytes(graph))
        assert.equal(decision.bound, decision.bytes)
        if (declaresAll(graph)) assert.ok(decision.declaredBytes !== undefined && decision.bytes <= decision.declaredBytes)
      }),
      { numRuns: runs },
    )
    assert.ok(tried >= runs)
  })
}

test('rings and their gradients, which go round themselves, are planned for the fewest bytes, and never for more than is declared', () => {
  for (
    const [mesh, q, k] of [
      ['sp=2', 's:3@sp d:2', 's:3@sp d:2'],
      ['sp=3', 'b:2 t:3@sp d:2', 's:4@sp d:2'],
      ['sp=2', 's:3@? d:2', 's:3@? d:2'],
      ['dp=2 sp=2', 'b:2@dp s:3@sp d:2', 's:3@sp d:2'],
      ['dp=2 sp=2', 'b:2@dp s:3@sp d:2', 'b:2@dp s:3@sp d:2'],
      ['sp=2 tp=3', 's:5@tp+sp d:2', 's:3@sp d:2'],
    ] as const
  ) {
    const graph = graphFrom(ringProgram({ mesh, q, k, over: 's', features: 'd', ring: 'sp' }))
    const decision = plan(graph)
    assertSound(graph, decision)
    assert.equal(decision.bound, decision.bytes)
    if (combinations(graph) <= mostCombinations) assert.equal(decision.bytes, leastBytes(graph))
    if (declaresAll(graph)) assert.ok(decision.declaredBytes !== undefined && decision.bytes <= decision.declaredBytes)
  }
})

test('a value with too many consumers for one table is planned by its set of copies, as exactly', () => {
  fc.assert(
    fc.property(recipes(['sp=2', 'sp=3'], 12), (recipe) => {
      const graph = graphOf(recipe, 3)
      const decision = plan(graph, { valueTable: 64, table: 2 ** 24 })
      assertSound(graph, decision)
      const { bytes } = plan(graph)
      assert.ok(decision.bound <= bytes && bytes <= decision.bytes)
      if (decision.bound === decision.bytes) assert.equal(decision.bytes, bytes)
    }),
    { numRuns: 150 },
  )
})

test('where the tables do not fit, the plan still runs and the bound still holds', () => {
  fc.assert(
    fc.property(recipes(['sp=3', 'a=2 b=2'], 10), fc.constantFrom(1, 8, 64), (recipe, table) => {
      const graph = graphOf(recipe, 2)
      const decision = plan(graph, { valueTable: 2 ** 20, table })
      assertSound(graph, decision)
      const { bytes } = plan(graph)
      assert.ok(decision.bound <= bytes && bytes <= decision.bytes)
    }),
    { numRuns: 100 },
  )
})
