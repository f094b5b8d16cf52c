import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('../../', import.meta.url))
const start = process.versions['deno'] === undefined ? ['--import', 'tsx'] : ['run', '--allow-all', '--quiet']

// What it measures is tested with small programs in tests/simulate/calibrate.test.ts.
test('shardwise calibrate refuses what it does not know, with exit code 2', () => {
  for (
    const [words, said] of [
      [['--ranks', '0'], /--ranks takes a whole number of at least 1, not '0'/],
      [['--backend', 'cuda'], /--backend is one of auto, webgpu, reference, not 'cuda'/],
      [['--throttle', 'slow'], /'slow' is not a bandwidth and a latency/],
      [['--cluster', 'h100'], /there is no option --cluster/],
    ] as const
  ) {
    const { status, stderr } = spawnSync(process.execPath, [...start, 'lib/cli/main.ts', 'calibrate', ...words], {
      cwd: home,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })
    assert.match(stderr, said)
    assert.equal(status, 2)
  }
})
