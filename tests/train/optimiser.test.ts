import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import * as E from 'fp-ts/lib/Either.js'
import type { Initialiser } from '#lib/language/initialiser.ts'
import { sentence } from '#lib/fault.ts'
import { compile, input, launch, mesh, parameter, program } from '#lib/mod.ts'
import {
  adam,
  adamW,
  constant,
  cosine,
  initialValues,
  linearRate,
  normal,
  ones,
  type Optimiser,
  type Schedule,
  sgd,
  trainStep,
  uniform,
  warmUp,
  xavier,
  zeros,
} from '#lib/train/mod.ts'
import { mean, multiply, square, subtract } from '#ops/mod.ts'
import { right } from '../lower/run-plan.ts'

/** Optimisers, schedules and initialisers against their formulas in float64. */
const xs = [0.5, -1.5, 2, 1]
const ys = [1, 0.25, -0.5, 2]
const steps = 12

/** Mean of (w x - y)², by hand. */
const lossAt = (w: number): number => xs.reduce((sum, x, i) => sum + (w * x - ys[i]!) ** 2, 0) / xs.length
const slopeAt = (w: number): number => xs.reduce((sum, x, i) => sum + 2 * x * (w * x - ys[i]!), 0) / xs.length

const curveOf = async (optimiser: Optimiser, clip?: number) => {
  const step = trainStep('line', mesh('dp=2'), {
    inputs: { x: input('b:4@dp'), y: input('b:4@dp') },
    parameters: { w: parameter('', ones) },
    loss: ({ inputs: { x, y }, parameters: { w } }) => pipe(x, multiply(w), subtract(y), square, mean('b')),
    optimiser,
    ...(clip === undefined ? {} : { clip }),
  })
  const session = right(
    await launch(right(compile(step)), { backend: 'reference', inProcess: true, parameters: right(initialValues(step)) })(),
  )
  const told: { readonly loss: number; readonly norm: number; readonly rate: number }[] = []
  for (let i = 0; i < steps; i++) {
    const { outputs } = right(await session.run({ x: Float32Array.from(xs), y: Float32Array.from(ys) })())
    told.push({ loss: outputs['loss']![0]!, norm: outputs['norm']![0]!, rate: outputs['rate']![0]! })
  }
  await session.close()
  return told
}

/** The same with an update written by hand; it is given the step from 1 on. */
const byHand = (update: (w: number, g: number, t: number) => number, clip = Infinity): readonly number[] => {
  let w = 1
  return Array.from({ length: steps }, (_, i) => {
    const loss = lossAt(w)
    const g = slopeAt(w)
    w = update(w, g * Math.min(1, clip / Math.abs(g)), i + 1)
    return loss
  })
}

const assertSame = (got: readonly number[], wanted: readonly number[]): void =>
  got.forEach((one, i) =>
    assert.ok(Math.abs(one - wanted[i]!) <= 1e-5 * Math.max(1, Math.abs(wanted[i]!)), `step ${i}: ${one}, not ${wanted[i]}`)
  )

const adamByHand = (rate: number, decay: number, decoupled: boolean) => {
  let [m, v] = [0, 0]
  return (w: number, gradient: number, t: number): number => {
    const g = decoupled ? gradient : gradient + decay * w
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    const step = m / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
    return w - rate * (step + (decoupled ? decay * w : 0))
  }
}

const momentumByHand = (rate: number, momentum: number, nesterov: boolean) => {
  let v = 0
  return (w: number, g: number): number => {
    v = momentum * v + g
    return w - rate * (nesterov ? g + momentum * v : v)
  }
}

describe('optimisers follow their formulas', () => {
  const cases: readonly (readonly [string, Optimiser, (w: number, g: number, t: number) => number, number?])[] = [
    ['sgd', sgd({ rate: 0.1 }), (w, g) => w - 0.1 * g],
    ['sgd with weight decay', sgd({ rate: 0.1, weightDecay: 0.2 }), (w, g) => w - 0.1 * (g + 0.2 * w)],
    ['momentum', sgd({ rate: 0.05, momentum: 0.8 }), momentumByHand(0.05, 0.8, false)],
    ['Nesterov momentum', sgd({ rate: 0.05, momentum: 0.8, nesterov: true }), momentumByHand(0.05, 0.8, true)],
    ['adam', adam({ rate: 0.1 }), adamByHand(0.1, 0, false)],
    ['adam with weight decay', adam({ rate: 0.1, weightDecay: 0.3 }), adamByHand(0.1, 0.3, false)],
    ['adamW', adamW({ rate: 0.1, weightDecay: 0.3 }), adamByHand(0.1, 0.3, true)],
    ['clipped', sgd({ rate: 0.1 }), (w, g) => w - 0.1 * g, 0.5],
  ]
  for (const [name, optimiser, update, clip] of cases) {
    it(name, async () => {
      const told = await curveOf(optimiser, clip)
      assertSame(told.map(({ loss }) => loss), byHand(update, clip))
      assertSame([told[0]!.norm], [Math.abs(slopeAt(1))])
    })
  }
})

describe('schedules', () => {
  const cases: readonly (readonly [string, Schedule, (n: number) => number])[] = [
    ['a number', 0.25, () => 0.25],
    ['cosine', cosine(2, 8, { floor: 0.5 }), (n) => 0.5 + 0.75 * (1 + Math.cos(Math.PI * Math.min(1, n / 8)))],
    ['linear', linearRate(1, 3, 5), (n) => 1 + 2 * Math.min(1, n / 5)],
    ['warm-up', warmUp(4, cosine(2, 8)), (n) => Math.min(1, (n + 1) / 4) * (1 + Math.cos(Math.PI * Math.min(1, n / 8)))],
  ]
  for (const [name, rate, formula] of cases) {
    it(
      name,
      async () =>
        assertSame((await curveOf(sgd({ rate }))).map((one) => one.rate * 1), Array.from({ length: steps }, (_, n) => formula(n))),
    )
  }
})

describe('initialisers', () => {
  const start = (init: Initialiser, seed = 1) =>
    right(
      initialValues(
        program('start', mesh('sp=2'), { a: parameter('f:200@sp e:100', init), b: parameter('f:200 e:100', init) }, ({ a }) => a),
        { seed },
      ),
    )
  const moments = (of: ArrayLike<number>) => {
    const all = Array.from(of)
    const mean = all.reduce((sum, x) => sum + x, 0) / all.length
    return {
      mean,
      deviation: Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length),
      most: Math.max(...all.map(Math.abs)),
    }
  }
  it('have the mean and deviation that they say, and never the same numbers for two names or seeds', () => {
    const bound = Math.sqrt(6 / 300)
    for (
      const [init, deviation, most] of [[normal(0.3), 0.3, 2], [uniform(0.6), 0.6 / Math.sqrt(3), 0.6], [
        xavier(),
        bound / Math.sqrt(3),
        bound,
      ]] as const
    ) {
      const { a, b } = start(init)
      const got = moments(a!)
      assert.ok(
        Math.abs(got.mean) < 4 * deviation / Math.sqrt(20_000) && Math.abs(got.deviation - deviation) < 0.02 * deviation &&
          got.most <= most,
      )
      assert.notDeepEqual(a, b)
      assert.notDeepEqual(a, start(init, 2)['a'])
      assert.deepEqual(a, start(init)['a'])
    }
    assert.ok(start(zeros)['a']!.every((x) => x === 0) && start(constant(0.5))['a']!.every((x) => x === 0.5))
  })
  it("are refused where they don't give elements of the type", () => {
    const told = (init: Initialiser, type: 'i32' | 'bool' = 'i32'): string => {
      const made = initialValues(program('start', mesh(''), { n: parameter('n:7', type, init) }, ({ n }) => n))
      return E.isLeft(made) ? sentence(made.left) : ''
    }
    const end = '; write zeros or ones, or give its values'
    assert.equal(told(constant(0.5)), `tensor 'n': it is i32, and cannot start as constant(0.5)${end}`)
    assert.equal(told(constant(3e9)), `tensor 'n': it is i32, and cannot start as constant(3000000000)${end}`)
    assert.equal(told(constant(2), 'bool'), `tensor 'n': it is bool, and cannot start as constant(2)${end}`)
    assert.equal(told(xavier()), `tensor 'n': it is i32, and cannot start as xavier numbers${end}`)
    assert.deepEqual([told(constant(-7)), told(zeros), told(ones, 'bool')], ['', '', ''])
  })
  it('xavier counts the dims that come in by name', () => {
    const { a } = start(xavier({ into: 'f', gain: 2 }))
    assert.ok(moments(a!).most <= 2 * Math.sqrt(6 / 300) && moments(a!).most > 1.99 * Math.sqrt(6 / 300))
  })
  it('are asked for where they are missing, and refused where a dim is not there', () => {
    const missing = initialValues(program('none', mesh(''), { w: parameter('f:4') }, ({ w }) => w))
    assert.ok(E.isLeft(missing))
    assert.equal(
      sentence(missing.left),
      "tensor 'w': nothing says how it starts; write parameter('f:4', zeros) or xavier(), or give its values",
    )
    const wrong = initialValues(program('wrong', mesh(''), { w: parameter('f:4 e:2', xavier({ into: 'g' })) }, ({ w }) => w))
    assert.ok(E.isLeft(wrong))
    assert.equal(sentence(wrong.left), "tensor 'w': xavier: no dim 'g' in 'f:4 e:2'")
  })
  it('are refused where their number makes no sense', () => {
    const said = (init: Parameters<typeof start>[0]): string => {
      const values = initialValues(program('wrong', mesh(''), { w: parameter('f:4 e:2', init) }, ({ w }) => w))
      return E.isLeft(values) ? sentence(values.left) : ''
    }
    for (const n of [NaN, Infinity, -1]) {
      assert.equal(said(normal(n)), `tensor 'w': normal: 'deviation' is ${n}, not a finite number from 0 up`)
      assert.equal(said(uniform(n)), `tensor 'w': uniform: 'bound' is ${n}, not a finite number from 0 up`)
      assert.equal(said(xavier({ gain: n })), `tensor 'w': xavier: 'gain' is ${n}, not a finite number from 0 up`)
    }
    assert.equal(said(constant('1' as never)), "tensor 'w': constant: a value is a number, but it is 1")
    assert.equal(said(constant(-Infinity)), '')
  })
})
