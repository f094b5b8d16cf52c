import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import fc from 'fast-check'
import { grad, input, layout, mesh, program, type Tensor } from '#lib/mod.ts'
import { cast, crossEntropy, divide, equal, not, sum } from '#ops/mod.ts'
import { randomElements } from '../backends/support.ts'
import { right, run, type Values } from './run-law.ts'

const backends = ['reference', 'webgpu'] as const
type Logits = Tensor<string, '', string>

/** Losses, and the gradient of their sum weighted by 1. */
const programOf = (rows: number, vocabulary: number, options: { readonly ignore?: number; readonly smoothing?: number }, ranks = 1) =>
  program('losses', mesh(`dp=${ranks}`), { x: input(`t:${rows}@dp v:${vocabulary}`), y: input(`t:${rows}@dp`, 'i32') }, ({ x, y }) => {
    const losses = (x: Logits) => pipe(x, crossEntropy('v', y as Tensor<string, '', string, 'i32'>, options))
    return {
      losses: pipe(losses(x as Logits), layout('')),
      slopes: pipe(grad((x: Logits) => pipe(losses(x), sum('t'), layout('')))(x as Logits), layout('')),
    }
  })

interface Row {
  readonly loss: number
  readonly slopes: readonly number[]
}

/** -Σ q log softmax(x) and softmax(x) - q in float64, with what comes to more than 1 kept apart. */
const rowOf = (
  x: readonly number[],
  label: number,
  { ignore, smoothing = 0 }: { readonly ignore?: number; readonly smoothing?: number },
): Row => {
  if (label === ignore) return { loss: 0, slopes: x.map(() => 0) }
  if (label < 0 || label >= x.length) return { loss: NaN, slopes: x.map(() => NaN) }
  const own = x[label]!
  const others = x.reduce((total, one, v) => v === label ? total : total + Math.exp(one - own), 0)
  const loss = (1 - smoothing) * Math.log1p(others) +
    (smoothing === 0 ? 0 : (smoothing / x.length) * x.reduce((total, one) => total + Math.log1p(others) + (own - one), 0))
  const share = smoothing / x.length
  return {
    loss,
    slopes: x.map((one, v) => v === label ? -others / (1 + others) + smoothing - share : Math.exp(one - own) / (1 + others) - share),
  }
}

const check = async (
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  options: Parameters<typeof rowOf>[2],
  ranks = 1,
): Promise<void> => {
  const vocabulary = rows[0]!.length
  const values: Values = { x: Float32Array.from(rows.flat()), y: Int32Array.from(labels) }
  const rounded = rows.map((row) => [...Float32Array.from(row)])
  const wanted = rounded.map((row, t) => rowOf(row, labels[t]!, options))
  for (const backend of backends) {
    const { losses, slopes } = right(await run(programOf(rows.length, vocabulary, options, ranks), values, backend))
    wanted.forEach((row, t) => {
      const what = `${backend}, row ${t}`
      near(losses![t]!, row.loss, 4e-6 * Math.abs(row.loss), `${what}: the loss`)
      const most = row.slopes.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0)
      row.slopes.forEach((slope, v) => near(slopes![t * vocabulary + v]!, slope, 4e-6 * most, `${what}: the slope of ${v}`))
    })
  }
}
const near = (is: number, wanted: number, tolerance: number, what: string): void =>
  assert.ok(Object.is(is, wanted) || is === wanted || Math.abs(is - wanted) <= tolerance, `${what} is ${is}, not ${wanted}`)

test('losses and gradients of random rows, with labels that are ignored or outside, cut or not', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 70 }),
      fc.constantFrom({}, { ignore: -100 }, { smoothing: 0.1 }, { ignore: 0, smoothing: 0.5 }),
      fc.constantFrom(1, 2, 3),
      fc.nat(9999),
      async (count, vocabulary, options, ranks, seed) => {
        const logits = randomElements('f32', count * vocabulary, seed)
        const luck = randomElements('i32', count, seed + 1)
        const labels = Array.from(luck, (n) => n % 5 === 0 ? [-100, -1, vocabulary][Math.abs(n) % 3]! : Math.abs(n) % vocabulary)
        await check(
          Array.from({ length: count }, (_, t) => [...logits.slice(t * vocabulary, (t + 1) * vocabulary)].map((x) => 5 * x)),
          labels,
          options,
          ranks,
        )
      },
    ),
    { numRuns: 12 },
  ))

test('a loss that is nearly nothing keeps its digits, and so does its gradient', () =>
  check([[30, 0, 1], [0, 60, 3], [50, 50, 0], [0, 100, 0]], [0, 1, 0, 0], {}))

test('a label that is far below costs as much as it lies below', async () => {
  for (const backend of backends) {
    const values = { x: Float32Array.from([1e4, 0, -1e4]), y: Int32Array.from([2]) }
    const { losses, slopes } = right(await run(programOf(1, 3, {}), values, backend))
    assert.deepEqual([losses![0], ...slopes!], [2e4, 1, 0, -1])
  }
})

test('-∞ rules a class out, without 0 · ∞', () => check([[-Infinity, 0, 1], [2, -Infinity, -Infinity], [3, 4, -Infinity]], [1, 0, 0], {}))

test('a label that is ruled out costs ∞', async () => {
  const values = { x: Float32Array.from([-Infinity, 0, 1]), y: Int32Array.from([0]) }
  for (const backend of backends) {
    for (const options of [{}, { smoothing: 0.1 }]) {
      assert.equal(right(await run(programOf(1, 3, options), values, backend))['losses']![0], Infinity)
    }
  }
})

test('what is ignored has no loss and no gradient, be its logits NaN or infinite', async () => {
  const x = Float32Array.from([NaN, 1, 2, Infinity, Infinity, 0, -Infinity, -Infinity, -Infinity, 1, 2, 3])
  const y = Int32Array.from([-100, -100, -100, 2])
  for (const backend of backends) {
    for (const smoothing of [0, 0.1]) {
      const { losses, slopes } = right(await run(programOf(4, 3, { ignore: -100, smoothing }), { x, y }, backend))
      assert.deepEqual([...losses!.slice(0, 3)].map(Math.abs), [0, 0, 0])
      assert.deepEqual([...slopes!.slice(0, 9)].map(Math.abs), Array.from({ length: 9 }, () => 0))
      assert.ok(losses![3]! > 0.4 && slopes!.slice(9).every(Number.isFinite))
    }
  }
})

test('a whole vocabulary of 128 256', async () => {
  const vocabulary = 128_256
  const row = (seed: number): readonly number[] => Array.from(randomElements('f32', vocabulary, seed), (x) => 4 * x)
  for (const options of [{}, { smoothing: 0.1 }]) await check([row(1), row(2)], [70_000, vocabulary - 1], options)
})

test('the mean over what counts, as its description writes it', async () => {
  const rows = [[1, 2, 3], [0, 5, 1], [2, 2, 2], [9, 1, 0]]
  const labels = [2, -100, 0, -100]
  const of = program('mean', mesh('dp=2'), { x: input('t:4@dp v:3'), y: input('t:4@dp', 'i32') }, ({ x, y }) => {
    const losses = pipe(x, crossEntropy('v', y, { ignore: -100 }))
    const counts = pipe(y, equal(-100), not, cast('f32'))
    return pipe(losses, sum('t'), layout(''), divide(pipe(counts, sum('t'), layout(''))))
  })
  const wanted = (rowOf(rows[0]!, 2, {}).loss + rowOf(rows[2]!, 0, {}).loss) / 2
  for (const backend of backends) {
    const { output } = right(await run(of, { x: Float32Array.from(rows.flat()), y: Int32Array.from(labels) }, backend))
    near(output![0]!, wanted, 1e-6, backend)
  }
})
