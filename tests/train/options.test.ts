import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import * as E from 'fp-ts/lib/Either.js'
import { sentence } from '#lib/fault.ts'
import { input, mesh, parameter } from '#lib/mod.ts'
import { adam, adamW, cosine, linearRate, ones, type Optimiser, sgd, train, trainStep, warmUp } from '#lib/train/mod.ts'
import { mean, multiply, square } from '#ops/mod.ts'
import { refusal } from './one-step.ts'

/** Numbers that make no sense, and options that don't exist, are refused when a step is traced. */
const refused = (options: object): string =>
  refusal(
    trainStep('options', mesh('dp=2'), {
      inputs: { x: input('b:4@dp') },
      parameters: { w: parameter('', ones) },
      loss: ({ inputs: { x }, parameters: { w } }) => pipe(x, multiply(w), square, mean('b')),
      optimiser: sgd({ rate: 0.1 }),
      ...options,
    }),
  )
const of = (optimiser: Optimiser): string => refused({ optimiser })
const not = (what: string, words: string): string => `${what}, not ${words}`
const [up, above, below] = ['a finite number from 0 up', 'a finite number above 0', 'a number from 0 up to but not including 1']

describe('options of a training', () => {
  const cases: readonly (readonly [string, () => string])[] = [
    ...[-1, 0, NaN, Infinity].map((clip): readonly [string, () => string] => [
      `${not(`trainStep: 'clip' is ${clip}`, above)}; leave it out to clip nothing`,
      () => refused({ clip }),
    ]),
    ...[0, -1, 1.5, NaN].map((accumulate): readonly [string, () => string] => [
      not(`trainStep: 'accumulate' is ${accumulate}`, 'a whole number from 1 up'),
      () => refused({ accumulate }),
    ]),
    ["trainStep: no option 'clipNorm'; options are: inputs, parameters, loss, optimiser, clip, accumulate", () => refused({ clipNorm: 1 })],
    [not("sgd: 'rate' is -0.1", up), () => of(sgd({ rate: -0.1 }))],
    [not("adamW: 'rate' is NaN", up), () => of(adamW({ rate: NaN }))],
    [not("sgd: 'rate' is undefined", up), () => of(sgd({} as never))],
    ["sgd: no option 'lr'; options are: rate, shard, weightDecay, groups, momentum, nesterov", () => of(sgd({ lr: 0.1 } as never))],
    [not("sgd: 'weightDecay' is -1", up), () => of(sgd({ rate: 1, weightDecay: -1 }))],
    [not("sgd: 'momentum' is Infinity", up), () => of(sgd({ rate: 1, momentum: Infinity }))],
    ["sgd: 'nesterov' needs momentum; fix: momentum: 0.9, say", () => of(sgd({ rate: 1, nesterov: true }))],
    [not("adam: 'betas.0' is 1", below), () => of(adam({ rate: 1, betas: [1, 0.9] }))],
    [not("adam: 'betas.1' is -0.1", below), () => of(adam({ rate: 1, betas: [0.9, -0.1] }))],
    [not("adam: 'epsilon' is 0", above), () => of(adam({ rate: 1, epsilon: 0 }))],
    [not("adamW: 'epsilon' is NaN", above), () => of(adamW({ rate: 1, epsilon: NaN }))],
    [not("cosine: 'peak' is NaN", up), () => of(sgd({ rate: cosine(NaN, 10) }))],
    [not("cosine: 'steps' is -3", up), () => of(sgd({ rate: cosine(1, -3) }))],
    [not("cosine: 'floor' is -1", up), () => of(sgd({ rate: cosine(1, 10, { floor: -1 }) }))],
    [not("linearRate: 'to' is -1", up), () => of(sgd({ rate: linearRate(1, -1, 10) }))],
    [not("warmUp: 'steps' is NaN", up), () => of(sgd({ rate: warmUp(NaN, 1) }))],
    [not("warmUp: 'then' is -1", up), () => of(sgd({ rate: warmUp(5, -1) }))],
    ["sgd: no mesh axis 'tp' to cut the optimiser's state; the mesh has: dp", () => of(sgd({ rate: 1, momentum: 0.9, shard: 'tp' }))],
  ]
  for (const [sentence, told] of cases) it(sentence, () => assert.equal(told(), sentence))

  it('of the loop are refused alike', async () => {
    const step = trainStep('loop', mesh(''), {
      inputs: { x: input('b:4') },
      parameters: { w: parameter('', ones) },
      loss: ({ inputs: { x }, parameters: { w } }) => pipe(x, multiply(w), mean('b')),
      optimiser: sgd({ rate: 0.1 }),
    })
    const told = async (options: object): Promise<string> => {
      const trained = await train(step, { steps: 1, batch: () => ({ x: new Float32Array(4) }), ...options })()
      return E.isLeft(trained) ? sentence(trained.left) : ''
    }
    for (const steps of [NaN, -1, 1.5, Infinity]) {
      assert.equal(await told({ steps }), `train: 'steps' is ${steps}, not a whole number from 0 up`)
    }
    assert.equal(await told({ checkpoint: { folder: 'x', every: 0 } }), "train: 'checkpoint.every' is 0, not a whole number from 1 up")
  })

  it('that make sense are taken', () => {
    for (const clip of [1e-30, 1, 1e30]) assert.equal(refused({ clip, accumulate: 2 }), '')
    assert.equal(of(sgd({ rate: warmUp(0, cosine(0, 0)), momentum: 0.9, nesterov: true })), '')
    assert.equal(of(adamW({ rate: 0, betas: [0, 0], weightDecay: 0 })), '')
  })

  it('may come with an input that has a dim of the name of the batches', () => {
    const step = trainStep('batch', mesh('dp=2'), {
      inputs: { x: input('batch:4@dp') },
      parameters: { w: parameter('', ones) },
      loss: ({ inputs: { x }, parameters: { w } }) => pipe(x, multiply(w), square, mean('batch')),
      optimiser: sgd({ rate: 0.1 }),
      accumulate: 2,
    })
    assert.equal(refusal(step), '')
  })
})
