import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import * as fc from 'fast-check'
import { checkpoint, compile, customGradient, explain, input, layout, mesh, parameter, type Program } from '#lib/mod.ts'
import { adamW, constant, normal, sgd, trainStep } from '#lib/train/mod.ts'
import {
  absolute,
  add,
  contract,
  divide,
  exp,
  fill,
  greater,
  linear,
  logSumExp,
  max,
  maximum,
  mean,
  minimum,
  multiply,
  rename,
  softmax,
  split,
  sqrt,
  square,
  stopGradient,
  subtract,
  sum,
  where,
} from '#ops/mod.ts'
import type { AnyTensor, Tensor } from '#lib/language/tensor.ts'
import { right } from '../lower/run-plan.ts'
import { refusal, take } from './one-step.ts'

/** A step of several batches takes the numbers of one batch that holds them all, or is refused. */

type Vector = Tensor<`b:${number}@dp`>
type Matrix = Tensor<`b:${number}@dp e:3`>
interface Model {
  readonly x: Matrix
  readonly y: Vector
  readonly m: Vector
  readonly w: Tensor<'e:3'>
  readonly c: Tensor<'e:3'>
}
type Loss = (model: Model) => AnyTensor

/** A step over so many batches of `size` examples each. */
const stepOf = (loss: Loss, size: number, accumulate: number, on = 'dp=1'): Program =>
  trainStep('batches', mesh(on as `dp=${number}`), {
    inputs: { x: input(`b:${size}@dp e:3`), y: input(`b:${size}@dp`), m: input(`b:${size}@dp`) },
    parameters: { w: parameter('e:3', normal(1)), c: parameter('e:3', normal(1)) },
    loss: ({ inputs, parameters }) => loss({ ...inputs, ...parameters } as unknown as Model),
    optimiser: sgd({ rate: 0.1 }),
    accumulate,
  })

/** The error of each example. */
const errors = ({ x, w, y }: Model): Vector => pipe(x, contract(w, 'e'), layout('b@dp'), subtract(y), square)
const whole = layout('')

const losses: Readonly<Record<string, Loss>> = {
  'a mean': (of) => pipe(errors(of), mean('b')),
  'a mean of means': ({ x, w }) => pipe(x, multiply(w), square, mean('e'), mean('b')),
  'a sum': (of) => pipe(errors(of), sum('b')),
  'a sum and what does not depend on the batch': (of) => pipe(errors(of), sum('b'), whole, add(pipe(of.w, square, sum('e')))),
  'sums of means': ({ x, w }) => pipe(x, multiply(w), square, mean('b'), whole, sum('e')),
  'a masked mean': (of) => pipe(errors(of), multiply(of.m), sum('b'), whole, divide(pipe(of.m, sum('b'), whole))),
  'a quotient of means': (of) => pipe(errors(of), multiply(of.m), mean('b'), whole, divide(pipe(of.m, mean('b'), whole))),
  'a sum over a mean': (of) => pipe(errors(of), multiply(of.m), sum('b'), whole, divide(pipe(of.m, mean('b'), whole))),
  'a masked mean that never divides by 0': (of) =>
    pipe(errors(of), multiply(of.m), sum('b'), whole, divide(pipe(of.m, sum('b'), whole, maximum(1), add(1e-6)))),
  'a masked mean and weight decay': (of) =>
    pipe(
      errors(of),
      multiply(of.m),
      sum('b'),
      whole,
      divide(pipe(of.m, sum('b'), whole)),
      add(pipe(of.w, square, sum('e'), sqrt, multiply(0.1))),
    ),
  'a masked mean beside a mean': (of) =>
    pipe(
      errors(of),
      multiply(of.m),
      sum('b'),
      whole,
      divide(pipe(of.m, sum('b'), whole)),
      multiply(3),
      add(pipe(of.x, multiply(of.c), absolute, mean('b e'), whole)),
    ),
  'two masked means': (of) => {
    const masked = (mask: Vector, x: AnyTensor) => pipe(x as Vector, multiply(mask), sum('b'), whole, divide(pipe(mask, sum('b'), whole)))
    const other = pipe(of.m, multiply(-1), add(2)) as Vector
    return pipe(masked(of.m, errors(of)), subtract(masked(other, pipe(of.x, contract(of.c, 'e'), layout('b@dp')))))
  },
  'weights that are made to sum up to 1 first': (of) =>
    pipe(errors(of), multiply(pipe(of.m, divide(pipe(of.m, sum('b'), whole)))), sum('b')),
  'inputs normed by mean and deviation of all': (of) => {
    const centred = pipe(of.x, subtract(pipe(of.x, mean('b'), whole)))
    const deviation = pipe(centred, square, mean('b'), whole, sqrt, add(0.1))
    return pipe(centred, divide(deviation), contract(of.w, 'e'), layout('b@dp'), subtract(of.y), square, mean('b'))
  },
  'a mean that is recomputed': (of) => checkpoint((x: Matrix) => pipe(x, contract(of.w, 'e'), layout('b@dp'), square, mean('b')))(of.x),
  'a recomputed masked mean': (of) =>
    checkpoint((x: Matrix) => pipe(errors({ ...of, x }), multiply(of.m), sum('b'), whole, divide(pipe(of.m, sum('b'), whole))))(of.x),
  'a gradient of its own that is not linear': (of) => {
    const bounded = customGradient((x: Vector) => x, ({ cotangent }) => [pipe(cotangent, minimum(0.01), maximum(-0.01)) as Vector])
    return pipe(bounded(errors(of) as unknown as Vector), mean('b'))
  },
}
const numbers = (seed: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 2)
/** Masks of 0 and 1, uneven among batches. */
const mask = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i % 3 === 0 || i < count / 2 ? 1 : 0)
const inputsOf = (examples: number) => ({ x: numbers(1, 3 * examples), y: numbers(2, examples), m: mask(examples) })

const same = (got: number, wanted: number, what: string): void =>
  assert.ok(Math.abs(got - wanted) <= 2e-5 * Math.max(1, Math.abs(wanted)), `${what}: ${got}, not ${wanted}`)

const agree = async (loss: Loss, size: number, batches: number, on: string, backend: 'reference' | 'webgpu' = 'reference') => {
  const inputs = inputsOf(size * batches)
  const wanted = await take(stepOf(loss, size * batches, 1), inputs, 2)
  const got = await take(stepOf(loss, size, batches, on), inputs, 2, backend)
  same(got.loss, wanted.loss, 'loss')
  same(got.norm, wanted.norm, 'norm')
  for (const name of ['w', 'c']) got.parameters[name]!.forEach((x, i) => same(x, wanted.parameters[name]![i]!, name))
}

describe('several batches of a step are as one', () => {
  for (const [name, loss] of Object.entries(losses)) {
    it(`with ${name}`, async () => {
      for (const [size, batches, on] of [[4, 2, 'dp=1'], [4, 3, 'dp=2'], [5, 2, 'dp=3']] as const) await agree(loss, size, batches, on)
    })
  }
  it('on webgpu', () => agree(losses['a masked mean and weight decay']!, 4, 3, 'dp=2', 'webgpu'))

  it('with the loss and the step that are worked out by hand', async () => {
    const step = trainStep('acc', mesh('dp=1'), {
      inputs: { x: input('t:4'), y: input('t:4'), m: input('t:4') },
      parameters: { w: parameter('', constant(0.5)) },
      loss: ({ inputs: { x, y, m }, parameters: { w } }) =>
        pipe(pipe(x, multiply(w), subtract(y), square, multiply(m), sum('t')), divide(pipe(m, sum('t')))),
      optimiser: sgd({ rate: 0.01 }),
      accumulate: 2,
    })
    const { loss, parameters } = await take(step, {
      x: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      y: Float32Array.of(2, 1, 0, 3, 1, 1, 1, 1),
      m: Float32Array.of(1, 1, 1, 0, 0, 0, 0, 1),
    })
    // ((0.5 - 2)² + (1 - 1)² + (1.5 - 0)² + (4 - 1)²) / 4, and w - 0.01 · (2 · -1.5 · 1 + 0 + 2 · 1.5 · 3 + 2 · 3 · 8) / 4
    assert.equal(loss, 3.375)
    same(parameters['w']![0]!, 0.5 - 0.01 * (-3 + 9 + 48) / 4, 'w')
  })

  it('whatever the weights, those of a whole batch 0 among them', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 6, maxLength: 6 }).filter((m) => m.some((weight) => weight > 0)),
        async (weights) => {
          const inputs = { ...inputsOf(6), m: Float32Array.from(weights) }
          const [one, three] = [stepOf(losses['a masked mean']!, 6, 1), stepOf(losses['a masked mean']!, 2, 3)]
          const [wanted, got] = [await take(one, inputs), await take(three, inputs)]
          same(got.loss, wanted.loss, 'loss')
          got.parameters['w']!.forEach((x, i) => same(x, wanted.parameters['w']![i]!, 'w'))
        },
      ),
      { numRuns: 20 },
    ))

  it('and the activations of no more than one of them are held at a time', () => {
    const peak = (batches: number): number => {
      const step = trainStep('memory', mesh('dp=1'), {
        inputs: { x: input('b:64 e:16'), m: input('b:64') },
        parameters: { up: parameter('f:64 e:16', normal(1)), down: parameter('e:16 f:64', normal(1)) },
        loss: ({ inputs: { x, m }, parameters: { up, down } }) =>
          pipe(
            x,
            linear({ weight: up }, 'e'),
            exp,
            linear({ weight: down }, 'f'),
            square,
            mean('e'),
            multiply(m),
            sum('b'),
            divide(pipe(m, sum('b'))),
          ),
        optimiser: adamW({ rate: 0.1 }),
        accumulate: batches,
      })
      const { total, parameters, optimiser, inputs } = explain(right(compile(step))).peak
      return total - parameters - optimiser - inputs
    }
    // A further batch needs room for its gradients and a few numbers, and none for activations, which take four times as much.
    const [two, six] = [peak(2), peak(6)]
    assert.ok(six - two < 4 * (2 * 4 * 64 * 16 + 64), `${six} bytes for six batches, ${two} for two`)
  })

  it('and their gradients are completed together', () => {
    const bytes = (batches: number): number => right(compile(stepOf(losses['a mean']!, 4, batches, 'dp=2'))).certificate.bytes
    // Each batch's loss alone is a number more.
    assert.ok(bytes(4) - bytes(2) <= 2 * 2 * 4 * 2, `${bytes(4)} bytes for four batches, ${bytes(2)} for two`)
  })

  it('with examples that are put into groups', async () => {
    const step = (size: 4 | 8, accumulate: number) =>
      trainStep('groups', mesh('dp=1'), {
        inputs: { x: input(`b:${size}`), m: input(`b:${size}`) },
        parameters: { w: parameter('', constant(1)) },
        loss: ({ inputs: { x, m }, parameters: { w } }) => {
          const grouped = split('b', `g:${size / 2 as 2 | 4} i:2`)
          const sums = [pipe(x, multiply(w), multiply(m), grouped, sum('i')), pipe(m, grouped, sum('i'))] as const
          return pipe(sums[0], square, sum('g'), divide(pipe(sums[1], square, sum('g'))))
        },
        optimiser: sgd({ rate: 1 }),
        accumulate,
      })
    const inputs = { x: numbers(1, 8), m: mask(8) }
    const [wanted, got] = [await take(step(8, 1), inputs), await take(step(4, 2), inputs)]
    same(got.loss, wanted.loss, 'loss')
    same(got.norm, wanted.norm, 'norm')
  })

  it('with inputs that are no examples left to their own batches', async () => {
    const step = trainStep('own', mesh('dp=1'), {
      inputs: { x: input('b:2 t:2'), scale: input(''), place: input('t:2') },
      parameters: { w: parameter('', constant(1)) },
      loss: ({ inputs: { x, scale, place }, parameters: { w } }) => pipe(x, add(place), multiply(w), multiply(scale), mean('b t')),
      optimiser: sgd({ rate: 1 }),
      accumulate: 2,
    })
    const inputs = { x: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), scale: Float32Array.of(1, 3), place: Float32Array.of(0, 2, 4, 0) }
    const { loss } = await take(step, inputs)
    same(loss, ((1 + 4 + 3 + 6) / 4 + 3 * (9 + 6 + 11 + 8) / 4) / 2, 'loss')
  })
})

const start = 'trainStep: accumulate: 2 would not give what one batch of all gives: '
const otherwise = '; fix: accumulate: 1, or a loss that is a mean, or a quotient of sums'
const affine = (op: string): string => `${start}${op} is not linear in what it makes of sums or means over a batch${otherwise}`

const wrong: Readonly<Record<string, readonly [string, Loss]>> = {
  'the root of a mean': [affine('sqrt'), (of) => pipe(errors(of), mean('b'), whole, sqrt)],
  'roots of means that are summed': [affine('sqrt'), ({ x, w }) => pipe(x, multiply(w), square, mean('b'), whole, sqrt, sum('e'))],
  'a product of two sums': [affine('multiply'), (of) => {
    const total = pipe(errors(of), sum('b'), whole)
    return pipe(total, multiply(pipe(of.x, multiply(of.c), sum('b e'), whole)))
  }],
  'the square of a mean': [affine('square'), (of) => pipe(errors(of), mean('b'), whole, square)],
  'a denominator that is learned': [
    affine('divide'),
    (of) => pipe(errors(of), sum('b'), whole, divide(pipe(of.x, multiply(of.c), square, sum('b e'), whole))),
  ],
  'a denominator that is learned, whose gradient is stopped': [
    affine('divide'),
    (of) => pipe(errors(of), sum('b'), whole, divide(pipe(of.x, multiply(of.w), square, sum('b e'), whole, stopGradient))),
  ],
  'a bounded mean': [affine('minimum'), (of) => pipe(errors(of), mean('b'), whole, minimum(1))],
  'a choice by a mean': [
    affine('greater'),
    (of) => {
      const total = pipe(errors(of), mean('b'), whole)
      return pipe(total, greater(1), where(total, pipe(total, multiply(2))))
    },
  ],
  'the largest error': [`${start}max is no sum or mean over the examples along 'b'${otherwise}`, (of) => pipe(errors(of), max('b'), whole)],
  'a softmax over examples': [
    `${start}softmax needs all examples along 'b' at once; fix: accumulate: 1, or another first dim for the inputs`,
    (of) => pipe(errors(of), whole, softmax('b'), square, sum('b')),
  ],
  'logSumExp over examples': [
    `${start}logSumExp needs all examples along 'b' at once; fix: accumulate: 1, or another first dim for the inputs`,
    (of) => pipe(errors(of), whole, logSumExp('b')),
  ],
  'pairs of examples': [
    `${start}contract pairs examples along 'b' with those along 'a'${otherwise}`,
    ({ x, w }) =>
      pipe(
        x,
        multiply(w),
        whole,
        (scaled) => pipe(scaled as Tensor<'b:4 e:3'>, contract(pipe(scaled as Tensor<'b:4 e:3'>, rename('b', 'a')), 'e'), exp, mean('a b')),
      ),
  ],
  'a batch norm of what is learned': [
    `${start}subtract brings what examples are folded to back to each of them${otherwise}`,
    ({ x, w }) => {
      const scaled = pipe(x, multiply(w), square)
      return pipe(scaled, subtract(pipe(scaled, mean('b'), whole)), square, mean('b e'))
    },
  ],
  'a sum that is divided by a number': [
    `${start}it multiplies a sum over a batch by a number, which may stand for the size of a batch; fix: accumulate: 1, or mean, or divide by a tensor that counts`,
    (of) => pipe(errors(of), sum('b'), whole, divide(4)),
  ],
  'a sum that is divided by a constant': [
    `${start}it multiplies a sum over a batch by a number, which may stand for the size of a batch; fix: accumulate: 1, or mean, or divide by a tensor that counts`,
    (of) => pipe(errors(of), sum('b'), whole, divide(fill('', 4))),
  ],
}

describe('several batches of a step are refused', () => {
  for (const [name, [sentence, loss]] of Object.entries(wrong)) {
    it(`with ${name}, and one is not`, () => {
      assert.equal(refusal(stepOf(loss, 4, 2)), sentence)
      assert.equal(refusal(stepOf(loss, 4, 1)), '')
    })
  }
})
