import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { grad, layout, mesh, program, type Tensor } from '#lib/mod.ts'
import { add, square, sum } from '#ops/mod.ts'
import { type Law, namesIn, type Sizes } from '../ops/law.ts'
import { lawsFor } from '../ops/laws.ts'
import { around, type Given, lawGradients, lossOf, realInputs, realOf } from '../ops/loss.ts'
import { type Cuts, declarationsFor, everyCut, ifLegal, opFiles, right, run, type Values, valuesFor } from '../ops/run-law.ts'

/**
 * Gradients of gradients: of Σ g², where g are the gradients of an op by all of its real inputs, against differences of
 * differences of the law's own formula. Every op's gradient is a program of more ops, so this is a test of their gradients.
 */
const total = (x: Tensor): Tensor => layout('')(x.spec === '' ? x : sum(namesIn(x.spec).join(' '))(x))

const secondOf = (law: Law, on: string, cuts: Cuts) =>
  program('second derivatives', mesh(on), declarationsFor(law, cuts), (tensors) => {
    const given = tensors as unknown as Given
    const squares = (real: Given): Tensor =>
      Object.values(lawGradients(law, given)(real)).map((gradient) => total(square(gradient))).reduce((x, y) => add(y)(x))
    return grad(squares)(realOf(law, given))
  })

/** Differences of fourth order: off by h⁴ f⁽⁵⁾ / 30 and by rounding, 1e-16 · |f| / h; twice in a row, less than 1e-8. */
const h = 1e-3
const slope = (elements: Float64Array, i: number, f: () => number): number => {
  const [a, b, c, d] = around(elements, i, [-2 * h, -h, h, 2 * h], f)
  return (a! - 8 * b! + 8 * c! - d!) / (12 * h)
}
const slopesOf = (law: Law, values: Values): Readonly<Record<string, readonly number[]>> => {
  const given = Object.fromEntries(Object.entries(values).map(([name, elements]) => [name, Float64Array.from(elements)]))
  const loss = lossOf(law, given)
  const real = realInputs(law).map((name) => ({ name, elements: given[name]! }))
  const squares = (): number =>
    real.reduce((sum, { elements }) => elements.reduce((sum, _, i) => sum + slope(elements, i, loss) ** 2, sum), 0)
  return Object.fromEntries(real.map(({ name, elements }) => [name, Array.from(elements, (_, i) => slope(elements, i, squares))]))
}

const close = (got: Values, wanted: Readonly<Record<string, readonly number[]>>, what: string): void => {
  for (const [name, slopes] of Object.entries(wanted)) {
    const most = slopes.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0.01)
    slopes.forEach((slope, i) => {
      const near = Math.abs(got[name]![i]! - slope) <= 1e-5 * most
      assert.ok(near, `${what}: the second derivative by element ${i} of ${name} is ${got[name]![i]}, not ${slope}`)
    })
  }
}

/** Differences of differences need many evaluations: few elements. */
const sizes: Sizes = { t: 3, s: 2, e: 3, f: 2, v: 3, n: 2, k: 3, h: 1, d: 2 }

/** Not every way of cutting, but some of each kind. */
const some = (ways: readonly Cuts[]): readonly Cuts[] => ways.filter((_, i) => i % Math.max(1, Math.floor(ways.length / 6)) === 0)

describe('gradients of gradients', () => {
  for (const file of opFiles) {
    it(file, async () => {
      for (const [number, law] of lawsFor(sizes)[file]!.entries()) {
        if (law.flat !== undefined) continue
        const what = `${file} #${number + 1}`
        const values = valuesFor(law, 5 * number + 2)
        const wanted = slopesOf(law, values)
        close(right(await run(secondOf(law, '', {}), values, 'reference')), wanted, what)
        for (const cuts of some(everyCut(law, 'a'))) {
          const where = `${what} on a=2, ${JSON.stringify(cuts)}`
          const got = ifLegal(await run(secondOf(law, 'a=2', cuts), values, 'reference'), where)
          if (got !== undefined) close(got, wanted, where)
        }
      }
    })
  }
})
