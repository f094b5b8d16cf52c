import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DType } from '#lib/dtype.ts'
import { call, type Expression, input, integer, real } from '#lib/kernel/expression.ts'
import type { MapKernel } from '#lib/kernel/kernel.ts'
import type { ScalarName } from '#lib/kernel/scalar.ts'
import { threefryInBigInts } from '../ops/laws/generators.ts'
import { assertClose, type Backends, type Buffer, execute, openAll, whole } from './support.ts'

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

/** Applies an expression to lists of operands on every backend; the reference's result comes first. */
const apply = async (expression: Expression, type: DType, ...operands: readonly Buffer[]) => {
  const length = operands[0]!.elements.length
  const map: MapKernel = {
    kind: 'map',
    sizes: [length],
    origin: [0],
    inputs: operands.map(({ type }, n) => whole(n + 1, type)),
    expression,
    output: whole(0, type),
  }
  const output: Buffer = { type, elements: type === 'f32' ? new Float32Array(length) : new Int32Array(length) }
  const all = [backends.reference, ...backends.webgpu]
  return Promise.all(all.map((backend) => execute(backend, [output, ...operands], [map], 0)))
}

const reals = (values: Iterable<number>): Buffer => ({ type: 'f32', elements: Float32Array.from(values) })
const integers = (values: Iterable<number>): Buffer => ({ type: 'i32', elements: Int32Array.from(values) })

const range = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + (to - from) * i / (count - 1))

const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 1e-4, -1e-4, 1e-30, 1e10, -1e10, 3e38, -3e38]

const functions: readonly (readonly [ScalarName, (x: number) => number, readonly number[], number, number])[] = [
  ['negate', (x) => -x, [...special, ...range(-9, 9, 99)], 0, 0],
  ['absolute', Math.abs, [...special, ...range(-9, 9, 99)], 0, 0],
  ['floor', Math.floor, [...special, ...range(-9, 9, 99)], 0, 0],
  ['exponential', Math.exp, [...special, ...range(-80, 80, 401)], 4e-6, 1e-37],
  ['logarithm', Math.log, [...special, ...range(1e-6, 90, 401)], 1e-6, 2e-7],
  ['squareRoot', Math.sqrt, [...special, ...range(0, 90, 401)], 3e-7, 0],
  ['reciprocalSquareRoot', (x) => 1 / Math.sqrt(x), [...special.filter((x) => !Object.is(x, -0)), ...range(1e-6, 90, 401)], 1e-6, 0],
  ['sine', Math.sin, [NaN, Infinity, -Infinity, 0, 1e-4, 1e-30, ...range(-1000, 1000, 2001)], 2e-6, 3e-7],
  ['cosine', Math.cos, [NaN, Infinity, -Infinity, 0, 1e-4, 1e-30, ...range(-1000, 1000, 2001)], 2e-6, 3e-7],
  ['hyperbolicTangent', Math.tanh, [...special, ...range(-20, 20, 2001), 88, -89, 1000], 1e-6, 0],
]

for (const [name, oracle, values, relative, absolute] of functions) {
  test(`${name} agrees with Math, special values included`, async () => {
    const given = reals(values)
    const expected = Array.from(given.elements, (x) => Math.fround(oracle(x)))
    for (const actual of await apply(call(name, input(0)), 'f32', given)) assertClose(actual, expected, relative, absolute)
  })
}

test('errorFunction agrees with a numerical integral of its definition', async () => {
  const values = [...range(-5, 5, 81), 0, 1e-3, 0.499, 0.5, 20, -20]
  const integral = (x: number): number => {
    const steps = 2000
    let sum = 0
    for (let i = 0; i < steps; i++) {
      const at = (x * (i + 0.5)) / steps
      sum += Math.exp(-at * at)
    }
    return (2 / Math.sqrt(Math.PI)) * sum * (x / steps)
  }
  for (const actual of await apply(call('errorFunction', input(0)), 'f32', reals(values))) {
    assertClose(actual, values.map(integral), 3e-6, 1e-7)
  }
  for (const actual of await apply(call('errorFunction', input(0)), 'f32', reals([NaN, Infinity, -Infinity]))) {
    assert.deepEqual(Array.from(actual), [NaN, 1, -1])
  }
})

test('power takes negative bases to whole exponents, and knows its limits', async () => {
  const bases = [...special, -3, -2.5, 2, 10, 0.1]
  const exponents = [-3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 4, 7, 2.5, NaN, 1e10]
  const pairs = bases.flatMap((a) => exponents.map((b) => [a, b] as const))
  const [a, b] = [reals(pairs.map(([a]) => a)), reals(pairs.map(([, b]) => b))]
  const expected = Array.from(a.elements, (x, n) => x === 1 ? 1 : Math.fround(Math.pow(x, b.elements[n]!)))
  for (const actual of await apply(call('power', input(0), input(1)), 'f32', a, b)) assertClose(actual, expected, 3e-5, 1e-37)
})

test('maximum and minimum keep NaN from either side', async () => {
  const pairs = special.flatMap((a) => special.map((b) => [a, b] as const))
  const [a, b] = [reals(pairs.map(([a]) => a)), reals(pairs.map(([, b]) => b))]
  for (const [name, oracle] of [['maximum', Math.max], ['minimum', Math.min]] as const) {
    const expected = Array.from(a.elements, (x, n) => oracle(x, b.elements[n]!))
    for (const actual of await apply(call(name, input(0), input(1)), 'f32', a, b)) assertClose(actual, expected, 0)
  }
})

test('comparisons with NaN are false', async () => {
  const pairs = special.flatMap((a) => special.map((b) => [a, b] as const))
  const [a, b] = [reals(pairs.map(([a]) => a)), reals(pairs.map(([, b]) => b))]
  for (
    const [name, oracle] of [
      ['less', (x: number, y: number) => x < y],
      ['lessOrEqual', (x: number, y: number) => x <= y],
      ['equal', (x: number, y: number) => x === y],
    ] as const
  ) {
    const expected = Int32Array.from(a.elements, (x, n) => +oracle(x, b.elements[n]!))
    for (const actual of await apply(call(name, input(0), input(1)), 'bool', a, b)) assert.deepEqual(actual, expected)
  }
})

test('integers divide towards zero and wrap around', async () => {
  const a = integers([7, -7, 7, -7, 2147483647, -2147483648, 100000])
  const b = integers([2, 2, -2, -2, 1, 1, 100000])
  const expected: readonly (readonly [ScalarName, (x: number, y: number) => number])[] = [
    ['add', (x, y) => (x + y) | 0],
    ['subtract', (x, y) => (x - y) | 0],
    ['multiply', Math.imul],
    ['divide', (x, y) => Math.trunc(x / y)],
  ]
  for (const [name, oracle] of expected) {
    for (const actual of await apply(call(name, input(0), input(1)), 'i32', a, b)) {
      assert.deepEqual(actual, Int32Array.from(a.elements, (x, n) => oracle(x, b.elements[n]!)))
    }
  }
})

test('constants of every kind can be written: limits, infinities, NaN, tiny, negative zero', async () => {
  const zero = reals([0])
  for (const value of [...special, 0.1, 1 / 3, 1e21, -1e21, 2e-38, 3.4028234663852886e38, 123456789]) {
    for (const actual of await apply(call('add', input(0), real(value)), 'f32', zero)) {
      assertClose(actual, [Math.fround(value)], 0)
    }
  }
  for (const value of [0, -1, 2147483647, -2147483648]) {
    for (const actual of await apply(call('add', input(0), integer(value)), 'i32', integers([0]))) {
      assert.deepEqual(Array.from(actual), [value])
    }
    // Parts that are constant through and through.
    for (const actual of await apply(call('add', input(0), call('negate', integer(value))), 'i32', integers([0]))) {
      assert.deepEqual(Array.from(actual), [-value | 0])
    }
  }
})

test('uniform numbers are the same bits on every backend: the upper ones of the generator in whole numbers', async () => {
  const low = integers(Array.from({ length: 1024 }, (_, n) => n * 7919 - 12345))
  const unsigned = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) + BigInt(low >>> 0)
  // Each word reaches both ends of its range; the second line is Random123's third known answer with other low counters.
  for (
    const [keyLow, keyHigh, high] of [[0, 0, 0], [0x13198a2e, 0x03707344, 0x85a308d3 | 0], [-1, -1, -1], [-5, 0, 2], [
      0,
      2147483647,
      3,
    ]] as const
  ) {
    const wanted = Float32Array.from(low.elements, (counter) => {
      const [word] = threefryInBigInts(unsigned(keyHigh, keyLow), unsigned(high, counter))
      return Math.floor(word / 256) * 2 ** -24
    })
    const constant = call('uniform', integer(keyLow), integer(keyHigh), input(0), integer(high))
    for (const actual of await apply(constant, 'f32', low)) assert.deepEqual(actual, wanted)
    const given = call('uniform', input(1), input(2), input(0), input(3))
    const filled = [keyLow, keyHigh, high].map((word) => integers(Array.from(low.elements, () => word)))
    for (const actual of await apply(given, 'f32', low, ...filled)) assert.deepEqual(actual, wanted)
  }
})
