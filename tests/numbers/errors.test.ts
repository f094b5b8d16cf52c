import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { erf } from '#lib/kernel/error-function.ts'
import { type Backends, openAll } from '../backends/support.ts'
import { boundsTable, edgesTable, partOf, readDocument } from './document.ts'
import { measured } from './functions.ts'
import { errorsOf } from './measure.ts'

describe('errors of scalar functions', () => {
  let backends: Backends
  before(async () => {
    backends = await openAll()
  })
  after(() => backends.close())

  for (const one of measured) {
    it(`${one.name} is within its bound`, async () => {
      const reference = await errorsOf(backends.reference, one, 2 ** 15)
      assert.ok(reference.ulps <= 0.5 && reference.wrong === 0, `the reference is off by ${reference.ulps} ulp at ${reference.at}`)
      for (const backend of backends.webgpu) {
        const { ulps, at, wrong } = await errorsOf(backend, one, 2 ** 15)
        assert.ok(ulps <= one.bound && wrong === 0, `off by ${ulps} ulp at ${at}`)
      }
    })
  }

  it('measures the error function by one that is right', () => {
    // Gauss and Legendre's five points on short pieces of the integral that defines it.
    const nodes = [[0, 128 / 225], [1 / 3 * Math.sqrt(5 - 2 * Math.sqrt(10 / 7)), (322 + 13 * Math.sqrt(70)) / 900], [
      1 / 3 * Math.sqrt(5 + 2 * Math.sqrt(10 / 7)),
      (322 - 13 * Math.sqrt(70)) / 900,
    ]] as const
    const integral = (x: number): number => {
      const pieces = 64
      const half = x / pieces / 2
      let sum = 0
      for (let i = 0; i < pieces; i++) {
        for (const [at, weight] of nodes) {
          for (const side of at === 0 ? [1] : [-1, 1]) sum += weight * half * Math.exp(-((half * (2 * i + 1 + side * at)) ** 2))
        }
      }
      return 2 / Math.sqrt(Math.PI) * sum
    }
    for (let x = 1e-3; x < 6; x *= 1.01) {
      const exact = integral(x)
      assert.ok(Math.abs(erf(x) - exact) <= 4e-15 * exact, `erf(${x}) is ${erf(x)}, not ${exact}`)
      assert.equal(erf(-x), -erf(x))
    }
  })
})

describe('docs/numbers.md', () => {
  it('shows the rules and the bounds that the tests hold', () => {
    assert.equal(partOf(readDocument(), 'edges'), edgesTable())
    assert.equal(partOf(readDocument(), 'bounds'), boundsTable())
  })
})
