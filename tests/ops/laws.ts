import type { DType } from '#lib/dtype.ts'
import { erf } from '#lib/kernel/scalar.ts'
import type { AnyTensor, Tensor } from '#lib/mod.ts'
import * as ops from '#ops/mod.ts'

/** A position by dim names. */
export type At = Readonly<Record<string, number>>
/** An input as a function of the position; dims that it lacks are ignored. */
export type Field = (at: At) => number

/**
 * What the laws hold an op to: inputs, how to apply it, and what each element of the result must be, written as a formula
 * of its own. `range` gives the values of an input where not every number will do.
 */
export interface Law {
  readonly inputs: Readonly<Record<string, { readonly dims: string; readonly type?: DType; readonly range?: readonly [number, number] }>>
  readonly apply: (inputs: Readonly<Record<string, Tensor>>) => AnyTensor
  readonly result: (inputs: Readonly<Record<string, Field>>, at: At) => number
  /** Dims of the result, in memory order. */
  readonly dims: string
}

const sizes = { t: 5, s: 4, e: 6, f: 3, v: 7, n: 5, k: 4 } as const
export const sizeOf = (dims: string, name: string): number => Number(new RegExp(`\\b${name}:(\\d+)`).exec(dims)![1])

const tse = `t:${sizes.t} s:${sizes.s} e:${sizes.e}`
const se = `s:${sizes.s} e:${sizes.e}`

/** The sum of a formula over the positions of a dim. */
const total = (size: number, of: (i: number) => number): number =>
  Array.from({ length: size }, (_, i) => of(i)).reduce((sum, one) => sum + one, 0)
const largest = (size: number, of: (i: number) => number): number => Math.max(...Array.from({ length: size }, (_, i) => of(i)))
const mean = (size: number, of: (i: number) => number): number => total(size, of) / size

type Stage = (x: Tensor) => AnyTensor
/** Types of ops speak of specs that these laws make up as they go; here only the values matter. */
const stage = (of: unknown): Stage => of as Stage

const unary = (op: unknown, formula: (x: number) => number, range?: readonly [number, number]): Law => ({
  inputs: { x: { dims: tse, ...(range === undefined ? {} : { range }) } },
  apply: ({ x }) => stage(op)(x!),
  result: ({ x }, at) => formula(x!(at)),
  dims: tse,
})
const binary = (op: unknown, formula: (x: number, y: number) => number, range?: readonly [number, number]): readonly Law[] => [
  {
    inputs: { x: { dims: tse, ...(range === undefined ? {} : { range }) }, y: { dims: se, ...(range === undefined ? {} : { range }) } },
    apply: ({ x, y }) => stage((op as (y: AnyTensor) => unknown)(y!))(x!),
    result: ({ x, y }, at) => formula(x!(at), y!(at)),
    dims: tse,
  },
  {
    inputs: {
      x: { dims: `e:${sizes.e}`, ...(range === undefined ? {} : { range }) },
      y: { dims: tse, ...(range === undefined ? {} : { range }) },
    },
    apply: ({ x, y }) => stage((op as (y: AnyTensor) => unknown)(y!))(x!),
    result: ({ x, y }, at) => formula(x!(at), y!(at)),
    dims: tse,
  },
  {
    inputs: { x: { dims: se, ...(range === undefined ? {} : { range }) } },
    apply: ({ x }) => stage((op as (y: number) => unknown)(0.75))(x!),
    result: ({ x }, at) => formula(x!(at), Math.fround(0.75)),
    dims: se,
  },
]
const whole = `v:${sizes.v}`
const softmaxAt = (size: number, of: (i: number) => number, i: number): number => Math.exp(of(i)) / total(size, (j) => Math.exp(of(j)))

const attends = (mask: ((i: At, k: number) => number) | undefined): Law['result'] => ({ q, k, v, m }, at) => {
  const scores = Array.from({ length: sizes.k }, (_, key) => {
    const score = total(3, (d) => q!({ ...at, d }) * k!({ ...at, l: key, d })) / Math.sqrt(3)
    return mask === undefined ? score : m!({ ...at, l: key }) !== 0 ? score : -Infinity
  })
  const weights = scores.map((score) => Math.exp(score - Math.max(...scores)))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.every((weight) => Number.isNaN(weight)) ? 0 : total(sizes.k, (key) => (weights[key]! / sum) * v!({ ...at, l: key }))
}

/** Threefry-2x32 with 20 rounds (Salmon et al. 2011) for a key of one word and a counter of one word, in whole numbers. */
export const threefryInBigInts = (key: number, counter: number): number => {
  const mask = 0xffffffffn
  const word = (value: number): bigint => BigInt(value) & mask
  const keys = [word(key), 0n, word(key) ^ 0x1bd11bdan]
  const rotations = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n]
  let [x, y] = [(word(counter) + keys[0]!) & mask, keys[1]!]
  for (let round = 0; round < 20; round++) {
    x = (x + y) & mask
    const by = rotations[round % 8]!
    y = (((y << by) | (y >> (32n - by))) & mask) ^ x
    if (round % 4 === 3) {
      const injection = (round + 1) / 4
      x = (x + keys[injection % 3]!) & mask
      y = (y + keys[(injection + 1) % 3]! + BigInt(injection)) & mask
    }
  }
  return Number(x)
}
const uniformAt = (seed: number, { t, s, e }: At): number => Math.floor(threefryInBigInts(seed, (t! * 4 + s!) * 6 + e!) / 256) * 2 ** -24

/** The laws of every file in `ops/`, by its name. */
export const laws: Readonly<Record<string, readonly Law[]>> = {
  absolute: [unary(ops.absolute, Math.abs)],
  add: binary(ops.add, (x, y) => x + y),
  subtract: binary(ops.subtract, (x, y) => x - y),
  multiply: binary(ops.multiply, (x, y) => x * y),
  divide: binary(ops.divide, (x, y) => x / y, [0.5, 2]),
  maximum: binary(ops.maximum, Math.max),
  minimum: binary(ops.minimum, Math.min),
  power: binary(ops.power, (x, y) => x ** y, [0.5, 2]),
  compare: [
    ...binary(ops.less, (x, y) => +(x < y)),
    ...binary(ops.lessOrEqual, (x, y) => +(x <= y)),
    ...binary(ops.equal, (x, y) => +(x === y)),
    ...binary(ops.greater, (x, y) => +(x > y)),
    ...binary(ops.greaterOrEqual, (x, y) => +(x >= y)),
  ],
  logic: [
    {
      inputs: { x: { dims: tse, type: 'bool' }, y: { dims: se, type: 'bool' } },
      dims: tse,
      apply: ({ x, y }) => stage(ops.and(y!))(x!),
      result: ({ x, y }, at) => x!(at) * y!(at),
    },
    {
      inputs: { x: { dims: tse, type: 'bool' }, y: { dims: se, type: 'bool' } },
      dims: tse,
      apply: ({ x, y }) => stage(ops.or(y!))(x!),
      result: ({ x, y }, at) => Math.max(x!(at), y!(at)),
    },
    { inputs: { x: { dims: tse, type: 'bool' } }, dims: tse, apply: ({ x }) => stage(ops.not)(x!), result: ({ x }, at) => 1 - x!(at) },
  ],
  where: [{
    inputs: { c: { dims: tse, type: 'bool' }, a: { dims: se }, b: { dims: tse } },
    dims: tse,
    apply: ({ c, a, b }) => stage(ops.where(a!, b!))(c!),
    result: ({ c, a, b }, at) => c!(at) !== 0 ? a!(at) : b!(at),
  }],
  cast: [
    {
      inputs: { x: { dims: tse, range: [-9, 9] } },
      dims: tse,
      apply: ({ x }) => stage(ops.cast('i32'))(x!),
      result: ({ x }, at) => Math.trunc(x!(at)),
    },
    { inputs: { x: { dims: tse, type: 'i32' } }, dims: tse, apply: ({ x }) => stage(ops.cast('f32'))(x!), result: ({ x }, at) => x!(at) },
    {
      inputs: { x: { dims: tse, type: 'i32' } },
      dims: tse,
      apply: ({ x }) => stage(ops.cast('bool'))(x!),
      result: ({ x }, at) => +(x!(at) !== 0),
    },
  ],
  negate: [unary(ops.negate, (x) => -x)],
  exp: [unary(ops.exp, Math.exp)],
  log: [unary(ops.log, Math.log, [0.1, 9])],
  sqrt: [unary(ops.sqrt, Math.sqrt, [0, 9])],
  rsqrt: [unary(ops.rsqrt, (x) => 1 / Math.sqrt(x), [0.1, 9])],
  tanh: [unary(ops.tanh, Math.tanh)],
  sin: [unary(ops.sin, Math.sin, [-20, 20])],
  cos: [unary(ops.cos, Math.cos, [-20, 20])],
  erf: [unary(ops.erf, erf)],
  reciprocal: [unary(ops.reciprocal, (x) => 1 / x, [0.5, 2])],
  square: [unary(ops.square, (x) => x * x)],
  relu: [unary(ops.relu, (x) => x > 0 ? x : 0)],
  sigmoid: [unary(ops.sigmoid, (x) => 1 / (1 + Math.exp(-x)))],
  silu: [unary(ops.silu, (x) => x / (1 + Math.exp(-x)))],
  gelu: [
    unary(ops.gelu, (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
    unary(ops.geluErf, (x) => 0.5 * x * (1 + erf(x / Math.SQRT2))),
  ],
  sum: [
    {
      inputs: { x: { dims: tse } },
      dims: `t:5 e:6`,
      apply: ({ x }) => stage(ops.sum('s'))(x!),
      result: ({ x }, at) => total(4, (s) => x!({ ...at, s })),
    },
    {
      inputs: { x: { dims: tse } },
      dims: `s:4`,
      apply: ({ x }) => stage(ops.sum('t e'))(x!),
      result: ({ x }, at) => total(5, (t) => total(6, (e) => x!({ ...at, t, e }))),
    },
  ],
  mean: [{
    inputs: { x: { dims: tse } },
    dims: 's:4 e:6',
    apply: ({ x }) => stage(ops.mean('t'))(x!),
    result: ({ x }, at) => mean(5, (t) => x!({ ...at, t })),
  }],
  max: [{
    inputs: { x: { dims: tse } },
    dims: 't:5 e:6',
    apply: ({ x }) => stage(ops.max('s'))(x!),
    result: ({ x }, at) => largest(4, (s) => x!({ ...at, s })),
  }],
  min: [{
    inputs: { x: { dims: tse } },
    dims: 's:4 e:6',
    apply: ({ x }) => stage(ops.min('t'))(x!),
    result: ({ x }, at) => -largest(5, (t) => -x!({ ...at, t })),
  }],
  variance: [{
    inputs: { x: { dims: tse } },
    dims: 't:5 s:4',
    apply: ({ x }) => stage(ops.variance('e'))(x!),
    result: ({ x }, at) => mean(6, (e) => (x!({ ...at, e }) - mean(6, (j) => x!({ ...at, e: j }))) ** 2),
  }],
  softmax: [
    {
      inputs: { x: { dims: tse } },
      dims: tse,
      apply: ({ x }) => stage(ops.softmax('s'))(x!),
      result: ({ x }, at) => softmaxAt(4, (s) => x!({ ...at, s }), at['s']!),
    },
    {
      inputs: { x: { dims: tse } },
      dims: tse,
      apply: ({ x }) => stage(ops.softmax('e'))(x!),
      result: ({ x }, at) => softmaxAt(6, (e) => x!({ ...at, e }), at['e']!),
    },
  ],
  logSumExp: [{
    inputs: { x: { dims: tse } },
    dims: 's:4 e:6',
    apply: ({ x }) => stage(ops.logSumExp('t'))(x!),
    result: ({ x }, at) => Math.log(total(5, (t) => Math.exp(x!({ ...at, t })))),
  }],
  layerNorm: [
    {
      inputs: { x: { dims: tse } },
      dims: tse,
      apply: ({ x }) => stage(ops.layerNorm('e'))(x!),
      result: ({ x }, at) => normed(x!, at, 1e-6),
    },
    {
      inputs: { x: { dims: tse }, scale: { dims: 'e:6' }, shift: { dims: 't:5 e:6' } },
      dims: tse,
      apply: ({ x, scale, shift }) => stage(ops.layerNorm('e', { scale: scale!, shift: shift!, epsilon: 1e-3 }))(x!),
      result: ({ x, scale, shift }, at) => normed(x!, at, 1e-3) * scale!(at) + shift!(at),
    },
  ],
  rmsNorm: [
    {
      inputs: { x: { dims: tse } },
      dims: tse,
      apply: ({ x }) => stage(ops.rmsNorm('e'))(x!),
      result: ({ x }, at) => x!(at) / Math.sqrt(mean(6, (e) => x!({ ...at, e }) ** 2) + 1e-6),
    },
    {
      inputs: { x: { dims: tse }, scale: { dims: 'e:6' } },
      dims: tse,
      apply: ({ x, scale }) => stage(ops.rmsNorm('e', { scale: scale! }))(x!),
      result: ({ x, scale }, at) => scale!(at) * x!(at) / Math.sqrt(mean(6, (e) => x!({ ...at, e }) ** 2) + 1e-6),
    },
  ],
  contract: [
    {
      inputs: { x: { dims: tse }, w: { dims: 'e:6 f:3' } },
      dims: 't:5 s:4 f:3',
      apply: ({ x, w }) => stage(ops.contract(w!, 'e'))(x!),
      result: ({ x, w }, at) => total(6, (e) => x!({ ...at, e }) * w!({ ...at, e })),
    },
    {
      inputs: { x: { dims: tse }, w: { dims: 't:5 f:3 e:6' } },
      dims: 't:5 s:4 f:3',
      apply: ({ x, w }) => stage(ops.contract(w!, 'e'))(x!),
      result: ({ x, w }, at) => total(6, (e) => x!({ ...at, e }) * w!({ ...at, e })),
    },
    {
      inputs: { x: { dims: tse }, w: { dims: 's:4 e:6 f:3' } },
      dims: 't:5 f:3',
      apply: ({ x, w }) => stage(ops.contract(w!, 's e'))(x!),
      result: ({ x, w }, at) => total(4, (s) => total(6, (e) => x!({ ...at, s, e }) * w!({ ...at, s, e }))),
    },
  ],
  linear: [
    {
      inputs: { x: { dims: tse }, w: { dims: 'f:3 e:6' } },
      dims: 't:5 s:4 f:3',
      apply: ({ x, w }) => stage(ops.linear(w!, 'e'))(x!),
      result: ({ x, w }, at) => total(6, (e) => x!({ ...at, e }) * w!({ ...at, e })),
    },
    {
      inputs: { x: { dims: tse }, w: { dims: 'f:3 e:6' }, b: { dims: 'f:3' } },
      dims: 't:5 s:4 f:3',
      apply: ({ x, w, b }) => stage(ops.linear({ weight: w!, bias: b! }, 'e'))(x!),
      result: ({ x, w, b }, at) => b!(at) + total(6, (e) => x!({ ...at, e }) * w!({ ...at, e })),
    },
  ],
  attention: [
    {
      inputs: { q: { dims: 's:4 h:2 d:3' }, k: { dims: 's:4 h:2 d:3' }, v: { dims: 's:4 h:2 d:3' } },
      dims: 's:4 h:2 d:3',
      apply: ({ q, k, v }) => stage(ops.attention({ over: 's', features: 'd', heads: 'h' })(k!, v!))(q!),
      result: ({ q, k, v }, at) =>
        total(
          4,
          (key) => softmaxAt(4, (s) => total(3, (d) => q!({ ...at, d }) * k!({ ...at, s, d })) / Math.sqrt(3), key) * v!({ ...at, s: key }),
        ),
    },
    {
      inputs: { q: { dims: 't:5 s:3 h:2 d:3' }, k: { dims: `l:${sizes.k} h:2 d:3` }, v: { dims: `l:${sizes.k} h:2 d:3` } },
      dims: 't:5 s:3 h:2 d:3',
      apply: ({ q, k, v }) => stage(ops.attention({ over: 'l', features: 'd' })(k!, v!))(q!),
      result: attends(undefined),
    },
    {
      inputs: {
        q: { dims: 't:5 h:2 d:3' },
        k: { dims: `l:${sizes.k} h:2 d:3` },
        v: { dims: `l:${sizes.k} h:2 d:3` },
        m: { dims: `t:5 l:${sizes.k}`, type: 'bool' },
      },
      dims: 't:5 h:2 d:3',
      apply: ({ q, k, v, m }) => stage(ops.attention({ over: 'l', features: 'd', mask: m! })(k!, v!))(q!),
      result: attends(() => 0),
    },
  ],
  selfAttention: [{
    inputs: { x: { dims: 't:5 s:4 part:3 d:3' } },
    dims: 't:5 s:4 d:3',
    apply: ({ x }) => stage(ops.selfAttention({ parts: 'part', over: 's', features: 'd' }))(x!),
    result: ({ x }, at) =>
      total(
        4,
        (key) =>
          softmaxAt(4, (s) => total(3, (d) => x!({ ...at, part: 0, d }) * x!({ ...at, part: 1, s, d })) / Math.sqrt(3), key) *
          x!({ ...at, part: 2, s: key }),
      ),
  }],
  split: [{
    inputs: { x: { dims: 't:5 e:12' } },
    dims: 't:5 h:6 d:2',
    apply: ({ x }) => stage(ops.split('e', 'h:6 d:2'))(x!),
    result: ({ x }, at) => x!({ ...at, e: 2 * at['h']! + at['d']! }),
  }],
  merge: [
    {
      inputs: { x: { dims: 't:5 h:6 d:2' } },
      dims: 't:5 e:12',
      apply: ({ x }) => stage(ops.merge('h d', 'e'))(x!),
      result: ({ x }, at) => x!({ ...at, h: Math.floor(at['e']! / 2), d: at['e']! % 2 }),
    },
    {
      inputs: { x: { dims: 'd:2 t:5 h:6' } },
      dims: 't:5 e:12',
      apply: ({ x }) => stage(ops.merge('h d', 'e'))(x!),
      result: ({ x }, at) => x!({ ...at, h: Math.floor(at['e']! / 2), d: at['e']! % 2 }),
    },
  ],
  rename: [{
    inputs: { x: { dims: tse } },
    dims: 't:5 u:4 e:6',
    apply: ({ x }) => stage(ops.rename('s', 'u'))(x!),
    result: ({ x }, at) => x!({ ...at, s: at['u']! }),
  }],
  reorder: [{
    inputs: { x: { dims: tse } },
    dims: 'e:6 t:5 s:4',
    apply: ({ x }) => stage(ops.reorder('e t s'))(x!),
    result: ({ x }, at) => x!(at),
  }],
  slice: [{
    inputs: { x: { dims: tse } },
    dims: 't:3 s:4 e:6',
    apply: ({ x }) => stage(ops.slice('t', { from: 1, count: 3 }))(x!),
    result: ({ x }, at) => x!({ ...at, t: at['t']! + 1 }),
  }],
  select: [
    {
      inputs: { x: { dims: tse } },
      dims: 't:5 e:6',
      apply: ({ x }) => stage(ops.select('s', 2))(x!),
      result: ({ x }, at) => x!({ ...at, s: 2 }),
    },
    {
      inputs: { x: { dims: tse } },
      dims: 't:5 e:6',
      apply: ({ x }) => (stage(ops.unstack('s'))(x!) as unknown as readonly AnyTensor[])[3]!,
      result: ({ x }, at) => x!({ ...at, s: 3 }),
    },
  ],
  repeat: [{
    inputs: { x: { dims: se } },
    dims: `n:5 ${se}`,
    apply: ({ x }) => stage(ops.repeat('n:5'))(x!),
    result: ({ x }, at) => x!(at),
  }],
  pad: [{
    inputs: { x: { dims: tse } },
    dims: 't:8 s:4 e:6',
    apply: ({ x }) => stage(ops.pad('t', { before: 1, after: 2, value: 7 }))(x!),
    result: ({ x }, at) => at['t']! >= 1 && at['t']! < 6 ? x!({ ...at, t: at['t']! - 1 }) : 7,
  }],
  concat: [{
    inputs: { x: { dims: tse }, y: { dims: 's:4 t:2 e:6' } },
    dims: 't:7 s:4 e:6',
    apply: ({ x, y }) => stage(ops.concat('t', y!))(x!),
    result: ({ x, y }, at) => at['t']! < 5 ? x!(at) : y!({ ...at, t: at['t']! - 5 }),
  }],
  gather: [
    {
      inputs: { x: { dims: `${whole} e:6` }, ids: { dims: 'n:5', type: 'i32', range: [0, 6] } },
      dims: 'n:5 e:6',
      apply: ({ x, ids }) => stage(ops.gather('v', ids!))(x!),
      result: ({ x, ids }, at) => x!({ ...at, v: ids!(at) }),
    },
    {
      inputs: { x: { dims: `s:4 ${whole} e:6` }, ids: { dims: 's:4 n:5', type: 'i32', range: [0, 6] } },
      dims: 's:4 n:5 e:6',
      apply: ({ x, ids }) => stage(ops.gather('v', ids!))(x!),
      result: ({ x, ids }, at) => x!({ ...at, v: ids!(at) }),
    },
  ],
  constant: [
    {
      inputs: { x: { dims: tse } },
      dims: tse,
      apply: ({ x }) => stage(ops.add(ops.fill(se, 1.5)))(x!),
      result: ({ x }, at) => x!(at) + 1.5,
    },
    {
      inputs: { x: { dims: tse } },
      dims: tse,
      apply: ({ x }) => stage(ops.multiply(stage(ops.cast('f32'))(ops.iota(se, 's') as unknown as Tensor)))(x!),
      result: ({ x }, at) => x!(at) * at['s']!,
    },
    {
      inputs: { x: { dims: tse } },
      dims: tse,
      apply: ({ x }) => stage(ops.add(stage(ops.subtract(ops.ones(se)))(ops.zeros(se))))(x!),
      result: ({ x }, at) => x!(at) - 1,
    },
  ],
  random: [
    {
      inputs: { x: { dims: tse } },
      dims: tse,
      apply: ({ x }) => stage(ops.add(ops.uniform(tse, { seed: 3 })))(x!),
      result: ({ x }, at) => x!(at) + uniformAt(3, at),
    },
    {
      inputs: { x: { dims: tse } },
      dims: tse,
      apply: ({ x }) => stage(ops.add(ops.normal(tse, { seed: 4 })))(x!),
      result: ({ x }, at) =>
        x!(at) + Math.sqrt(-2 * Math.log(1 - uniformAt(4, at))) * Math.cos(2 * Math.PI * uniformAt(4 ^ 0x5851f42d, at)),
    },
  ],
}
const normed = (x: Field, at: At, epsilon: number): number => {
  const middle = mean(6, (e) => x({ ...at, e }))
  return (x(at) - middle) / Math.sqrt(mean(6, (e) => (x({ ...at, e }) - middle) ** 2) + epsilon)
}
