import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { storage } from '#lib/lower/storage.ts'

/** Values that are born and die, in any order: each asks for a size and lives for some steps. */
const lives = fc.array(fc.record({ size: fc.integer({ min: 1, max: 50 }), steps: fc.integer({ min: 1, max: 6 }) }), { maxLength: 30 })

/** Lets values be born one a step; gives the most elements that were alive at once. */
const live = (values: readonly { readonly size: number; readonly steps: number }[], buffers: ReturnType<typeof storage>): number => {
  const alive = new Map<number, { readonly size: number; readonly until: number }>()
  let most = 0
  values.forEach(({ size, steps }, now) => {
    for (const [buffer, { until }] of alive) {
      if (until > now) continue
      alive.delete(buffer)
      buffers.give(buffer)
    }
    const buffer = buffers.take(size)
    assert.ok(!alive.has(buffer), 'a buffer holds one value at a time')
    alive.set(buffer, { size, until: now + steps })
    for (const [buffer, { size }] of alive) assert.ok(buffers.sizes[buffer]! >= size, 'a buffer is as large as its values')
    most = Math.max(most, [...alive.values()].reduce((sum, { size }) => sum + size, 0))
  })
  return most
}

test('values that live at once have buffers of their own, large enough', () => {
  fc.assert(fc.property(lives, (values) => {
    const buffers = storage()
    const most = live(values, buffers)
    assert.ok(buffers.sizes.reduce((sum, size) => sum + size, 0) >= most)
  }))
})

test('values of one size need no more buffers than live at once', () => {
  fc.assert(fc.property(lives, (values) => {
    const buffers = storage()
    const most = live(values.map(({ steps }) => ({ size: 8, steps })), buffers)
    assert.equal(buffers.sizes.length * 8, most)
  }))
})
