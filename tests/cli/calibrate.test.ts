import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shardwise } from './command.ts'

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
    const { code, error } = shardwise('calibrate', ...words)
    assert.match(error, said)
    assert.equal(code, 2)
  }
})
