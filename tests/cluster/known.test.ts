import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { Cluster } from '#lib/cluster/cluster.ts'
import { knownClusters, loadCluster } from '#lib/cluster/load.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { compile, input, layout, mesh, program } from '#lib/mod.ts'
import { simulate } from '#lib/simulate/simulate.ts'

const right = async <A>(task: TE.TaskEither<Fault, A>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) assert.fail(sentence(result.left))
  return result.right
}

/** Every number and choice of a cluster, by the name that sources give it. */
const fieldsOf = ({ device, links }: Cluster): readonly string[] => [
  ...Object.keys(device.matrix).map((precision) => `device.matrix.${precision}`),
  ...['efficiency', 'vector', 'bandwidth', 'memory', 'launch'].map((field) => `device.${field}`),
  ...links.flatMap(({ ranks }, i) => [...(ranks === null ? [] : ['ranks']), 'bandwidth', 'latency'].map((field) => `links.${i}.${field}`)),
  'overlap',
]

test('every known cluster can be read, has its own name, and says where each of its numbers comes from', async () => {
  const names = await right(knownClusters)
  assert.ok(names.length >= 8)
  for (const name of names) {
    const cluster = await right(loadCluster(name))
    assert.equal(cluster.name, name)
    assert.deepEqual(cluster.sources.map(({ field }) => field).sort(), [...fieldsOf(cluster)].sort(), name)
    for (const { source } of cluster.sources) assert.ok(source.length > 15 && source.endsWith('.'), `${name}: ${source}`)
  }
})

test('the H100 node agrees with a switch that others have measured on 8 of them', async () => {
  // NVIDIA/physicsnemo pull request 1758: time to space and back, T = 8, X = 12288, C = 1536 in bf16, takes 0.29 ms.
  const there = program('reshard', mesh('sp=8'), { x: input('t:8@sp x:12288 c:1536') }, ({ x }) => pipe(x, layout('x@sp')))
  const plan = compile(there)
  if (E.isLeft(plan)) assert.fail(sentence(plan.left))
  const { seconds, compute } = simulate(plan.right, await right(loadCluster('h100')), { precision: 'bf16' })
  assert.equal(compute, 0)
  const ratio = 2 * seconds / 0.29e-3
  assert.ok(ratio > 1 / 1.3 && ratio < 1.3, `a round trip is priced ${ratio.toFixed(2)} times what was measured`)
})
