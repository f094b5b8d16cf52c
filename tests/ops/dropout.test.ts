import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sentence } from '#lib/fault.ts'
import { checkpoint, compile, grad, input, layout, mesh, parameter, program, seq, type Tensor } from '#lib/mod.ts'
import { constant, sgd, train, trainStep } from '#lib/train/mod.ts'
import { contract, dropout, mean, multiply, ones, reorder, sin, square, sum } from '#ops/mod.ts'
import { close, dropped, limit, numbers } from './random-numbers.ts'
import { right, run, type Values } from './run-law.ts'

const backends = ['reference', 'webgpu'] as const
const waves = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => 1.5 + Math.sin(1 + 1.7 * i))

describe('dropout', () => {
  it('with a rate of 0 is the identity, to the bit', async () => {
    const x = Float32Array.of(1, -1, 0.1, 0, -0, NaN, Infinity, -Infinity, 3.4e38, 1.2e-38)
    const same = program('same', mesh(''), { x: input('t:10') }, ({ x }) => pipe(x, dropout({ rate: 0, seed: 1 })))
    for (const backend of backends) {
      const { output } = right(await run(same, { x }, backend))
      assert.ok(output!.every((got, i) => Object.is(got, x[i]!)), `${output} on ${backend}`)
    }
  })

  it('drops the share that it is told, and keeps the mean', async () => {
    const count = 32_768
    for (const rate of [0.01, 0.1, 0.5, 0.9]) {
      const made = program('share', mesh(''), {}, () => pipe(ones('t:32768'), dropout({ rate, seed: 8 })))
      const output = Array.from(right(await run(made, {}, 'reference'))['output']!)
      const deviation = Math.sqrt(rate * (1 - rate)) * limit(count)
      assert.ok(Math.abs(output.filter((x) => x === 0).length / count - rate) < deviation, `share at rate ${rate}`)
      assert.ok(Math.abs(output.reduce((sum, x) => sum + x, 0) / count - 1) < deviation / (1 - rate), `mean at rate ${rate}`)
    }
  })

  it('draws the line exactly at the rate, of whatever float64 that is', async () => {
    const drawn = numbers(64, 6, 'dropout')
    const u = drawn[17]!
    for (const rate of [u, u * (1 + 2 ** -50), u * (1 - 2 ** -50), 0.7, 1 - 2 ** -24, 1 - 2 ** -40, 2 ** -30]) {
      const made = program('line', mesh(''), {}, () => pipe(ones('t:64'), dropout({ rate, seed: 6 })))
      for (const backend of backends) {
        const { output } = right(await run(made, {}, backend))
        assert.deepEqual(Array.from(output!, (x) => x === 0), drawn.map((one) => one < rate), `rate ${rate} on ${backend}`)
      }
    }
  })

  it('leaves 0 of what is dropped, be it NaN or infinite, and of its gradient', async () => {
    const x = Float32Array.from({ length: 16 }, (_, i) => i % 2 === 0 ? NaN : Infinity)
    const made = program('dropped', mesh(''), { x: input('t:16'), c: input('t:16') }, ({ x, c }) => ({
      y: pipe(x, dropout({ rate: 0.5, seed: 4 })),
      slope: grad((x: Tensor<'t:16'>) => pipe(x, dropout({ rate: 0.5, seed: 4 }), multiply(c), sum('t')))(x),
    }))
    const gone = numbers(16, 4, 'dropout').map((u) => u < 0.5)
    assert.ok(gone.includes(true) && gone.includes(false))
    for (const backend of backends) {
      const { y, slope } = right(await run(made, { x, c: x }, backend))
      gone.forEach((is, i) => assert.deepEqual([y![i], slope![i]], is ? [0, 0] : [x[i], x[i]], `element ${i} on ${backend}`))
    }
  })

  it('passes a pending sum on, and drops the same of its parts', async () => {
    const [x, w] = [waves(5 * 6), waves(6 * 4)]
    const wanted = dropped(
      Array.from({ length: 20 }, (_, i) => {
        const [t, f] = [Math.floor(i / 4), i % 4]
        return Array.from({ length: 6 }, (_, e) => x[6 * t + e]! * w[4 * e + f]!).reduce((a, b) => a + b)
      }),
      0.3,
      5,
    )
    for (const ranks of [1, 2, 3]) {
      const made = program(
        'pending',
        mesh(`tp=${ranks}` as 'tp=2'),
        { x: input('t:5 e:6@tp'), w: input('e:6@tp f:4') },
        ({ x, w }) => pipe(x, contract(w, 'e'), dropout({ rate: 0.3, seed: 5 }), layout('t@tp')),
      )
      for (const backend of backends) {
        close(right(await run(made, { x, w }, backend))['output']!, wanted, 1e-4, `${ranks} ranks, ${backend}`)
      }
    }
  })

  it('counts elements in the order of the dims that it meets', async () => {
    const x = waves(12)
    const made = program('order', mesh('sp=2'), { x: input('t:3 e:4@sp') }, ({ x }) => ({
      before: pipe(x, dropout({ rate: 0.5, seed: 9 })),
      after: pipe(x, reorder('e t'), dropout({ rate: 0.5, seed: 9 })),
    }))
    const { before, after } = right(await run(made, { x }, 'reference'))
    close(before!, dropped(x, 0.5, 9), 1e-6, 'before')
    close(after!, dropped(Array.from({ length: 12 }, (_, i) => x[4 * (i % 3) + Math.floor(i / 3)]!), 0.5, 9), 1e-6, 'after')
  })

  it('drops the same where a checkpoint computes it once more', async () => {
    const gradients = (remade: boolean) =>
      program('remade', mesh('sp=2'), { x: input('t:5@sp e:6'), step: input('', 'i32') }, ({ x, step }) => {
        const layer = seq(sin, dropout({ rate: 0.4, seed: step, stream: 2 }), sin, dropout({ rate: 0.4, seed: 11 }), sin)
        return grad((x: Tensor<'t:5@sp e:6'>) => pipe(x, remade ? checkpoint(layer) : layer, square, mean('t e')))(x)
      })
    const given: Values = { x: waves(30), step: Int32Array.of(3) }
    for (const backend of backends) {
      const [kept, again] = [right(await run(gradients(false), given, backend)), right(await run(gradients(true), given, backend))]
      assert.deepEqual(again, kept)
      assert.ok(kept['output']!.some((x) => x === 0) && kept['output']!.some((x) => x !== 0))
    }
    const plan = right(compile(gradients(true)))
    const made = plan.steps.flatMap((step) => step.do === 'compute' && step.phase === 'recompute' ? [step.op] : [])
    assert.ok(made.some((op) => op.includes('dropout')), 'nothing is dropped once more')
  })

  it('drops other elements in each step of a training, alike on every mesh, in the loss and in its gradient', async () => {
    const [x, rate, learningRate] = [waves(24), 0.25, 0.5]
    // The mean square of (mask · x) w for w of three numbers, and steps of gradient descent, by hand.
    const w = [1, 1, 1]
    const wanted = [3, 4, 5].map((step) => {
      const kept = dropped(x, rate, step, 1)
      const loss = kept.reduce((sum, one, i) => sum + (one * w[i % 3]!) ** 2, 0) / 24
      const slopes = w.map((one, e) => kept.reduce((sum, x, i) => i % 3 === e ? sum + 2 * x * x * one / 24 : sum, 0))
      slopes.forEach((slope, e) => w[e] = w[e]! - learningRate * slope)
      return loss
    })
    for (const ranks of [1, 2, 3]) {
      const step = trainStep('dropping', mesh(`dp=${ranks}` as 'dp=2'), {
        inputs: { x: input('b:8@dp e:3'), seed: input('', 'i32') },
        parameters: { w: parameter('e:3', constant(1)) },
        loss: ({ inputs: { x, seed }, parameters: { w } }) => pipe(x, dropout({ rate, seed, stream: 1 }), multiply(w), square, mean('b e')),
        optimiser: sgd({ rate: learningRate }),
      })
      for (const backend of backends) {
        const trained = right(
          await train(step, {
            steps: 3,
            batch: (n) => ({ x, seed: Int32Array.of(3 + n) }),
            launch: { backend, inProcess: true },
          })(),
        )
        close(Float32Array.from(trained.losses), wanted, 1e-5, `losses on ${ranks} ranks, ${backend}`)
        close(trained.parameters['w']!, w, 1e-5, `w on ${ranks} ranks, ${backend}`)
      }
    }
  })

  for (const [rate, told] of [[1, '1'], [-0.1, '-0.1'], [1.5, '1.5'], [NaN, 'NaN'], ['0.5', "'0.5'"], [undefined, 'undefined']] as const) {
    it(`refuses a rate of ${told}`, () => {
      const compiled = compile(program('rate', mesh(''), {}, () => pipe(ones('t:4'), dropout({ rate, seed: 1 } as never))))
      assert.ok(E.isLeft(compiled))
      assert.ok(sentence(compiled.left).endsWith(`dropout: a rate is a number from 0 to below 1, but it is ${told}`))
    })
  }
  it('refuses an option that it does not have', () => {
    const compiled = compile(program('option', mesh(''), {}, () => pipe(ones('t:4'), dropout({ rate: 0.1, seed: 1, p: 2 } as never))))
    assert.ok(E.isLeft(compiled))
    assert.ok(sentence(compiled.left).endsWith("dropout: no option 'p'; options are: rate, seed, stream"))
  })
})
