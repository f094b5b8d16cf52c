import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { grad, input, layout, mesh, type Program, program, type Tensor } from '#lib/mod.ts'
import {
  layerNorm,
  log,
  logSigmoid,
  logSoftmax,
  logSumExp,
  mean,
  rmsNorm,
  silu,
  softmax,
  softplus,
  square,
  sum,
  variance,
} from '#ops/mod.ts'
import { right, run, type Values } from './run-law.ts'

/** What is left of ops along rows, and of functions of one element, where numbers are infinite, NaN, or at the ends of float32. */
const [inf, nan] = [Infinity, NaN]
const backends = ['reference', 'webgpu'] as const
const one = mesh('sp=1')

const check = async (of: Program, values: Values, wanted: Readonly<Record<string, readonly number[]>>, tolerance = 2e-6): Promise<void> => {
  for (const backend of backends) {
    const got = right(await run(of, values, backend))
    for (const [name, numbers] of Object.entries(wanted)) {
      assert.equal(got[name]!.length, numbers.length)
      numbers.forEach((number, i) => {
        const is = got[name]![i]!
        const near = Object.is(is, number) || is === number || Math.abs(is - number) <= tolerance * Math.abs(number)
        assert.ok(near, `${name} on ${backend}: element ${i} is ${is}, not ${number}`)
      })
    }
  }
}

/** Rows of two, with what each op makes of them; softmax as JAX has it. */
const rows: readonly {
  readonly x: readonly [number, number]
  readonly logSumExp: number
  readonly softmax: readonly [number, number]
  /** The gradient of logSumExp. */
  readonly slope: readonly [number, number]
  readonly mean: number
}[] = [
  { x: [-inf, -inf], logSumExp: -inf, softmax: [nan, nan], slope: [0, 0], mean: -inf },
  { x: [inf, 0], logSumExp: inf, softmax: [nan, nan], slope: [nan, 0], mean: inf },
  { x: [100, inf], logSumExp: inf, softmax: [nan, nan], slope: [0, nan], mean: inf },
  { x: [inf, inf], logSumExp: inf, softmax: [nan, nan], slope: [nan, nan], mean: inf },
  { x: [inf, -inf], logSumExp: inf, softmax: [nan, nan], slope: [nan, 0], mean: nan },
  { x: [-inf, 3], logSumExp: 3, softmax: [0, 1], slope: [0, 1], mean: -inf },
  { x: [nan, 1], logSumExp: nan, softmax: [nan, nan], slope: [nan, nan], mean: nan },
  { x: [1000, 1000], logSumExp: 1000 + Math.LN2, softmax: [0.5, 0.5], slope: [0.5, 0.5], mean: 1000 },
  { x: [-1e38, -1e38], logSumExp: -1e38, softmax: [0.5, 0.5], slope: [0.5, 0.5], mean: -1e38 },
]
const rowValues = { x: Float32Array.from(rows.flatMap(({ x }) => x)) }
const spec = `t:${rows.length} e:2` as 't:9 e:2'

describe('rows with infinities', () => {
  test('logSumExp, and its gradient, which has no 0 · ∞', () =>
    check(
      program('rows', one, { x: input(spec) }, ({ x }) => ({
        value: pipe(x, logSumExp('e')),
        slope: grad((x: Tensor<'t:9 e:2', '', 'sp=1'>) => pipe(x, logSumExp('e'), sum('t')))(x),
      })),
      rowValues,
      { value: rows.map((row) => row.logSumExp), slope: rows.flatMap(({ slope }) => slope) },
    ))
  test('an empty row is one of no number: -∞', () =>
    check(program('empty', one, { x: input('t:2 e:0') }, ({ x }) => pipe(x, logSumExp('e'))), { x: new Float32Array(0) }, {
      output: [-inf, -inf],
    }))
  test('the same on two ranks', async () => {
    const of = program('rows', mesh('sp=2'), { x: input('t:9@sp e:2') }, ({ x }) => pipe(x, logSumExp('e'), layout('')))
    await check(of, rowValues, { output: rows.map((row) => row.logSumExp) })
  })
  test('softmax and logSoftmax are NaN where no share can be told', () =>
    check(
      program('rows', one, { x: input(spec) }, ({ x }) => ({ softmax: pipe(x, softmax('e')), log: pipe(x, logSoftmax('e')) })),
      rowValues,
      {
        softmax: rows.flatMap((row) => row.softmax),
        log: rows.flatMap((row) => row.softmax.map(Math.log)),
      },
    ))
  test('the mean is infinite, deviations from it are not known', async () => {
    const infinite = rows.map(({ x }) => x.some((n) => !Number.isFinite(n)))
    const of = program('rows', one, { x: input(spec) }, ({ x }) => ({
      mean: pipe(x, mean('e')),
      variance: pipe(x, variance('e')),
      norm: pipe(x, layerNorm('e')),
    }))
    await check(of, rowValues, { mean: rows.map((row) => row.mean), variance: infinite.map((is) => is ? nan : 0) })
    for (const backend of backends) {
      const { norm } = right(await run(of, rowValues, backend))
      infinite.forEach((is, t) => assert.deepEqual([norm![2 * t], norm![2 * t + 1]].map(Number.isNaN), [is, is]))
    }
  })
  test('rmsNorm of an infinite element is NaN', () =>
    check(program('rows', one, { x: input('e:2') }, ({ x }) => pipe(x, rmsNorm('e'))), { x: Float32Array.from([inf, 1]) }, {
      output: [nan, 0],
    }))
})

test('logSoftmax keeps the digits that log of softmax loses', async () => {
  const x = Float32Array.from([0, -80, -87, -88, -100, -1e4, -3e38])
  const of = program('digits', one, { x: input('e:7') }, ({ x }) => ({
    log: pipe(x, logSoftmax('e')),
    slope: grad((x: Tensor<'e:7', '', 'sp=1'>) => pipe(x, logSoftmax('e'), square, sum('e')))(pipe(x, softmax('e'))),
  }))
  await check(of, { x }, { log: [...x] })
  for (const backend of backends) {
    const lost = right(await run(program('lost', one, { x: input('e:7') }, ({ x }) => pipe(x, softmax('e'), log)), { x }, backend))
    assert.equal(lost['output']![5], -inf)
  }
})

describe('softplus and logSigmoid keep their digits everywhere', () => {
  const x = [-1e30, -80, -30, -20, -10, -1, -1e-3, -1e-20, 0, 1e-20, 1e-3, 0.5, 1, 2, 10, 20, 80, 1e30]
  const numbers = Float32Array.from(x)
  const plus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
  const of = program('digits', one, { x: input('t:18') }, ({ x }) => ({
    softplus: pipe(x, softplus),
    logSigmoid: pipe(x, logSigmoid),
    slopeOfSoftplus: grad((x: Tensor<'t:18', '', 'sp=1'>) => pipe(x, softplus, sum('t')))(x),
    slopeOfLogSigmoid: grad((x: Tensor<'t:18', '', 'sp=1'>) => pipe(x, logSigmoid, sum('t')))(x),
  }))
  const wanted = (values: Float32Array) => ({
    softplus: Array.from(values, plus),
    logSigmoid: Array.from(values, (x) => -plus(-x)),
    slopeOfSoftplus: Array.from(values, sigmoid),
    slopeOfLogSigmoid: Array.from(values, (x) => sigmoid(-x)),
  })
  test('from -1e30 to 1e30', () => check(of, { x: numbers }, wanted(numbers), 5e-6))
  test('known values', () =>
    check(
      program('known', one, { x: input('t:2') }, ({ x }) => ({ plus: pipe(x, softplus), log: pipe(x, logSigmoid) })),
      { x: Float32Array.from([-20, -80]) },
      { plus: [2.061153620314381e-9, 1.804851387845415e-35], log: [-20.000000002061153, -80] },
      5e-6,
    ))
  test('at infinities and NaN', () => {
    const ends = program('ends', one, { x: input('t:3') }, ({ x }) => ({ plus: pipe(x, softplus), log: pipe(x, logSigmoid) }))
    return check(ends, { x: Float32Array.from([inf, -inf, nan]) }, { plus: [inf, 0, nan], log: [0, -inf, nan] })
  })
})

test('second derivatives of softplus, logSigmoid and silu are finite where e^-x or e^x is not', async () => {
  const numbers = [-1e30, -300, -100, -90, -20, -1, 0, 1, 20, 90, 100, 300, 1e30]
  const twice = (f: (x: Tensor) => Tensor) => (x: Tensor): Tensor =>
    grad((y: Tensor) => pipe(grad((z: Tensor) => pipe(f(z), sum('t')) as Tensor<''>)(y), sum('t')) as Tensor<''>)(x)
  const of = program('twice', one, { x: input('t:13') }, ({ x }) => ({
    softplus: twice(softplus as (x: Tensor) => Tensor)(x as Tensor),
    logSigmoid: twice(logSigmoid as (x: Tensor) => Tensor)(x as Tensor),
    silu: twice(silu as (x: Tensor) => Tensor)(x as Tensor),
  }))
  // s (1 - s) = 1 / (2 + e^x + e^-x); of silu s (1 - s) (2 + x (1 - 2 s)).
  const slope = (x: number): number => 1 / (2 + Math.exp(x) + Math.exp(-x))
  const wanted: Readonly<Record<string, (x: number) => number>> = {
    softplus: slope,
    logSigmoid: (x) => -slope(x),
    silu: (x) => slope(x) === 0 ? 0 : slope(x) * (2 - x * Math.tanh(x / 2)),
  }
  for (const backend of backends) {
    const got = right(await run(of, { x: Float32Array.from(numbers) }, backend))
    for (const [name, formula] of Object.entries(wanted)) {
      numbers.forEach((x, i) => {
        const [is, should] = [got[name]![i]!, formula(x)]
        assert.ok(Math.abs(is - should) <= 1e-6, `${name} at ${x} on ${backend} is ${is}, not ${should}`)
      })
    }
  }
})
