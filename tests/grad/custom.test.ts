import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sentence } from '#lib/fault.ts'
import {
  type AnyTensor,
  checkpoint,
  compile,
  customGradient,
  grad,
  input,
  layout,
  mesh,
  parameter,
  type Program,
  program,
  type Tensor,
} from '#lib/mod.ts'
import { cast, exp, linear, maximum, mean, minimum, multiply, reorder, sin, square, stopGradient, sum, tanh } from '#ops/mod.ts'
import { assertClose, inputsFor, plansOf, runPlan } from '../lower/run-plan.ts'

type X = Tensor<'t:5@sp e:6'>
const sp = mesh('sp=2')
const x = input('t:5@sp e:6')

const outputsOf = async (program: Program) => {
  const [many, one] = [plansOf(program).fused, plansOf(program, { alone: true }).fused]
  const tensors = inputsFor(many)
  const [{ outputs }, wanted] = [await runPlan(many, tensors, { poison: true }), await runPlan(one, tensors)]
  for (const [name, elements] of Object.entries(wanted.outputs)) assertClose(outputs[name]!, elements, 1e-6)
  return { x: tensors['x']!, tensors, outputs }
}

describe('a gradient of one’s own', () => {
  /** Rounds forward, and is the identity backward (Bengio et al. 2013, section 2). */
  const rounded = customGradient(
    (x: X): X => pipe(x, multiply(4), cast('i32'), cast('f32'), multiply(0.25)),
    ({ cotangent }) => [cotangent],
  )
  const clipped = customGradient((x: X): X => x, ({ cotangent }) => [pipe(cotangent, minimum(0.1), maximum(-0.1))])

  for (const [how, around] of [['', (f: (x: X) => X) => f], [', inside of a checkpoint', (f: (x: X) => X) => checkpoint(f)]] as const) {
    test(`lets gradients straight through a step${how}`, async () => {
      const straight = program('straight', sp, { x }, ({ x }) => {
        const layer = around((x: X): X => pipe(x, sin, rounded, square))
        return { value: layer(x), by: grad((x: X) => pipe(layer(x), sum('t e')))(x) }
      })
      const { x: given, outputs } = await outputsOf(straight)
      const steps = Array.from(given, (one) => Math.trunc(4 * Math.sin(one)) / 4)
      assertClose(outputs['value']!, steps.map((one) => one * one), 1e-6)
      assertClose(outputs['by']!, Array.from(given, (one, i) => 2 * steps[i]! * Math.cos(one)), 1e-6)
    })

    test(`clips a gradient on its way${how}`, async () => {
      const clips = program('clips', sp, { x }, ({ x }) => {
        const layer = around((x: X): X => pipe(x, sin, clipped, exp))
        return grad((x: X) => pipe(layer(x), multiply(0.1), sum('t e')))(x)
      })
      const { x: given, outputs } = await outputsOf(clips)
      const clip = (g: number): number => Math.max(-0.1, Math.min(0.1, g))
      assertClose(outputs['output']!, Array.from(given, (one) => clip(0.1 * Math.exp(Math.sin(one))) * Math.cos(one)), 1e-6)
    })
  }

  test('has one part for each input, made of the inputs, the output and its gradient', async () => {
    // x · y, with gradients that are told apart: g · output for x, none for y.
    const product = customGradient((x: X, y: X): X => multiply(y)(x), ({ cotangent, inputs: [x], output }) => [
      pipe(cotangent, multiply(output), multiply(x)),
      undefined,
    ])
    const parts = program(
      'parts',
      sp,
      { x, y: x },
      ({ x, y }) => grad(({ x, y }: { readonly x: X; readonly y: X }) => pipe(product(sin(x), y), square, sum('t e')))({ x, y }),
    )
    const { tensors: { x: a, y: b }, outputs } = await outputsOf(parts)
    assertClose(
      outputs['x']!,
      Array.from(a!, (one, i) => {
        const value = Math.sin(one) * b![i]!
        return 2 * value * value * Math.sin(one) * Math.cos(one)
      }),
      1e-6,
    )
    assert.ok(outputs['y']!.every((one) => one === 0))
  })

  test('has a gradient itself: that of what it is made of', async () => {
    const cubed = customGradient((x: X): X => pipe(x, multiply(square(x))), ({ cotangent, inputs: [x] }) => [
      pipe(cotangent, multiply(3), multiply(square(x))),
    ])
    const twice = program(
      'twice',
      sp,
      { x },
      ({ x }) => grad((x: X) => pipe(grad((x: X) => pipe(cubed(x), sum('t e')))(x), square, sum('t e')))(x),
    )
    const { x: given, outputs } = await outputsOf(twice)
    // d (3 x²)² / dx = 36 x³
    assertClose(outputs['output']!, Array.from(given, (one) => 36 * one ** 3), 1e-6)
  })

  test('may be a sum that is still pending, of inputs that lie in another way', async () => {
    const layer = customGradient(
      (x: X, w: Tensor<'f:4 e:6'>) => pipe(x, linear(w, 'e')),
      ({ cotangent, inputs: [x, w] }) => [
        pipe(cotangent, linear(w, 'f')),
        pipe(cotangent as Tensor, (g) => (linear(x, 't') as unknown as (g: AnyTensor) => AnyTensor)(g)),
      ],
    )
    const own = program('own', sp, { x, w: parameter('f:4 e:6') }, ({ x, w }) => {
      const loss =
        (of: (x: X, w: Tensor<'f:4 e:6'>) => Tensor<'t:5@sp f:4'>) => ({ x, w }: { readonly x: X; readonly w: Tensor<'f:4 e:6'> }) =>
          pipe(of(sin(x), w), tanh, square, mean('t f'))
      return { own: grad(loss(layer))({ x, w }), usual: grad(loss((x, w) => pipe(x, linear(w, 'e'))))({ x, w }) }
    })
    const { outputs } = await outputsOf(own)
    assertClose(outputs['own.x']!, outputs['usual.x']!, 1e-6)
    assertClose(outputs['own.w']!, outputs['usual.w']!, 1e-6)
  })

  test('is refused where it does not fit its inputs', () => {
    const refused = (backward: (g: X) => readonly (AnyTensor | undefined)[]): string => {
      const wrong = customGradient((x: X): X => sin(x), ({ cotangent }) => backward(cotangent))
      const plan = compile(program('wrong', sp, { x }, ({ x }) => grad((x: X) => pipe(x, wrong, sum('t e')))(x)))
      return E.isLeft(plan) ? sentence(plan.left).replace(/^.*?:\d+: /, '') : assert.fail('not refused')
    }
    assert.equal(refused((g) => [pipe(g, sum('e'))]), 'customGradient: input 1 is t:5 e:6 (f32) but its gradient is t:5 (f32)')
    assert.equal(refused((g) => [pipe(g, reorder('e t'))]), 'customGradient: input 1 is t:5 e:6 (f32) but its gradient is e:6 t:5 (f32)')
    assert.equal(refused((g) => [pipe(g, cast('i32'))]), 'customGradient: input 1 is t:5 e:6 (f32) but its gradient is t:5 e:6 (i32)')
    assert.equal(refused(() => []), 'customGradient: there are 1 inputs but 0 gradients; give undefined where there is none')
  })
})

describe('stopGradient', () => {
  test('makes a constant of what it meets, and of nothing else', async () => {
    const stops = program('stops', sp, { x }, ({ x }) => grad((x: X) => pipe(x, sin, multiply(stopGradient(exp(x))), sum('t e')))(x))
    const { x: given, outputs } = await outputsOf(stops)
    assertClose(outputs['output']!, Array.from(given, (one) => Math.cos(one) * Math.exp(one)), 1e-6)
  })

  test('of all there is leaves gradients of 0, and passes pending sums on', async () => {
    const all = program('all', sp, { x }, ({ x }) => grad((x: X) => pipe(x, sum('t'), stopGradient, layout(''), mean('e')))(x))
    assert.ok((await outputsOf(all)).outputs['output']!.every((one) => one === 0))
  })

  test('inside of a checkpoint is the same', async () => {
    const inside = program(
      'inside',
      sp,
      { x },
      ({ x }) => grad((x: X) => pipe(x, checkpoint((x: X): X => pipe(x, sin, multiply(stopGradient(exp(x))))), sum('t e')))(x),
    )
    const { x: given, outputs } = await outputsOf(inside)
    assertClose(outputs['output']!, Array.from(given, (one) => Math.cos(one) * Math.exp(one)), 1e-6)
  })
})
