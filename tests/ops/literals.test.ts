import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { type AnyTensor, input, mesh, program } from '#lib/mod.ts'
import { add, cast, divide, equal, fill, greater, less, maximum, minimum, multiply, pad, reciprocal, subtract, where } from '#ops/mod.ts'
import { right, run, type Values } from './run-law.ts'

/** Numbers that a program gives, among elements of each type, on both backends. */
const check = async (
  inputs: Readonly<Record<string, ReturnType<typeof input>>>,
  values: Values,
  body: (given: Readonly<Record<string, AnyTensor>>) => unknown,
  wanted: Readonly<Record<string, readonly number[]>>,
): Promise<void> => {
  for (const backend of ['reference', 'webgpu'] as const) {
    const got = right(await run(program('literals', mesh('sp=1'), inputs, body as never), values, backend))
    for (const [name, numbers] of Object.entries(wanted)) assert.deepEqual([...got[name]!], numbers, `${name} on ${backend}`)
  }
}
type Op = (x: AnyTensor) => AnyTensor
const op = (stage: unknown): Op => stage as Op

test('pad of every type, with every number that the type has', async () => {
  const padded = (value: number | boolean): Op => op(pad('t', { before: 1, after: 2, value }))
  await check({ x: input('t:1', 'bool') }, { x: Int32Array.from([1]) }, ({ x }) => ({
    none: pipe(x!, op(pad('t', { after: 2 }))),
    zero: pipe(x!, padded(0)),
    one: pipe(x!, padded(1), op(cast('f32'))),
    no: pipe(x!, padded(false)),
    yes: pipe(x!, padded(true)),
  }), { none: [1, 0, 0], zero: [0, 1, 0, 0], one: [1, 1, 1, 1], no: [0, 1, 0, 0], yes: [1, 1, 1, 1] })
  const wholes = [0, 5, -5, 2147483647, -2147483648]
  await check(
    { x: input('t:1', 'i32') },
    { x: Int32Array.from([7]) },
    ({ x }) => Object.fromEntries(wholes.map((value) => [`of ${value}`, pipe(x!, padded(value))])),
    Object.fromEntries(wholes.map((value) => [`of ${value}`, [value, 7, value, value]])),
  )
  const reals = [0.1, -Infinity, Infinity, NaN, 3e38, 1e300, -1e300, 1e-320]
  await check(
    { x: input('t:1') },
    { x: Float32Array.from([7]) },
    ({ x }) => Object.fromEntries(reals.map((value) => [`of ${value}`, pipe(x!, padded(value))])),
    Object.fromEntries(reals.map((value) => [`of ${value}`, [value, 7, value, value].map(Math.fround)])),
  )
})

test('fill keeps infinities, NaN and -0', () =>
  check({}, {}, () => ({
    signs: pipe(fill('t:2', -0), op(reciprocal)),
    infinite: fill('t:1', Infinity),
    below: fill('t:1', -Infinity),
    unknown: fill('t:1', NaN),
    beyond: fill('t:1', 1e300),
  }), { signs: [-Infinity, -Infinity], infinite: [Infinity], below: [-Infinity], unknown: [NaN], beyond: [Infinity] }))

test('a number among f32 is the nearest float32, on every backend', () =>
  check({ x: input('t:3') }, { x: Float32Array.from([0.1, 1, 0]) }, ({ x }) => ({
    equal: pipe(x!, op(equal(0.1))),
    less: pipe(x!, op(less(0.1))),
    greater: pipe(x!, op(greater(0.1))),
    beyond: pipe(x!, op(add(1e300))),
    product: pipe(x!, op(multiply(1e300)), op(multiply(1e-300))),
    least: pipe(x!, op(minimum(-Infinity))),
    most: pipe(x!, op(maximum(1e39))),
    ratio: pipe(x!, op(divide(0))),
  }), {
    equal: [1, 0, 0],
    less: [0, 0, 1],
    greater: [0, 1, 0],
    beyond: [Infinity, Infinity, Infinity],
    product: [NaN, NaN, NaN],
    least: [-Infinity, -Infinity, -Infinity],
    most: [Infinity, Infinity, Infinity],
    ratio: [Infinity, Infinity, NaN],
  }))

test('0 times NaN or an infinity is NaN, and the sign of a zero is kept', () =>
  check({ x: input('t:5') }, { x: Float32Array.from([NaN, Infinity, -Infinity, 1, -1]) }, ({ x }) => ({
    zero: pipe(x!, op(multiply(0)), op(reciprocal)),
    below: pipe(x!, op(multiply(-0)), op(reciprocal)),
    tiny: pipe(x!, op(multiply(1e-300)), op(reciprocal)),
  }), {
    zero: [NaN, NaN, NaN, Infinity, -Infinity],
    below: [NaN, NaN, NaN, -Infinity, Infinity],
    tiny: [NaN, NaN, NaN, Infinity, -Infinity],
  }))

test('the ends of i32, and truths', async () => {
  await check({ x: input('t:2', 'i32') }, { x: Int32Array.from([-2147483648, 2147483647]) }, ({ x }) => ({
    least: pipe(x!, op(equal(-2147483648))),
    most: pipe(x!, op(equal(2147483647))),
    from: pipe(x!, op(maximum(-2147483648)), op(minimum(2147483647))),
    plus: pipe(x!, op(subtract(-2147483648))),
  }), { least: [1, 0], most: [0, 1], from: [-2147483648, 2147483647], plus: [0, -1] })
  await check(
    { x: input('t:2', 'bool') },
    { x: Int32Array.from([0, 1]) },
    ({ x }) => ({
      yes: pipe(x!, op(equal(1))),
      no: pipe(x!, op(equal(0))),
      either: pipe(x!, op(equal(0)), op(where(fill('t:2', 5), fill('t:2', 6)))),
    }),
    { yes: [0, 1], no: [1, 0], either: [5, 6] },
  )
})
