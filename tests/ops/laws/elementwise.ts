import { erf } from '#lib/kernel/error-function.ts'
import type { AnyTensor } from '#lib/mod.ts'
import * as ops from '#ops/mod.ts'
import { type Law, type LawInput, type Laws, type Sizes, specs, stage } from '../law.ts'

/** Functions of one, two or three elements. */
export const elementwise = (sizes: Sizes): Laws => {
  const spec = specs(sizes)
  const [tse, se] = [spec('t s e'), spec('s e')]
  const ranged = (dims: string, range?: LawInput['range']): LawInput => range === undefined ? { dims } : { dims, range }

  const unary = (op: unknown, formula: (x: number) => number, range?: LawInput['range']): Law => ({
    inputs: { x: ranged(tse, range) },
    apply: ({ x }) => stage(op)(x!),
    result: ({ x }, at) => formula(x!(at)),
    dims: tse,
  })
  const binary = (op: unknown, formula: (x: number, y: number) => number, range?: LawInput['range']): readonly Law[] => [
    ...[[tse, se], [spec('e'), tse]].map(([x, y]): Law => ({
      inputs: { x: ranged(x!, range), y: ranged(y!, range) },
      apply: ({ x, y }) => stage((op as (y: AnyTensor) => unknown)(y!))(x!),
      result: ({ x, y }, at) => formula(x!(at), y!(at)),
      dims: tse,
    })),
    {
      inputs: { x: ranged(se, range) },
      apply: ({ x }) => stage((op as (y: number) => unknown)(0.75))(x!),
      result: ({ x }, at) => formula(x!(at), Math.fround(0.75)),
      dims: se,
    },
  ]
  const comparison = (op: unknown, formula: (x: number, y: number) => boolean): readonly Law[] =>
    [
      ...binary(op, (x, y) => +formula(x, y)),
      {
        inputs: { x: { dims: tse, type: 'i32' }, y: { dims: se, type: 'i32' } },
        apply: ({ x, y }: { [name: string]: AnyTensor }) => stage((op as (y: AnyTensor) => unknown)(y!))(x as never),
        result: ({ x, y }, at) => +formula(x!(at), y!(at)),
        dims: tse,
      } satisfies Law,
    ].map((law) => ({ ...law, flat: 'the result is bool' }))
  const logical = (op: unknown, formula: (x: number, y: number) => number): Law => ({
    inputs: { x: { dims: tse, type: 'bool' }, y: { dims: se, type: 'bool' } },
    dims: tse,
    apply: ({ x, y }) => stage((op as (y: AnyTensor) => unknown)(y!))(x!),
    result: ({ x, y }, at) => formula(x!(at), y!(at)),
    flat: 'truths have no gradient',
  })

  return {
    absolute: [unary(ops.absolute, Math.abs)],
    add: binary(ops.add, (x, y) => x + y),
    subtract: binary(ops.subtract, (x, y) => x - y),
    multiply: binary(ops.multiply, (x, y) => x * y),
    divide: binary(ops.divide, (x, y) => x / y, [0.5, 2]),
    maximum: binary(ops.maximum, Math.max),
    minimum: binary(ops.minimum, Math.min),
    power: binary(ops.power, (x, y) => x ** y, [0.5, 2]),
    compare: [
      ...comparison(ops.less, (x, y) => x < y),
      ...comparison(ops.lessOrEqual, (x, y) => x <= y),
      ...comparison(ops.equal, (x, y) => x === y),
      ...comparison(ops.greater, (x, y) => x > y),
      ...comparison(ops.greaterOrEqual, (x, y) => x >= y),
    ],
    logic: [
      logical(ops.and, (x, y) => x * y),
      logical(ops.or, Math.max),
      {
        inputs: { x: { dims: tse, type: 'bool' } },
        dims: tse,
        apply: ({ x }) => stage(ops.not)(x!),
        result: ({ x }, at) => 1 - x!(at),
        flat: 'truths have no gradient',
      },
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
        flat: 'the result goes in steps',
      },
      {
        inputs: { x: { dims: tse, type: 'i32' } },
        dims: tse,
        apply: ({ x }) => stage(ops.cast('f32'))(x!),
        result: ({ x }, at) => x!(at),
        flat: 'whole numbers have no gradient',
      },
      { inputs: { x: { dims: tse } }, dims: tse, apply: ({ x }) => stage(ops.cast('f32'))(x!), result: ({ x }, at) => x!(at) },
      {
        inputs: { x: { dims: tse, type: 'i32' } },
        dims: tse,
        apply: ({ x }) => stage(ops.cast('bool'))(x!),
        result: ({ x }, at) => +(x!(at) !== 0),
        flat: 'the result is bool',
      },
    ],
    stopGradient: [{ ...unary(ops.stopGradient, (x) => x), flat: 'this is what it is for' }],
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
    softplus: [unary(ops.softplus, (x) => Math.log(1 + Math.exp(x)), [-9, 9])],
    logSigmoid: [unary(ops.logSigmoid, (x) => -Math.log(1 + Math.exp(-x)), [-9, 9])],
    silu: [unary(ops.silu, (x) => x / (1 + Math.exp(-x)))],
    gelu: [
      unary(ops.gelu, (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
      unary(ops.geluErf, (x) => 0.5 * x * (1 + erf(x / Math.SQRT2))),
    ],
  }
}
