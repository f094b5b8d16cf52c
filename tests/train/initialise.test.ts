import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sentence } from '#lib/fault.ts'
import type { Initialiser } from '#lib/language/initialiser.ts'
import { mesh, parameter, program } from '#lib/mod.ts'
import { initialValues, normal, sgd, train, trainStep, uniform, xavier, zeros } from '#lib/train/mod.ts'
import { mean } from '#ops/mod.ts'
import { correlation, limit } from '../ops/random-numbers.ts'
import { right } from '../ops/run-law.ts'

const count = 20_000
const start = (init: Initialiser, seed: number, name = 'w'): readonly number[] =>
  Array.from(
    right(initialValues(
      program('start', mesh('sp=2'), { [name]: parameter('f:200@sp e:100', init) }, (all) => all[name]!),
      { seed },
    ))[name]!,
  )

describe('what parameters start with', () => {
  it('is independent for other initialisers, seeds and names', () => {
    const size = (all: readonly number[]): readonly number[] => all.map(Math.abs)
    const columns: Readonly<Record<string, readonly number[]>> = {
      uniform: start(uniform(1), 1),
      normal: start(normal(1), 1),
      'size of normal': size(start(normal(1), 1)),
      'uniform of the next seed': start(uniform(1), 2),
      'normal of the next seed': start(normal(1), 2),
      'uniform of a seed with the same low word': start(uniform(1), 2 ** 32 + 1),
      'uniform of the negative seed': start(uniform(1), -1),
      'uniform of another name': start(uniform(1), 1, 'v'),
      'normal of another name': start(normal(1), 1, 'v'),
    }
    const all = Object.entries(columns)
    all.forEach(([name, values], i) => {
      for (const [other, others] of all.slice(i + 1)) {
        if (other === `size of ${name}`) continue
        const found = correlation(values, others)
        assert.ok(Math.abs(found) < limit(count), `${name} and ${other}: ${found}`)
      }
    })
  })

  it('is refused, with a fault and no throw, where the seed is no whole number', async () => {
    const one = program('one', mesh(''), { w: parameter('e:4', xavier()) }, ({ w }) => w)
    const step = trainStep('step', mesh(''), {
      inputs: {},
      parameters: { w: parameter('e:4', zeros) },
      loss: ({ parameters: { w } }) => pipe(w, mean('e')),
      optimiser: sgd({ rate: 0.1 }),
    })
    for (const seed of [NaN, 1.5, 2 ** 53, -Infinity]) {
      const told = `a seed is a whole number within ±2^53, but it is ${seed}`
      const values = initialValues(one, { seed })
      assert.equal(E.isLeft(values) && sentence(values.left), `initialValues: ${told}`)
    }
    assert.deepEqual(right(initialValues(one, { seed: -0 })), right(initialValues(one)))
    for (const seed of [NaN, 0.5, 2 ** 60]) {
      const trained = await train(step, { steps: 1, batch: () => ({}), seed, launch: { inProcess: true, backend: 'reference' } })()
      assert.equal(E.isLeft(trained) && sentence(trained.left), `train: a seed is a whole number within ±2^53, but it is ${seed}`)
    }
  })
})
