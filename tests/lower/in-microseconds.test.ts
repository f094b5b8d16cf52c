import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import type { Cluster } from '#lib/cluster/cluster.ts'
import { sentence } from '#lib/fault.ts'
import { compile, decodePlan, encodePlan, input, layout, mesh, type Plan, type Program, program } from '#lib/mod.ts'
import { simulate } from '#lib/simulate/simulate.ts'
import { attention, exp, softmax } from '#ops/mod.ts'
import { trace } from '#lib/language/trace.ts'
import { buildGraph } from '#lib/graph/graph.ts'
import { heldIn } from '#lib/layout/transfer.ts'
import { inMicroseconds } from '#lib/lower/in-microseconds.ts'
import { plan as decide } from '#lib/plan/planner.ts'
import { programOf, recipes } from '../plan/random-programs.ts'

/** A cluster with one level of links, and round numbers. */
const clusterOf = (links: Cluster['links'], device: Partial<Cluster['device']> = {}, overlap = false): Cluster => ({
  format: 'shardwise-cluster',
  version: 1,
  name: 'round numbers',
  description: '',
  device: { name: '', matrix: { f32: 1e13 }, efficiency: 1, vector: 1e12, bandwidth: 1e12, memory: 1e11, launch: 0, ...device },
  links,
  overlap,
  sources: [],
})
const line = (bandwidth: number, latency: number, ranks: number | null = null) => ({ name: 'line', ranks, bandwidth, latency })

const planned = (program: Program, cluster?: Cluster): Plan => {
  const plan = compile(program, cluster && { cluster })
  if (E.isLeft(plan)) assert.fail(sentence(plan.left))
  return plan.right
}
const collectives = (plan: Plan): readonly string[] =>
  plan.steps.flatMap((step) => step.do === 'move' && step.bytes.some((sent) => sent > 0) ? [step.collective] : [])

/** One long sequence with one head: nothing but its positions can be cut. */
const long = program('long', mesh('sp=4'), { q: input('t:4096@sp d:64'), k: input('t:4096@sp d:64'), v: input('t:4096@sp d:64') }, (
  { q, k, v },
) => attention({ over: 't', features: 'd' })(layout('')(k), layout('')(v))(q))

describe('plans for the least time', () => {
  it('are as fast as said: the work and the exchanges of the first rank, by hand', () => {
    const two = program('two', mesh('sp=4'), { x: input('t:16@sp s:64 e:8') }, ({ x }) => softmax('t')(layout('s@sp')(exp(x))))
    const { certificate } = planned(two, clusterOf([line(1e6, 0.001)], { vector: 1e6, bandwidth: Infinity }))
    // A quarter of 8192 elements: an exponential each; then softmax, whose two folds take 1 and 3 steps and whose quotient takes 3.
    // Three quarters of them leave.
    const elements = 16 * 64 * 8 / 4
    const seconds = elements * 1e-6 * (1 + 1 + 3 + 3) + (0.001 + elements * 4 * 0.75 / 1e6)
    assert.ok(Math.abs(certificate.fastest!.seconds - seconds) <= 1e-6 * seconds)
    assert.equal(certificate.fastest!.cluster, 'round numbers')
  })

  it('send the fewest bytes where time is bytes: equal links without latency, work for nothing', () => {
    const free = clusterOf([line(1e6, 0)], { matrix: { f32: Infinity }, vector: Infinity, bandwidth: Infinity })
    fc.assert(
      fc.property(recipes(['sp=2'], 8), (recipe) => {
        const of = programOf(recipe, 2)
        const [fewest, fastest] = [planned(of), planned(of, free)]
        // The first rank's bytes are no measure of all where pieces are uneven: then it may not be the same plan.
        const first = (plan: Plan): number => plan.steps.reduce((sum, step) => step.do === 'move' ? sum + step.bytes[0]! : sum, 0)
        assert.ok(first(fastest) <= first(fewest) + 1e-9)
      }),
      { numRuns: 40 },
    )
  })

  it('take a ring where it hides behind the work, and a gather where nothing hides', () => {
    const slow = [line(1e9, 1e-5)]
    assert.deepEqual(collectives(planned(long, clusterOf(slow, {}, true))), Array.from({ length: 6 }, () => 'shift'))
    assert.deepEqual(collectives(planned(long, clusterOf(slow, {}, false))), ['all-gather', 'all-gather'])
    // Steps of a ring that are all latency cannot hide behind so little work.
    assert.deepEqual(collectives(planned(long, clusterOf([line(1e12, 1)], {}, true))), ['all-gather', 'all-gather'])
  })

  it('are no slower, when they are simulated, than plans for the fewest bytes', () => {
    for (const overlap of [false, true]) {
      for (const cluster of [clusterOf([line(1e9, 1e-5)], {}, overlap), clusterOf([line(1e11, 1e-6, 2), line(1e9, 1e-5)], {}, overlap)]) {
        const [fewest, fastest] = [planned(long), planned(long, cluster)]
        assert.ok(simulate(fastest, cluster).seconds <= simulate(fewest, cluster).seconds * 1.001)
      }
    }
  })

  it('have a bound that holds, and cost no more than plans for the fewest bytes', () => {
    fc.assert(
      fc.property(recipes(['sp=2', 'sp=3'], 8), (recipe) => {
        const traced = trace(programOf(recipe, 2))
        if (E.isLeft(traced)) assert.fail(sentence(traced.left))
        const graph = buildGraph(traced.right)
        const pricing = inMicroseconds(graph, clusterOf([line(1e6, 1e-4)]), 'f32')
        const { cost, bound } = decide(graph, undefined, pricing)
        // What breaks ties is far below a nanosecond.
        assert.ok(cost - bound <= 1e-3 + 1e-6 * cost)
        const { strategies, copies } = decide(graph)
        const works = strategies.reduce((sum, strategy, value) => sum + pricing.work(graph.nodes[value]!, strategy), 0)
        const exchanges = copies.flatMap(({ moves }, value) =>
          moves.map(({ from, to, bytes }) => {
            const [before, after] = [from, to].map((layout) => heldIn(graph.nodes[value]!.shape, layout, graph.mesh))
            return bytes === 0 ? 0 : pricing.exchange(before!, after!)
          })
        ).reduce((sum, time) => sum + time, 0)
        assert.ok(bound <= works + exchanges + 1e-3 && cost <= works + exchanges + 1e-3)
      }),
      { numRuns: 40 },
    )
  })

  it('say what they are for, and are read back', () => {
    const plan = planned(long, clusterOf([line(1e9, 1e-5)]))
    const back = decodePlan(encodePlan(plan))
    assert.deepEqual(back, E.right(plan))
    assert.equal(planned(long).certificate.fastest, null)
  })
})
