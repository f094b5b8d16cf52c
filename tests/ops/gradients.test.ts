import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { mesh, program } from '#lib/mod.ts'
import type { Law, Sizes } from './law.ts'
import { laws, lawsFor } from './laws.ts'
import { around, type Given, lawGradients, lossOf, realInputs, realOf } from './loss.ts'
import { type Cuts, declarationsFor, everyCut, ifLegal, meshes, opFiles, right, run, type Values, valuesFor } from './run-law.ts'

/**
 * The gradients of every op by each of its real inputs are the slopes of the law's own formula; cut in every legal way
 * they are the same, and each lies as its input does.
 */
const gradientsOf = (law: Law, on: string, cuts: Cuts) =>
  program('gradients', mesh(on), declarationsFor(law, cuts), (tensors) => {
    const given = tensors as unknown as Given
    const gradients = lawGradients(law, given)(realOf(law, given))
    for (const name of realInputs(law)) {
      assert.deepEqual([gradients[name]!.spec, gradients[name]!.pending], [given[name]!.spec, ''], `the gradient by ${name}`)
    }
    return gradients
  })

/**
 * Central differences by each element, in float64. With a step of h = 1e-5 they are off by h² f‴ / 6, less than 1e-7 of the
 * slopes that occur, and by rounding, 1e-16 · |loss| / h, less than 1e-9.
 */
const slopesOf = (law: Law, values: Values): Readonly<Record<string, Float64Array>> => {
  const given = Object.fromEntries(Object.entries(values).map(([name, elements]) => [name, Float64Array.from(elements)]))
  const loss = lossOf(law, given)
  return Object.fromEntries(
    realInputs(law).map((name) => [
      name,
      Float64Array.from(given[name]!, (_, i) => {
        const [before, after] = around(given[name]!, i, [-step, step], loss)
        return (after! - before!) / (2 * step)
      }),
    ]),
  )
}
const step = 1e-5

/**
 * Gradients are compared with the largest one of their input: they are sums whose parts cancel, and float32 rounds each
 * part. The reference rounds only what it stores between kernels, 6e-8 a time.
 */
const close = (got: Values, wanted: Readonly<Record<string, Float64Array>>, tolerance: number, what: string): void => {
  assert.deepEqual(Object.keys(got).sort(), Object.keys(wanted).sort(), what)
  for (const [name, slopes] of Object.entries(wanted)) {
    const most = slopes.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0.01)
    assert.equal(got[name]!.length, slopes.length, what)
    slopes.forEach((slope, i) => {
      const near = Math.abs(got[name]![i]! - slope) <= tolerance * most
      assert.ok(near, `${what}: the gradient by element ${i} of ${name} is ${got[name]![i]}, not ${slope}`)
    })
  }
}
const [onReference, onWebGPU] = [1e-5, 2e-4]

/** What a law says about its gradients: they are the slopes, or 0 where it says that the result is flat. */
const wantedOf = (law: Law, values: Values): Readonly<Record<string, Float64Array>> =>
  law.flat === undefined
    ? slopesOf(law, values)
    : Object.fromEntries(realInputs(law).map((name) => [name, new Float64Array(values[name]!.length)]))

describe('gradients of ops', () => {
  for (const file of opFiles) {
    it(file, async () => {
      assert.ok(laws[file] !== undefined, `${file} has no law`)
      for (const [number, law] of laws[file].entries()) {
        const what = `${file} #${number + 1}`
        assert.equal(realInputs(law).length > 0 || law.flat !== undefined, true, `${what} has no real input and does not say so`)
        if (realInputs(law).length === 0) continue
        const values = valuesFor(law, 7 * number + 1)
        const wanted = wantedOf(law, values)

        close(right(await run(gradientsOf(law, '', {}), values, 'reference')), wanted, onReference, `${what} on the reference`)
        close(right(await run(gradientsOf(law, '', {}), values, 'webgpu')), wanted, onWebGPU, `${what} on WebGPU`)

        let legal = 0
        for (const [on, ways] of meshes(law)) {
          for (const cuts of ways) {
            const where = `${what} on ${on}, ${JSON.stringify(cuts)}`
            const got = ifLegal(await run(gradientsOf(law, on, cuts), values, 'reference'), where)
            if (got === undefined) continue
            if (Object.keys(cuts).length > 0) legal++
            close(got, wanted, onReference, where)
          }
        }
        assert.ok(legal > 0, `${what}: no cut at all is legal`)
      }
    })
  }
})

/** A few legal ways of cutting a law's inputs over ranks of axis a, from the n-th on, and their gradients. */
const someLegal = async (law: Law, on: string, values: Values, n: number): Promise<readonly (readonly [Cuts, Values])[]> => {
  const ways = everyCut(law, 'a')
  const found: (readonly [Cuts, Values])[] = []
  for (let i = 0; i < ways.length && found.length < 2; i++) {
    const cuts = ways[(n + i) % ways.length]!
    const got = ifLegal(await run(gradientsOf(law, on, cuts), values, 'reference'), `${on}, ${JSON.stringify(cuts)}`)
    if (got !== undefined) found.push([cuts, got])
  }
  return found
}

describe('gradients of ops on shapes of any sizes', () => {
  const size = fc.integer({ min: 1, max: 5 })
  const sizes: fc.Arbitrary<Sizes> = fc.record({ t: size, s: size, e: size, f: size, v: size, n: size, k: size, h: size, d: size })

  for (const file of opFiles) {
    it(file, () =>
      fc.assert(
        fc.asyncProperty(sizes, fc.constantFrom('a=2', 'a=3'), fc.nat(9999), fc.nat(9999), async (sizes, on, which, luck) => {
          const some = lawsFor(sizes)[file]!.filter((law) => realInputs(law).length > 0)
          const law = some[which % some.length]
          if (law === undefined) return
          const values = valuesFor(law, luck)
          const wanted = wantedOf(law, values)
          close(right(await run(gradientsOf(law, '', {}), values, 'reference')), wanted, onReference, 'on one rank')
          for (const [cuts, got] of await someLegal(law, on, values, luck)) {
            close(got, wanted, onReference, `${on}, ${JSON.stringify(cuts)}`)
          }
        }),
        { numRuns: 8 },
      ))
  }
})
