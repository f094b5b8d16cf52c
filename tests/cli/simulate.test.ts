import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { folderFor, home, shardwise } from './command.ts'

const folder = folderFor('simulate')

/** Heads are cut over tp, clips over dp: four heads can't be cut in eight. */
const program = join(folder, 'heads.ts')
writeFileSync(
  program,
  `import { pipe } from '${join(home, 'node_modules/fp-ts/lib/function.js')}'
import { input, layout, mesh, program } from '${join(home, 'lib/mod.ts')}'
import { softmax, split } from '${join(home, 'ops/mod.ts')}'
export default program('heads', mesh('dp=2 tp=2'), { x: input('b:8@dp e:12@tp') }, ({ x }) =>
  pipe(x, split('e', 'h:4 d:3'), softmax('d')))
`,
)

describe('shardwise simulate', () => {
  it('says how long a run takes on a cluster, and whether it fits', () => {
    const { out, code } = shardwise('simulate', 'examples/two-stages.ts', '--cluster', 'h100', '--precision', 'bf16')
    assert.equal(code, 0)
    assert.match(out, /^two stages on sp=4 \(4 ranks\), simulated on h100 in bf16/)
    assert.match(out, /\d µs per run, \d+ % communication \(\d+ % hidden\), [\d.]+ MB of 80 GB per device/)
  })

  it('gives the same as JSON, and a trace', () => {
    const trace = join(folder, 'trace.json')
    const { out } = shardwise('simulate', 'examples/two-stages.ts', '--cluster', 'laptops-ethernet', '--json', '--trace', trace)
    const { seconds, communication, fits, groups } = JSON.parse(out) as {
      seconds: number
      communication: number
      fits: boolean
      groups: readonly { ranks: readonly number[]; sent: number }[]
    }
    // M / N - M / N² for one switch, over 941 Mbit/s and with 0.3 ms of latency.
    const bytes = 16 * 1024 * 384 * 4 * 3 / 16
    assert.deepEqual(groups.map(({ ranks, sent }) => [ranks, sent]), [[[0, 1, 2, 3], bytes]])
    assert.ok(communication > bytes / 117.7e6 + 0.3e-3 && communication < seconds && fits)
    const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8')) as { traceEvents: readonly { cat?: string }[] }
    assert.ok(traceEvents.some(({ cat }) => cat === 'wire'))
  })

  it('tries every mesh of so many devices, best first, and says why some are refused', () => {
    const { out, code } = shardwise('simulate', program, '--cluster', 'a100', '--devices', '8')
    assert.equal(code, 0)
    const lines = out.trimEnd().split('\n')
    assert.equal(lines.length, 4)
    assert.match(lines[0]!, /^dp=\d tp=\d {2}[\d.]+ µs per run/)
    assert.match(lines[3]!, /^dp=1 tp=8 +split: 'e' is @tp, but its 8 ranks do not divide 'h/)
    assert.equal(lines.filter((line) => line.includes('per run')).length, 3)
  })

  it('refuses what it does not know, with exit code 2', () => {
    for (
      const [words, said] of [
        [['--cluster', 'cray'], /there is no cluster 'cray'; known ones are a100, /],
        [['--cluster', 'h100', '--precision', 'fp8'], /--precision is one of f32, bf16, not 'fp8'/],
        [['--cluster', 'h100', '--devices', '0'], /--devices takes a whole number of at least 1, not '0'/],
        [['--cluster', 'h100', '--devices', '4', '--mesh', 'sp=4'], /leave out --mesh/],
        [[], /cluster/i],
      ] as const
    ) {
      const { code, error } = shardwise('simulate', 'examples/two-stages.ts', ...words)
      assert.match(error, said)
      assert.equal(code, 2)
    }
  })
})
