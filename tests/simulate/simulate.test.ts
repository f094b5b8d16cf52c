import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Cluster } from '#lib/cluster/cluster.ts'
import { sentence } from '#lib/fault.ts'
import { compile, input, layout, mesh, parameter, type Plan, program } from '#lib/mod.ts'
import { alikeRanks } from '#lib/simulate/alike.ts'
import { priceProgram } from '#lib/simulate/price.ts'
import { schedule } from '#lib/simulate/schedule.ts'
import { bytesIn, simulate, type Simulation } from '#lib/simulate/simulate.ts'
import { sgd, trainStep, xavier } from '#lib/train/mod.ts'
import { add, gelu, linear, mean, multiply, softmax, square, subtract } from '#ops/mod.ts'
import type { Program } from '#lib/language/program.ts'

const planOf = (of: Program): Plan => {
  const plan = compile(of)
  if (E.isLeft(plan)) assert.fail(sentence(plan.left))
  return plan.right
}

/** Round numbers, so that times can be told by hand. */
const cluster: Cluster = {
  format: 'shardwise-cluster',
  version: 1,
  name: 'round',
  description: '',
  device: { name: 'box', matrix: { f32: 1e9, bf16: 4e9 }, efficiency: 0.5, vector: 1e9, bandwidth: 1e9, memory: 1e6, launch: 1e-3 },
  links: [{ name: 'inside', ranks: 2, bandwidth: 1e8, latency: 1e-3 }, { name: 'between', ranks: null, bandwidth: 1e7, latency: 5e-3 }],
  overlap: false,
  sources: [],
}

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) <= 1e-12 + 1e-9 * Math.abs(expected), `${actual} is not ${expected}`)

test('a contraction takes its launch and its arithmetic, or its traffic where that takes longer', () => {
  const product = (rows: number) =>
    planOf(
      program('product', mesh(''), { x: input(`n:${rows} e:100`), w: parameter('f:200 e:100') }, ({ x, w }) =>
        pipe(x, linear({ weight: w }, 'e'))),
    )
  const many = simulate(product(50), cluster)
  near(many.seconds, 1e-3 + 2 * 50 * 100 * 200 / 0.5e9)
  assert.equal(many.communication, 0)
  assert.equal(many.groups[0]!.matrix, 2 * 50 * 100 * 200)
  // In bf16 the rate is four times as high.
  near(simulate(product(50), cluster, { precision: 'bf16' }).seconds, 1e-3 + 2 * 50 * 100 * 200 / 2e9)
  // With one row there is more to read than to compute.
  const slow = { ...cluster, device: { ...cluster.device, bandwidth: 1e6 } }
  near(simulate(product(1), slow).seconds, 1e-3 + 4 * (100 + 200 * 100 + 200) / 1e6)
  near(simulate(product(1), slow, { precision: 'bf16' }).seconds, 1e-3 + 2 * (100 + 200 * 100 + 200) / 1e6)
})

test('a switch takes packing, the slowest level of links, and unpacking', () => {
  const switching = (ranks: string) =>
    planOf(program('switch', mesh(ranks), { x: input('t:8@sp s:16 e:10') }, ({ x }) => pipe(x, layout('s@sp'))))
  const piece = 4 * 8 * 16 * 10
  const copying = (bytes: number): number => 1e-3 + bytes / 1e9
  // Two ranks on one host: half of the half goes over.
  near(simulate(switching('sp=2'), cluster).seconds, copying(2 * piece / 4) + 1e-3 + piece / 4 / 1e8 + copying(2 * piece / 2))
  // Four ranks on two hosts: two of the three parts go between the hosts, which takes longer.
  const four = simulate(switching('sp=4'), cluster)
  const parcel = piece / 16
  near(four.seconds, copying(2 * 3 * parcel) + 5e-3 + 2 * parcel / 1e7 + copying(2 * 4 * parcel))
  assert.equal(four.groups.length, 1)
  assert.equal(four.groups[0]!.sent, 3 * parcel)
  assert.equal(four.memory.parcels, 6 * parcel)
  near(four.communication, four.seconds)
  near(four.exposed, four.seconds)
  near(four.hidden, 0)
  // Half of it in bf16.
  near(
    simulate(switching('sp=4'), cluster, { precision: 'bf16' }).seconds,
    copying(3 * parcel) + 5e-3 + parcel / 1e7 + copying(4 * parcel),
  )
})

test('what all ranks get goes once to each host, and on to the others inside', () => {
  const gathering = planOf(program('gather', mesh('sp=8'), { x: input('t:8@sp e:100') }, ({ x }) => pipe(x, layout(''))))
  const piece = 4 * 100
  const copying = (bytes: number): number => 1e-3 + bytes / 1e9
  // Four hosts of two: three times between hosts; then four pieces to the other one inside, which is quicker.
  near(simulate(gathering, cluster, { staged: true }).seconds, copying(2 * piece) + 5e-3 + 3 * piece / 1e7 + copying(2 * 8 * piece))
  near(simulate(gathering, cluster).seconds, copying(2 * 7 * piece) + 5e-3 + 6 * piece / 1e7 + copying(2 * 8 * piece))
})

test('ranks with longer pieces are waited for', () => {
  // Three ranks share 4 and then 5 positions: 2 1 1 and 2 2 1.
  const plan = planOf(
    program('uneven', mesh('sp=3'), { x: input('t:4@sp s:5 e:1000') }, ({ x }) => pipe(x, softmax('s'), layout('s@sp'), softmax('t'))),
  )
  const { groups, seconds } = simulate(plan, cluster)
  assert.deepEqual(groups.map(({ ranks }) => ranks), [[0], [1], [2]])
  assert.equal(seconds, Math.max(...groups.map((group) => group.seconds)))
  const waits = groups.map(({ spans }) => spans.filter(({ activity }) => activity === 'wait').length)
  assert.ok(waits[0] === 0 && waits[1]! > 0 && waits[2]! > 0)
})

/** A step of training whose gradients' sums can travel while other gradients are made. */
const training = (ranks: string, width: number) =>
  planOf(
    trainStep('layers', mesh(ranks), {
      inputs: { x: input('b:12@dp t:6@sp e:8'), y: input('b:12@dp t:6@sp e:8') },
      parameters: { up: parameter(`f:${width} e:8`, xavier()), down: parameter(`e:8 f:${width}`, xavier()) },
      loss: ({ inputs: { x, y }, parameters: { up, down } }) =>
        pipe(x, linear({ weight: up }, 'e'), gelu, linear({ weight: down }, 'f'), subtract(y), square, mean('b t e')),
      optimiser: sgd({ rate: 0.1 }),
    }),
  )

const speeds = fc.record({
  launch: fc.double({ min: 0, max: 1e-3, noNaN: true }),
  rate: fc.double({ min: 1e6, max: 1e10, noNaN: true }),
  inside: fc.double({ min: 1e4, max: 1e9, noNaN: true }),
  between: fc.double({ min: 1e4, max: 1e9, noNaN: true }),
  latency: fc.double({ min: 0, max: 1e-2, noNaN: true }),
}).map(({ launch, rate, inside, between, latency }): Cluster => ({
  ...cluster,
  device: { ...cluster.device, launch, matrix: { f32: rate }, vector: rate, bandwidth: rate },
  links: [{ name: 'inside', ranks: 2, bandwidth: inside, latency }, { name: 'between', ranks: null, bandwidth: between, latency }],
}))

const consistent = ({ seconds, compute, communication, hidden, exposed, phases }: Simulation): void => {
  near(compute + exposed, seconds)
  near(hidden + exposed, communication)
  near(phases.reduce((sum, phase) => sum + phase.seconds, 0), seconds)
  near(phases.reduce((sum, phase) => sum + phase.compute, 0), compute)
  near(phases.reduce((sum, phase) => sum + phase.communication, 0), communication)
}

test('overlap never makes a run longer, nor shorter than computing or communicating alone', () => {
  const plans = [training('dp=2 sp=2', 16), training('dp=3 sp=1', 7), training('dp=1 sp=4', 9)]
  let shorter = 0
  fc.assert(fc.property(fc.constantFrom(...plans), speeds, (plan, of) => {
    const apart = simulate(plan, of, { overlap: false })
    const together = simulate(plan, of, { overlap: true })
    const slack = 1e-9 * apart.seconds
    assert.ok(together.seconds <= apart.seconds + slack)
    for (const { seconds, compute, spans } of together.groups) {
      const wired = spans.filter(({ activity }) => activity !== 'compute' && activity !== 'wait')
      assert.ok(seconds + slack >= Math.max(compute, wired.reduce((sum, { start, end }) => sum + end - start, 0) / 1000))
    }
    near(apart.hidden, 0)
    consistent(apart)
    consistent(together)
    if (together.seconds < apart.seconds - slack) shorter++
  }))
  assert.ok(shorter > 0)
})

test('what is simulated for one of a group is what each of it would do', () => {
  // The same plan with every rank simulated for itself.
  for (const plan of [training('dp=2 sp=3', 10), training('dp=3 sp=2', 10), training('dp=5 sp=1', 3)]) {
    const groups = alikeRanks(plan, cluster.links)
    assert.deepEqual(groups.flat().sort((a, b) => a - b), Array.from({ length: plan.ranks }, (_, rank) => rank))
    for (const [overlap, staged] of [[false, true], [true, false], [true, true]] as const) {
      const { groups: simulated } = simulate(plan, cluster, { overlap, staged })
      const ranks = Array.from({ length: plan.ranks }, (_, rank) => rank)
      const alone = schedule(ranks.map((rank) => priceProgram(plan, rank, cluster, 'f32', staged)), ranks, overlap)
      for (const { rank, end } of alone) near(end, simulated.find((group) => group.ranks.includes(rank))!.seconds)
    }
  }
})

test('memory is what the plan has, with activations and gradients halved in bf16', () => {
  const plan = training('dp=2 sp=2', 16)
  const [full, half] = [simulate(plan, cluster).memory, simulate(plan, cluster, { precision: 'bf16' }).memory]
  assert.equal(half.parameters, full.parameters)
  assert.equal(half.activations, full.activations / 2)
  assert.equal(half.gradients, full.gradients / 2)
  assert.ok(simulate(plan, cluster).fits)
  const small = { ...cluster, device: { ...cluster.device, memory: bytesIn(full) - 1 } }
  assert.ok(!simulate(plan, small).fits)
})

test('spans tell what the ranks do, step by step', () => {
  const plan = planOf(
    program(
      'chain',
      mesh('sp=2'),
      { x: input('t:4@sp s:6'), y: input('t:4@sp s:6') },
      ({ x, y }) => pipe(x, softmax('s'), layout('s@sp'), add(pipe(y, layout('s@sp'))), multiply(2)),
    ),
  )
  for (const { spans, seconds } of simulate(plan, cluster).groups) {
    assert.ok(spans.every(({ start, end }) => end > start))
    spans.slice(1).forEach(({ start }, i) => near(start, spans[i]!.end))
    near(spans.at(-1)!.end, 1000 * seconds)
    assert.ok(spans.some(({ name }) => /^softmax at .*simulate\.test\.ts:\d+$/.test(name)), spans[0]!.name)
    assert.ok(
      spans.some(({ name, activity, bytes }) =>
        activity === 'wire' && /^all-to-all t→s over sp for .*simulate\.test\.ts/.test(name) && bytes! > 0
      ),
    )
  }
})
