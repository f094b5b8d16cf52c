import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { decodeCluster, loadCluster } from '#lib/cluster/load.ts'
import { sentence } from '#lib/fault.ts'

const cluster = () => ({
  format: 'shardwise-cluster',
  version: 1,
  name: 'two boxes',
  description: '',
  device: { name: 'box', matrix: { f32: 1e12 }, efficiency: 0.5, vector: 1e11, bandwidth: 1e10, memory: 1e9, launch: 1e-5 },
  links: [{ name: 'inside', ranks: 2, bandwidth: 1e10, latency: 1e-6 }, { name: 'between', ranks: null, bandwidth: 1e8, latency: 1e-4 }],
  overlap: false,
  sources: [],
})

type Loose = { [key: string]: Loose } & { [index: number]: Loose }

test('a damaged file is a fault that names the place', () => {
  assert.ok(E.isRight(decodeCluster('mine.json', cluster())))
  const damages: readonly (readonly [string, (of: Loose) => unknown, RegExp])[] = [
    ['another format', (of) => Object.assign(of, { format: 'shardwise-plan' }), /format/],
    ['another version', (of) => Object.assign(of, { version: 2 }), /version/],
    ['no device', (of) => delete of['device'], /device/],
    ['words for a number', (of) => Object.assign(of['device']!, { bandwidth: '10 GB/s' }), /device\.bandwidth/],
    ['a rate of nothing', (of) => Object.assign(of['device']!, { vector: 0 }), /above 0 at device\.vector, got 0/],
    ['a negative rate', (of) => Object.assign(of['device']!['matrix']!, { bf16: -1 }), /above 0 at device\.matrix\.bf16/],
    ['no rate for f32', (of) => Object.assign(of['device']!, { matrix: { bf16: 1e12 } }), /a rate for f32/],
    ['more than the peak', (of) => Object.assign(of['device']!, { efficiency: 1.5 }), /at most 1/],
    ['time that runs back', (of) => Object.assign(of['links']![1]!, { latency: -1e-6 }), /links\.1\.latency/],
    ['no links', (of) => Object.assign(of, { links: [] }), /there is no level/],
    ['no outermost level', (of) => Object.assign(of['links']![1]!, { ranks: 8 }), /must join all ranks/],
    ['levels the wrong way round', (of) => (of['links'] as unknown as unknown[]).reverse(), /joins all ranks/],
    ['a group of half a rank', (of) => Object.assign(of['links']![0]!, { ranks: 1.5 }), /at least 2 ranks/],
  ]
  for (const [what, damage, said] of damages) {
    const broken = cluster() as unknown as Loose
    damage(broken)
    const decoded = decodeCluster('mine.json', broken)
    assert.ok(E.isLeft(decoded), what)
    assert.match(sentence(decoded.left), /^mine\.json: /)
    assert.match(sentence(decoded.left), said, what)
  }
})

test('a cluster is loaded by name or from a file; an unknown name tells the known ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shardwise-cluster-'))
  try {
    const known = await loadCluster('h100')()
    assert.ok(E.isRight(known) && known.right.name === 'h100')
    const path = join(folder, 'mine.json')
    await writeFile(path, JSON.stringify(cluster()))
    const mine = await loadCluster(path)()
    assert.ok(E.isRight(mine) && mine.right.name === 'two boxes')
    await writeFile(path, '{"format":')
    for (
      const [name, said] of [
        ['b300', /there is no cluster 'b300'; known ones are a100, .*h100/],
        [path, /this is not JSON/],
        [join(folder, 'none.json'), /there is no such file/],
      ] as const
    ) {
      const loaded = await loadCluster(name)()
      assert.ok(E.isLeft(loaded))
      assert.match(sentence(loaded.left), said)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
