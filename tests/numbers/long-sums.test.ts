import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorOf, longSums } from './long-sums.ts'

/** An op's own bound is about 8e-6 for any length there is; cascade.ts tells why. */
const most = 1e-5

describe('long sums keep their digits', () => {
  for (const sum of longSums) {
    it(sum.name, async () => {
      for (const backend of ['reference', 'webgpu'] as const) {
        const error = await errorOf(sum, backend, 1, [0.7])
        assert.ok(error <= most, `${sum.name} on ${backend} is off by ${error}`)
      }
      const onThree = await errorOf(sum, 'webgpu', 3, [1 / 3])
      assert.ok(onThree <= most, `${sum.name} on 3 ranks is off by ${onThree}`)
    })
  }
})
