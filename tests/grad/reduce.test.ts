import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { checkpoint, grad, input, layout, mesh, parameter, type Program, program, seq, type Tensor, valueAndGrad } from '#lib/mod.ts'
import type { Move } from '#lib/plan/plan.ts'
import { add, contract, linear, mean, multiply, relu, rename, square, tanh } from '#ops/mod.ts'
import { assertClose, inputsFor, plansOf, runPlan } from '../lower/run-plan.ts'

/** What gradients cost on the wire: a parameter's sum over the ranks is completed once, however often it is used. */

/** The exchanges of a plan that send something, with their phases. */
const exchanges = (program: Program): readonly string[] =>
  plansOf(program).fused.steps.filter((step): step is Move => step.do === 'move' && step.bytes.some((sent) => sent > 0))
    .map(({ phase, name, what }) => `${phase} ${name} ${what}`).sort()

/** The outputs on several ranks are those on one. */
const assertSame = async (program: Program): Promise<void> => {
  const [many, one] = [plansOf(program).fused, plansOf(program, { alone: true }).fused]
  const [got, wanted] = [await runPlan(many, inputsFor(many)), await runPlan(one, inputsFor(one))]
  for (const [name, elements] of Object.entries(wanted.outputs)) assertClose(got.outputs[name]!, elements, 1e-5)
}

const dp = mesh('dp=2')

test('a replicated parameter that is used three times is reduced once', async () => {
  const thrice = program(
    'thrice',
    dp,
    { x: input('b:5@dp e:6'), w: parameter('f:6 e:6') },
    ({ x, w }) =>
      grad((w: Tensor<'f:6 e:6'>) => {
        const layer = seq(linear(w, 'e'), rename('f', 'e'), tanh)
        return pipe(x, layer, layer, layer, square, mean('b e'))
      })(w),
  )
  assert.deepEqual(exchanges(thrice), ['backward reduce sum→whole over dp'])
  await assertSame(thrice)
})

test('so is one that is used in different ways: in a contraction, in a sum and as a factor', async () => {
  const ways = program('ways', dp, { x: input('b:5@dp e:6'), w: parameter('e:6') }, ({ x, w }) =>
    grad((w: Tensor<'e:6'>) => {
      const y = pipe(x, multiply(w), tanh, add(w))
      return pipe(y, contract(w, 'e'), square, mean('b'))
    })(w))
  assert.deepEqual(exchanges(ways), ['backward reduce sum→whole over dp'])
  await assertSame(ways)
})

test('two parameters are reduced once each, and a value that is asked for too once more', async () => {
  const two = program('two', dp, { x: input('b:5@dp e:6'), w: parameter('f:3 e:6'), b: parameter('f:3') }, ({ x, w, b }) => {
    const [loss, gradients] = valueAndGrad(({ w, b }: { readonly w: Tensor<'f:3 e:6'>; readonly b: Tensor<'f:3'> }) =>
      pipe(x, linear({ weight: w, bias: b }, 'e'), relu, square, mean('b f'))
    )({ w, b })
    return { loss, gradients }
  })
  assert.deepEqual(exchanges(two), [
    'backward reduce sum→whole over dp',
    'backward reduce sum→whole over dp',
    'forward reduce sum→whole over dp',
  ])
  await assertSame(two)
})

/** Parameters that are cut over the ranks of the batch and made whole at each use (ZeRO-3: Rajbhandari et al. 2020, section 5.3). */
test('the gradient of a cut parameter that two layers gather is reduced and cut in one go', async () => {
  const zero = program('zero', dp, { x: input('b:8@dp e:6'), w: parameter('f:6@dp e:6') }, ({ x, w }) =>
    grad((w: Tensor<'f:6@dp e:6'>) => {
      const layer = seq(linear(pipe(w, layout('')), 'e'), rename('f', 'e'), tanh)
      const again = seq(linear(pipe(w, layout('')), 'e'), rename('f', 'e'), tanh)
      return pipe(x, layer, again, square, mean('b e'))
    })(w))
  const found = exchanges(zero)
  assert.deepEqual(found.filter((one) => one.startsWith('backward')), ['backward reduce and split sum→f over dp'])
  await assertSame(zero)
})

test('a stack of layers under ZeRO-3 reduces each parameter once, and inside checkpoints too', async () => {
  const spec = 'f:6@dp e:6'
  for (const around of [<F extends (...inputs: never[]) => unknown>(f: F): F => f, checkpoint]) {
    const stack = program(
      'stack',
      dp,
      { x: input('b:8@dp e:6'), ws: [parameter(spec), parameter(spec), parameter(spec)] },
      ({ x, ws }) =>
        grad((ws: readonly Tensor<'f:6@dp e:6'>[]) => {
          const layer = (y: Tensor<'b:8@dp e:6'>, w: Tensor<'f:6@dp e:6'>): Tensor<'b:8@dp e:6'> =>
            pipe(y, linear(pipe(w, layout('')), 'e'), rename('f', 'e'), tanh)
          return pipe(ws.reduce((y, w) => around(layer)(y, w), x as Tensor<'b:8@dp e:6'>), square, mean('b e'))
        })(ws),
    )
    const backward = exchanges(stack).filter((one) => one.includes('reduce'))
    assert.deepEqual(backward, Array.from({ length: 3 }, () => 'backward reduce and split sum→f over dp'))
    await assertSame(stack)
  }
})

test('on a mesh of two axes a parameter cut over one of them is reduced once over the other', async () => {
  const two = program('two axes', mesh('dp=2 tp=2'), { x: input('b:5@dp e:6'), w: parameter('f:4@tp e:6'), v: parameter('e:6 f:4@tp') }, (
    { x, w, v },
  ) =>
    grad(({ w, v }: { readonly w: Tensor<'f:4@tp e:6'>; readonly v: Tensor<'e:6 f:4@tp'> }) =>
      pipe(x, linear(w, 'e'), relu, linear(v, 'f'), layout('b@dp'), tanh, square, mean('b e'))
    )({ w, v }))
  // Megatron's pair of layers: one all-reduce forward, and each gradient's own over dp.
  assert.deepEqual(exchanges(two).filter((one) => one.includes('over dp')), [
    'backward reduce sum→whole over dp',
    'backward reduce sum→whole over dp',
  ])
  assert.deepEqual(exchanges(two).filter((one) => one.includes('over tp')), ['forward reduce sum→whole over tp'])
  await assertSame(two)
})
