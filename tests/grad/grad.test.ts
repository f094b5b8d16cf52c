import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import process from 'node:process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sentence } from '#lib/fault.ts'
import {
  type AnyTensor,
  compile,
  grad,
  input,
  layout,
  mesh,
  parameter,
  type Program,
  program,
  type Tensor,
  valueAndGrad,
} from '#lib/mod.ts'
import { add, cast, contract, divide, exp, greater, linear, max, mean, multiply, sin, slice, square, sum, tanh, where } from '#ops/mod.ts'
import { assertClose, inputsFor, plansOf, runPlan } from '../lower/run-plan.ts'

/** What a program gives on its mesh, checked against the same on one rank. */
const outputsOf = async (program: Program) => {
  const [many, one] = [plansOf(program).fused, plansOf(program, { alone: true }).fused]
  const tensors = inputsFor(many)
  const [got, wanted] = [await runPlan(many, tensors), await runPlan(one, tensors)]
  for (const [name, elements] of Object.entries(wanted.outputs)) assertClose(got.outputs[name]!, elements, 1e-5)
  return { tensors, outputs: got.outputs, specs: Object.fromEntries(many.outputs.map(({ name, spec }) => [name, spec])) }
}

const sp = mesh('sp=2')

describe('what gradients are taken by', () => {
  test('comes back in the same tree of names and lists', async () => {
    const tree = program('tree', sp, { x: input('t:5@sp'), y: input('t:5@sp'), z: input('t:5@sp') }, ({ x, y, z }) => {
      const [value, gradients] = valueAndGrad(({ a, b: [first, { second }] }: {
        readonly a: Tensor<'t:5@sp'>
        readonly b: readonly [Tensor<'t:5@sp'>, { readonly second: Tensor<'t:5@sp'> }]
      }) => pipe(a, multiply(first), multiply(second), sum('t')))({ a: x, b: [y, { second: z }] })
      return { value, gradients }
    })
    const { tensors: { x, y, z }, outputs, specs } = await outputsOf(tree)
    assert.deepEqual(specs, { 'value': '', 'gradients.a': 't:5@sp', 'gradients.b.0': 't:5@sp', 'gradients.b.1.second': 't:5@sp' })
    const product = (of: ArrayLike<number>, by: ArrayLike<number>): readonly number[] => Array.from(of, (one, i) => one * by[i]!)
    assertClose(outputs['gradients.a']!, product(y!, z!), 1e-6)
    assertClose(outputs['gradients.b.0']!, product(x!, z!), 1e-6)
    assertClose(outputs['gradients.b.1.second']!, product(x!, y!), 1e-6)
    assertClose(outputs['value']!, [product(x!, product(y!, z!)).reduce((a, b) => a + b)], 1e-6)
  })

  test('what the value does not depend on has gradients of 0, which lie as it does', async () => {
    const unused = program(
      'unused',
      sp,
      { x: input('t:5@sp'), w: parameter('e:3 f:4@sp') },
      ({ x, w }) =>
        grad(({ x }: { readonly x: Tensor<'t:5@sp'>; readonly w: Tensor<'e:3 f:4@sp'> }) => pipe(x, square, mean('t')))({ x, w }),
    )
    const { outputs, specs } = await outputsOf(unused)
    assert.deepEqual(specs, { x: 't:5@sp', w: 'e:3 f:4@sp' })
    assert.deepEqual([...outputs['w']!], Array.from({ length: 12 }, () => 0))
  })

  test('that includes all that only conditions and whole numbers depend on', async () => {
    const steps = program('steps', sp, { x: input('t:5@sp'), y: input('t:5@sp') }, ({ x, y }) =>
      grad((x: Tensor<'t:5@sp'>) => {
        const whole = pipe(x, cast('i32'), cast('f32'))
        return pipe(x, greater(0), where(y, whole), sum('t'))
      })(x))
    assert.deepEqual([...(await outputsOf(steps)).outputs['output']!], [0, 0, 0, 0, 0])
  })

  test('the same tensor twice gets its whole gradient twice', async () => {
    const twice = program(
      'twice',
      sp,
      { x: input('t:5@sp') },
      ({ x }) =>
        grad(({ a, b }: { readonly a: Tensor<'t:5@sp'>; readonly b: Tensor<'t:5@sp'> }) => pipe(a, multiply(b), sum('t')))({ a: x, b: x }),
    )
    const { tensors: { x }, outputs } = await outputsOf(twice)
    for (const name of ['a', 'b']) assertClose(outputs[name]!, Array.from(x!, (one) => 2 * one), 1e-6)
  })

  test('a tensor on the way can be one: what lies before it is constant then', async () => {
    const between = program('between', sp, { x: input('t:5@sp') }, ({ x }) => {
      const y = pipe(x, sin)
      return { y, by: grad((y: Tensor<'t:5@sp'>) => pipe(y, square, multiply(x), sum('t')))(y) }
    })
    const { tensors: { x }, outputs } = await outputsOf(between)
    assertClose(outputs['by']!, Array.from(x!, (one) => 2 * Math.sin(one) * one), 1e-6)
  })

  test('so can a tensor and what is made of it, each by itself', async () => {
    const both = program('both', sp, { x: input('t:5@sp') }, ({ x }) => {
      const y = pipe(x, square)
      return grad(({ y }: { readonly x: Tensor<'t:5@sp'>; readonly y: Tensor<'t:5@sp'> }) => pipe(y, multiply(x), sum('t')))({ x, y })
    })
    const { tensors: { x }, outputs } = await outputsOf(both)
    assertClose(outputs['y']!, x!, 1e-6)
    // y is a leaf: its path to x ends there.
    assertClose(outputs['x']!, Array.from(x!, (one) => one * one), 1e-6)
  })

  test('and the value itself', async () => {
    const itself = program('itself', sp, { x: input('t:5@sp') }, ({ x }) => {
      const value = pipe(x, mean('t'), layout(''))
      return grad((value: Tensor<''>) => value)(value)
    })
    assert.deepEqual([...(await outputsOf(itself)).outputs['output']!], [1])
  })
})

describe('the value', () => {
  test('may be a pending sum: it is completed, and its gradients are those of the whole sum', async () => {
    const pending = program('pending', sp, { x: input('t:5@sp'), w: parameter('t:5') }, ({ x, w }) => {
      const [value, gradients] = valueAndGrad((w: Tensor<'t:5'>) => pipe(x, contract(pipe(w, layout('t@sp')), 't')))(w)
      return { value, gradients }
    })
    const { tensors: { x, w }, outputs, specs } = await outputsOf(pending)
    assert.deepEqual(specs, { value: '', gradients: 't:5' })
    assertClose(outputs['value']!, [Array.from(x!, (one, i) => one * w![i]!).reduce((a, b) => a + b)], 1e-6)
    assertClose(outputs['gradients']!, x!, 1e-6)
  })

  test('may pass through linear ops of pending sums, by whose other sides there are gradients too', async () => {
    const declarations = { x: input('t:5@a e:4'), s: parameter('e:4'), d: parameter('e:4'), w: parameter('f:3 e:4'), v: input('g:7@b') }
    const through = program('through', mesh('a=2 b=2'), declarations, (given) =>
      grad(({ x, s, d, w, v }: typeof given) => {
        const scaled = pipe(x, sum('t'), multiply(s), divide(pipe(d, add(2))))
        // Over b, the gradient that comes back to the pending sum over a is a pending sum itself.
        const outer = pipe(scaled, linear(w, 'e'), multiply(v), layout('g@b'), tanh, mean('f g'), layout(''))
        return pipe(d, multiply(scaled), contract(s, 'e'), layout(''), tanh, add(outer))
      })(given))
    await outputsOf(through)
  })

  test('may be a pending extreme', async () => {
    const extreme = program('extreme', sp, { x: input('t:5@sp') }, ({ x }) => {
      const [value, gradients] = valueAndGrad((x: Tensor<'t:5@sp'>) => pipe(x, tanh, max('t')))(x)
      return { value, gradients }
    })
    const { tensors: { x }, outputs } = await outputsOf(extreme)
    const most = Math.max(...Array.from(x!))
    assertClose(outputs['value']!, [Math.tanh(most)], 1e-6)
    assertClose(outputs['gradients']!, Array.from(x!, (one) => one === most ? 1 - Math.tanh(most) ** 2 : 0), 1e-6)
  })

  test('may pass through a sum that is finished by the program', async () => {
    const finished = program(
      'finished',
      sp,
      { x: input('t:5 e:4@sp'), w: parameter('e:4@sp') },
      ({ x, w }) => grad((w: Tensor<'e:4@sp'>) => pipe(x, contract(w, 'e'), layout('t@sp'), tanh, square, mean('t')))(w),
    )
    const { tensors: { x, w }, outputs } = await outputsOf(finished)
    const y = Array.from({ length: 5 }, (_, t) => [0, 1, 2, 3].reduce((sum, e) => sum + x![4 * t + e]! * w![e]!, 0)).map(Math.tanh)
    const wanted = [0, 1, 2, 3].map((e) => y.reduce((sum, one, t) => sum + (2 / 5) * one * (1 - one * one) * x![4 * t + e]!, 0))
    assertClose(outputs['output']!, wanted, 1e-6)
  })

  test('of parts that are used side by side, in any order and with gaps, has the gradients of all of them', async () => {
    const parts = program('parts', sp, { x: input('t:7 e:3@sp') }, ({ x }) =>
      grad((x: Tensor<'t:7 e:3@sp'>) => {
        const part = (from: number, count: number): AnyTensor => layout('')(sum('t e')(square(slice('t', { from, count })(x as Tensor))))
        return [part(0, 1), part(2, 2), part(3, 3)].reduce((sum, one) => add(sum)(one), part(4, 2))
      })(x))
    const { tensors: { x }, outputs } = await outputsOf(parts)
    const uses = [1, 0, 1, 2, 2, 2, 0]
    assertClose(outputs['output']!, Array.from(x!, (one, i) => 2 * one * uses[Math.floor(i / 3)]!), 1e-6)
  })
})

describe('refusals', () => {
  const source = readFileSync(fileURLToPath(import.meta.url), 'utf8').split('\n')
  /** The program is refused with a sentence about the line of this file that has the words. */
  const assertRefused = (program: Program, words: string, message: string): void => {
    const plan = compile(program)
    if (E.isRight(plan)) assert.fail('not refused')
    const line = source.findIndex((text) => text.includes(words)) + 1
    assert.equal(sentence(plan.left), `${relative(process.cwd(), fileURLToPath(import.meta.url))}:${line}: ${message}`)
  }

  test('say that the value must be a single number', () => {
    const many = program('many', sp, { x: input('t:5@sp e:4') }, ({ x }) => {
      const by = grad((x: Tensor<'t:5@sp e:4'>) => pipe(x, exp))
      return by(x) // many
    })
    assertRefused(many, '// many', `grad needs a single number, but the value is t:5@sp e:4; fix: mean('t e') at the end`)
  })

  test('say that whole numbers have no gradients', () => {
    const whole = program('whole', sp, { x: input('t:5') }, ({ x }) => {
      const by = grad((x: Tensor<'t:5'>) => pipe(x, sum('t'), cast('i32')))
      return by(x) // whole
    })
    assertRefused(whole, '// whole', `grad needs a single number, but the value is i32; fix: cast('f32') at the end`)
  })

  test('say how a pending tensor is finished first', () => {
    const pending = program('pending', sp, { x: input('t:5@sp e:4') }, ({ x }) => {
      const by = grad((y: AnyTensor) => mean('e')(square(layout('')(y))))
      return by(sum('t')(x)) // pending sum
    })
    const message = `grad: its input is a pending sum over 'sp', to be finished first; fix: layout('') or sumOver('sp') before it`
    assertRefused(pending, '// pending sum', message)

    const extreme = program('extreme', mesh('sp=2 tp=2'), { x: input('t:5@sp e:4@tp') }, ({ x }) => {
      const by = grad((y: AnyTensor) => mean('e')(square(layout('')(y))))
      return by(max('t')(x)) // pending max
    })
    const other = `grad: its input is a pending max over 'sp', to be finished first; fix: layout('e@tp') before it`
    assertRefused(extreme, '// pending max', other)
  })

  test('say what grad takes', () => {
    const not = program('not', sp, { x: input('t:5') }, ({ x }) => {
      const by = grad(() => mean('t')(x))
      return by(3 as never) // no tensor
    })
    assertRefused(not, '// no tensor', 'grad takes the tensors of the program, by name, nested as records and arrays')
  })
})
