import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { spreadOf } from '#lib/spread.ts'

test('the median is in the middle', () => {
  assert.equal(spreadOf([3, 1, 2]).median, 2)
  assert.equal(spreadOf([4, 1, 2, 100]).median, 3)
  fc.assert(fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (numbers) => {
    const middle = spreadOf(numbers).median
    assert.ok(numbers.filter((number) => number < middle).length <= numbers.length / 2)
    assert.ok(numbers.filter((number) => number > middle).length <= numbers.length / 2)
  }))
})
