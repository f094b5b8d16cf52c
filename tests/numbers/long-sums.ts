import { pipe } from 'fp-ts/lib/function.js'
import { type AnyTensor, grad, input, layout, mesh, type Program, program, type Tensor } from '#lib/mod.ts'
import * as ops from '#ops/mod.ts'
import { right, run, type Values } from '../ops/run-law.ts'

/**
 * Long sums of equal numbers, whose roundings all go the same way: the worst that a sum can meet. Each case is a program, its
 * inputs, and what every element of its result is.
 */
export interface LongSum {
  readonly name: string
  readonly program: (x: number, ranks: number) => Program
  readonly values: (x: number) => Values
  readonly wanted: (x: number) => number
}

const equal = (count: number, x: number): Float32Array => new Float32Array(count).fill(x)
const whole = (x: AnyTensor): AnyTensor => (layout('') as unknown as (x: AnyTensor) => AnyTensor)(x)
/** Specs are put together from sizes here, so that the types know nothing of them. */
const of = (stage: unknown): (x: AnyTensor) => AnyTensor => stage as (x: AnyTensor) => AnyTensor
const programOf = (
  ranks: number,
  inputs: Readonly<Record<string, string>>,
  body: (given: Readonly<Record<string, Tensor>>) => AnyTensor,
): Program =>
  program(
    'long sum',
    mesh(`sp=${ranks}`),
    Object.fromEntries(Object.entries(inputs).map(([name, spec]) => [name, input(spec)])),
    (given) => whole(body(given as unknown as Readonly<Record<string, Tensor>>)),
  )

/** A function of one tensor of \`spec\`, all of whose elements are x. */
const unary = (
  name: string,
  spec: string,
  count: number,
  body: (x: AnyTensor) => AnyTensor,
  wanted: (x: number) => number,
): LongSum => ({
  name,
  program: (_, ranks) => programOf(ranks, { x: spec }, ({ x }) => body(x!)),
  values: (x) => ({ x: equal(count, x) }),
  wanted,
})

const [many, tokens, keys] = [2 ** 22, 2 ** 18, 2 ** 16]

/** Values around 1000 that are 1 away from it, half of them on each side. */
const around1000 = Float32Array.from({ length: many }, (_, i) => i % 2 === 0 ? 999 : 1001)

const attend = (ring: boolean) => (q: AnyTensor, k: AnyTensor, v: AnyTensor): AnyTensor =>
  of(ops.attention({ over: 's', features: 'd', ...(ring ? { ring: 'sp' } : {}) })(k, v))(q)

/** Equal keys: every weight is 1 / keys, and the result is the value. */
const attentionOver = (ring: boolean): LongSum => ({
  name: `attention over ${keys} keys${ring ? ', by a ring' : ''}`,
  program: (_, ranks) => {
    const s = `s:${keys}${ring ? '@sp' : ''}`
    return programOf(ranks, { q: ring ? 's:6@sp d:4' : 'n:3 d:4', k: `${s} d:4`, v: `${s} d:4` }, ({ q, k, v }) => attend(ring)(q!, k!, v!))
  },
  values: (x) => ({ q: equal(ring ? 24 : 12, 0.5), k: equal(keys * 4, 0.25), v: equal(keys * 4, x) }),
  wanted: (x) => x,
})

export const longSums: readonly LongSum[] = [
  unary(`sum of ${many}`, `n:${many}@sp`, many, of(ops.sum('n')), (x) => many * x),
  unary(`mean of ${many}`, `n:${many}@sp`, many, of(ops.mean('n')), (x) => x),
  unary(`sum of 3 rows of ${2 ** 20}, columns first`, `n:${2 ** 20}@sp m:3`, 3 * 2 ** 20, of(ops.sum('n')), (x) => 2 ** 20 * x),
  unary(`sum over dims with one between them`, 'a:2048 b:3 c:512@sp', 3 * 2 ** 20, of(ops.sum('a c')), (x) => 2 ** 20 * x),
  {
    name: `variance of ${many} around 1000`,
    program: (_, ranks) => programOf(ranks, { x: `n:${many}` }, ({ x }) => of(ops.variance('n'))(x!)),
    values: () => ({ x: around1000 }),
    wanted: () => 1,
  },
  unary('rms norm of 2^20', `n:${2 ** 20}`, 2 ** 20, of(ops.rmsNorm('n', { epsilon: 0 })), () => 1),
  unary('log-sum-exp of 2^20', `n:${2 ** 20}`, 2 ** 20, of(ops.logSumExp('n')), (x) => x + Math.log(2 ** 20)),
  {
    name: 'contract over 2^20',
    program: (_, ranks) =>
      programOf(
        ranks,
        { x: `n:3 k:${2 ** 20}@sp`, y: `m:5 k:${2 ** 20}@sp` },
        ({ x, y }) => pipe(x as AnyTensor, of(ops.contract(y!, 'k'))),
      ),
    values: (x) => ({ x: equal(3 * 2 ** 20, x), y: equal(5 * 2 ** 20, 1) }),
    wanted: (x) => 2 ** 20 * x,
  },
  {
    name: `weight gradient over ${tokens} tokens`,
    program: (_, ranks) =>
      programOf(
        ranks,
        { x: `n:${tokens}@sp e:8`, w: 'f:8 e:8' },
        ({ x, w }) =>
          grad((weight: Tensor) => pipe(x as AnyTensor, of(ops.linear(weight, 'e')), of(ops.sum('n f')), of(layout(''))) as Tensor<''>)(w!),
      ),
    values: (x) => ({ x: equal(tokens * 8, x), w: equal(64, 0.5) }),
    wanted: (x) => tokens * x,
  },
  {
    name: `bias gradient over ${tokens} tokens`,
    program: (_, ranks) =>
      programOf(
        ranks,
        { x: `n:${tokens}@sp e:8`, b: 'e:8' },
        ({ x, b }) =>
          grad((bias: Tensor) =>
            pipe(x as AnyTensor, of(ops.add(bias)), of(ops.multiply(0.3)), of(ops.sum('n e')), of(layout(''))) as Tensor<''>
          )(b!),
      ),
    values: (x) => ({ x: equal(tokens * 8, x), b: equal(8, 0.5) }),
    wanted: () => tokens * Math.fround(0.3),
  },
  attentionOver(false),
  attentionOver(true),
  {
    // Σ over queries of (1 / keys) · x
    name: `gradient of attention's values over ${keys} queries`,
    program: (_, ranks) =>
      programOf(
        ranks,
        { q: `n:${keys}@sp d:4`, k: 's:4 d:4', v: 's:4 d:4', g: 'd:4' },
        ({ q, k, v, g }) =>
          grad((value: Tensor) =>
            pipe(attend(false)(q!, k!, value), of(ops.multiply(g!)), of(ops.sum('n d')), of(layout(''))) as Tensor<''>
          )(v!),
      ),
    values: (x) => ({ q: equal(keys * 4, 0.5), k: equal(16, 0.25), v: equal(16, 0.7), g: equal(4, x) }),
    wanted: (x) => keys / 4 * x,
  },
  {
    // s = p (g·v - Δ) with v = ±1 in halves: Σ over keys of p g·v k is 0 where k is alike, so keys follow their values' sign.
    name: `gradient of attention's queries over ${keys} keys`,
    program: (_, ranks) =>
      programOf(
        ranks,
        { q: 'n:3 d:4', k: `s:${keys} d:4`, v: `s:${keys} d:4`, g: 'd:4' },
        ({ q, k, v, g }) =>
          grad((query: Tensor) =>
            pipe(attend(false)(query, k!, v!), of(ops.multiply(g!)), of(ops.sum('n d')), of(layout(''))) as Tensor<''>
          )(q!),
      ),
    values: (x) => {
      const signs = Float32Array.from({ length: keys * 4 }, (_, i) => i % 8 < 4 ? 1 : -1)
      return { q: equal(12, 0), k: signs, v: signs, g: equal(4, x) }
    },
    // scale · Σ (1 / keys) · (4 x · ±1 - 0) · ±1
    wanted: (x) => 0.5 * 4 * x,
  },
]

export const equalNumbers = [0.1, 1 / 3, 0.7, 1.9] as const

/** The largest relative error of a case's elements, over some equal numbers. */
export const errorOf = async (
  sum: LongSum,
  backend: 'reference' | 'webgpu',
  ranks = 1,
  numbers: readonly number[] = equalNumbers,
): Promise<number> => {
  let worst = 0
  for (const number of numbers) {
    const x = Math.fround(number)
    const result = right(await run(sum.program(x, ranks), sum.values(x), backend))['output']!
    const wanted = sum.wanted(x)
    for (const element of result) worst = Math.max(worst, Number.isNaN(element) ? Infinity : Math.abs(element - wanted) / Math.abs(wanted))
  }
  return worst
}
