import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fitLine } from '#lib/simulate/fit.ts'

const start = fc.double({ min: 1e-7, max: 1e-1, noNaN: true })
const slope = fc.double({ min: 1e-12, max: 1e-6, noNaN: true })
const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 1e7 }), { minLength: 3, maxLength: 8 })

test('points on a line give the line', () => {
  fc.assert(fc.property(start, slope, sizes, (latency, perByte, bytes) => {
    const points = bytes.map((x): [number, number] => [x, latency + perByte * x])
    const line = fitLine(points)
    for (const [x, y] of points) assert.ok(Math.abs(line.start + line.slope * x - y) <= 1e-6 * y)
  }))
})

test('a fit is never below 0, and no line that is not makes the relative errors less', () => {
  const errors = (points: readonly (readonly [number, number])[], at: number, rise: number): number =>
    points.reduce((sum, [x, y]) => sum + ((at + rise * x - y) / y) ** 2, 0)
  const points = fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0.1, max: 100, noNaN: true })), {
    minLength: 2,
    maxLength: 6,
  })
  fc.assert(
    fc.property(points, fc.double({ min: 0, max: 100, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (of, at, rise) => {
      const line = fitLine(of)
      assert.ok(line.start >= 0 && line.slope >= 0)
      assert.ok(errors(of, line.start, line.slope) <= errors(of, at, rise) + 1e-6)
    }),
  )
})
