import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sentence } from '#lib/fault.ts'
import { trace } from '#lib/language/trace.ts'
import { type AnyTensor, input, mesh, parameter, type Program, program, type Tensor } from '#lib/mod.ts'
import { sgd, trainStep } from '#lib/train/mod.ts'
import {
  add,
  attention,
  cast,
  crossEntropy,
  divide,
  equal,
  fill,
  greater,
  layerNorm,
  linear,
  maximum,
  mean,
  multiply,
  pad,
  power,
  rmsNorm,
  scatterAdd,
  select,
  selfAttention,
  slice,
  subtract,
} from '#ops/mod.ts'

/** What only the trace can refuse: names made of several keys, and numbers and options that the types don't see. */
const said = (of: Program): string => {
  const traced = trace(of)
  return E.isLeft(traced) ? sentence(traced.left).replace(/^.*?\.ts:\d+:? /, '') : assert.fail('nothing is refused')
}

describe('two tensors of one name are refused', () => {
  const one = mesh('sp=1')
  test('inputs', () => {
    const of = program('b', one, { 'a.b': input('t:2'), a: { b: input('t:2') } }, (given) => pipe(given['a.b'], subtract(given.a.b)))
    assert.match(said(of), /input 'a\.b': \['a\.b'\] and a\.b would both have this name; fix: another key for one of them/)
  })
  test('an input and a parameter, in a list', () => {
    const of = program(
      'b',
      one,
      { layers: [input('t:2')], 'layers.0': parameter('t:2') },
      (given) => pipe(given['layers.0'], subtract(given.layers[0] as unknown as Tensor<'t:2'>)),
    )
    assert.match(said(of), /input 'layers\.0': layers\[0\] and \['layers\.0'\] would both have this name/)
  })
  test('outputs', () => {
    const of = program('b', one, { x: input('t:2') }, ({ x }) => ({ 'a.b': pipe(x, add(1)), a: { b: x } }))
    assert.match(said(of), /output 'a\.b': \['a\.b'\] and a\.b would both have this name/)
  })
  test('parameters of a training step, and what the optimiser keeps', () => {
    const step = (parameters: Record<string, unknown>): Program =>
      trainStep('b', one, {
        inputs: { x: input('t:2') },
        parameters: parameters as { w: ReturnType<typeof parameter> },
        loss: ({ inputs: { x } }) => pipe(x, mean('t')) as Tensor<''>,
        optimiser: sgd({ rate: 0.1 }),
      })
    assert.match(said(step({ 'w.a': parameter('t:2'), w: { a: parameter('t:2') } })), /input 'w\.a': \['w\.a'\] and w\.a would both/)
    assert.match(said(step({ 'x': parameter('t:2') })), /'x' is the name of two things/)
    assert.match(said(step({ 'optimiser.step': parameter('', 'i32') })), /input 'optimiser\.step': .* would both have this name/)
  })
  test('but names that only look alike are not', () => {
    const of = program(
      'b',
      one,
      { 'a b': input('t:2'), a: { b: input('t:2') }, ab: input('t:2') },
      (given) => ({ x: given.ab, y: { x: given.a.b } }),
    )
    assert.ok(E.isRight(trace(of)))
  })
})

/** A program of one op, applied as JavaScript would, without any types. */
const applied = (spec: string, type: 'f32' | 'i32' | 'bool', op: unknown): Program =>
  program('untyped', mesh('sp=1'), { x: input(spec, type) }, ({ x }) => (op as (x: AnyTensor) => AnyTensor)(x))

describe('numbers that elements of a type cannot be are refused', () => {
  const wide = (n: number): number => n
  const whole = [['add', add], ['subtract', subtract], ['multiply', multiply], ['divide', divide], ['maximum', maximum], ['equal', equal], [
    'greater',
    greater,
  ]] as const
  for (const [name, op] of whole) {
    test(`${name} of i32`, () => {
      for (const n of [NaN, Infinity, -Infinity, 0.5, 1e-300]) {
        assert.equal(
          said(applied('t:2', 'i32', op(wide(n)))),
          `${name}: ${n} is not a whole number, but the input is i32; fix: cast('f32') before it`,
        )
      }
      for (const n of [3e9, 2147483648, -2147483649, 1e300]) {
        assert.equal(
          said(applied('t:2', 'i32', op(wide(n)))),
          `${name}: ${n} is outside i32 (-2147483648 to 2147483647), but the input is i32; fix: cast('f32') before it`,
        )
      }
      for (const n of [2147483647, -2147483648, 1]) assert.ok(E.isRight(trace(applied('t:2', 'i32', op(wide(n))))))
    })
  }
  test('a whole number divided by 0', () => {
    for (const zero of [0, -0]) assert.match(said(applied('t:2', 'i32', divide(wide(zero)))), /an i32 has no value when divided by 0/)
    assert.ok(E.isRight(trace(applied('t:2', 'f32', divide(wide(0))))))
  })
  test('equal of bool', () => {
    for (const n of [2, -1, 0.5, NaN]) assert.match(said(applied('t:2', 'bool', equal(wide(n)))), /is not 0 or 1, but the input is bool/)
    for (const n of [0, 1]) assert.ok(E.isRight(trace(applied('t:2', 'bool', equal(wide(n))))))
  })
  test('pad', () => {
    const padded = (value: number | boolean) => pad('t', { before: 1, value })
    assert.match(said(applied('t:2', 'i32', padded(wide(0.5)))), /pad: 0\.5 is not a whole number/)
    assert.match(said(applied('t:2', 'i32', padded(wide(-Infinity)))), /pad: -Infinity is not a whole number/)
    assert.match(said(applied('t:2', 'i32', padded(wide(2 ** 31)))), /pad: 2147483648 is outside i32/)
    assert.match(said(applied('t:2', 'bool', padded(wide(0.5)))), /pad: 0\.5 is not 0 or 1/)
    assert.match(said(applied('t:2', 'f32', padded(wide(1) === 1))), /pad: true is not a number/)
  })
  test('power of f32 takes any', () => {
    for (const n of [NaN, Infinity, 0.5, 1e300]) assert.ok(E.isRight(trace(applied('t:2', 'f32', power(wide(n))))))
  })
})

describe('options that an op does not have, and numbers that make no sense among them, are refused', () => {
  const loose = (options: object): never => options as never
  const cases: readonly (readonly [spec: string, op: (x: AnyTensor) => unknown, sentence: string])[] = [
    [
      's:3 d:2',
      (x) => attention(loose({ over: 's', features: 'd', causal: true }))(x, x),
      "attention: no option 'causal'; options are: over, features, heads, mask, maskKeys, ring",
    ],
    [
      'p:3 s:3 d:2',
      () => selfAttention(loose({ parts: 'p', over: 's', features: 'd', dropout: 0.1 })),
      "selfAttention: no option 'dropout'; options are: parts, over, features, heads, mask, maskKeys, ring",
    ],
    ['s:3 d:2', () => layerNorm('d', loose({ eps: 1 })), "layerNorm: no option 'eps'; options are: scale, shift, epsilon"],
    ['s:3 d:2', () => rmsNorm('d', loose({ weight: 1 })), "rmsNorm: no option 'weight'; options are: scale, shift, epsilon"],
    ['s:3 d:2', () => pad('s', loose({ mode: 'reflect' })), "pad: no option 'mode'; options are: before, after, value"],
    ['s:3 d:2', () => slice('s', loose({ from: 0, count: 2, step: 2 })), "slice: no option 'step'; options are: from, count"],
    [
      's:3 d:2',
      (x) => crossEntropy('d', x, loose({ reduction: 'sum' })),
      "crossEntropy: no option 'reduction'; options are: ignore, smoothing",
    ],
    [
      's:3 d:2',
      (x) => crossEntropy('d', pipe(x, select('d', 0), cast('i32')), loose({ smoothing: '0.1' })),
      "crossEntropy: 'smoothing' is 0.1, not a number from 0 to less than 1",
    ],
    ['s:3 d:2', () => layerNorm('d', { epsilon: -1 }), "layerNorm: 'epsilon' is -1, not a finite number from 0 up"],
    ['s:3 d:2', () => rmsNorm('d', { epsilon: NaN }), "rmsNorm: 'epsilon' is NaN, not a finite number from 0 up"],
    ['s:3 d:2', () => add(fill('s:3 d:2', undefined as never)), "fill: 'value' is undefined, not a number"],
    ['s:3 d:2', (x) => linear(loose({ weight: x, biass: x }), 'd'), "linear: no option 'biass'; options are: weight, bias"],
    ['s:3 d:2', (x) => scatterAdd('v:2', x, loose({ keeps: 's' })), "scatterAdd: no option 'keeps'; options are: keep"],
  ]
  for (const [spec, op, sentence] of cases) {
    test(sentence, () => {
      const of = program('untyped', mesh('sp=1'), { x: input(spec) }, ({ x }) => (op(x) as (x: AnyTensor) => AnyTensor)(x))
      assert.equal(said(of), sentence)
    })
  }
})
