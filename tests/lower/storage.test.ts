import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { storage } from '#lib/lower/storage.ts'

/** Values that are born and die, in any order: each asks for a size and lives for some steps. */
const lives = fc.array(fc.record({ size: fc.integer({ min: 1, max: 50 }), steps: fc.integer({ min: 1, max: 6 }) }), { maxLength: 30 })

type Lives = readonly { readonly size: number; readonly steps: number }[]

/** Lets values be born one a step; gives the most elements that were alive at once, and checks that no two of those share a buffer. */
const live = (values: Lives, of: ReturnType<typeof storage<'even' | 'odd'>>): number => {
  const alive = new Map<number, { readonly size: number; readonly until: number }>()
  const together: (readonly [number, number][])[] = []
  let most = 0
  values.forEach(({ size, steps }, now) => {
    for (const [value, { until }] of alive) {
      if (until > now) continue
      alive.delete(value)
      of.give(value)
    }
    alive.set(of.take(size, size % 2 === 0 ? 'even' : 'odd'), { size, until: now + steps })
    together.push([...alive].map(([value, { size }]) => [value, size]))
    most = Math.max(most, [...alive.values()].reduce((sum, { size }) => sum + size, 0))
  })
  const { sizes, bufferOf } = of.assign()
  for (const moment of together) {
    assert.equal(new Set(moment.map(([value]) => bufferOf[value])).size, moment.length, 'a buffer holds one value at a time')
    for (const [value, size] of moment) assert.ok(sizes[bufferOf[value]!]! >= size, 'a buffer is as large as its values')
  }
  return most
}

const total = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0)

test('values that live at once have buffers of their own, large enough', () => {
  fc.assert(fc.property(lives, (values) => {
    const of = storage<'even' | 'odd'>()
    const most = live(values, of)
    assert.ok(total(of.assign().sizes) >= most)
    assert.equal(total([...of.most().values()]), most, 'it remembers what lived when most lived')
  }))
})

test('values of one size need no more buffers than live at once', () => {
  fc.assert(fc.property(lives, (values) => {
    const of = storage<'even' | 'odd'>()
    const most = live(values.map(({ steps }) => ({ size: 8, steps })), of)
    assert.equal(total(of.assign().sizes), most)
  }))
})
