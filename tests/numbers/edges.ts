import type { DType } from '#lib/dtype.ts'
import { type AnyTensor, grad } from '#lib/mod.ts'
import * as ops from '#ops/mod.ts'
import { stage } from '../ops/law.ts'

/**
 * The rules for edges as data: what ops give where arithmetic ends, the same on every backend. The rule is NumPy's and JAX's,
 * and where these two differ JAX's on a CPU. One test runs all of it, and `docs/numbers.md` shows it.
 */
export interface EdgeGroup {
  readonly op: string
  /** The types of the operands. */
  readonly of: readonly DType[]
  readonly apply: (operands: readonly AnyTensor[]) => AnyTensor
  /** Operands and the result: numbers, or rows of numbers that are folded together. */
  readonly cases: readonly Case[]
  /** One operand more that all cases meet, along a dim of its own. */
  readonly table?: readonly number[]
}
export type Entry = number | readonly number[]
export type Case = readonly [...given: Entry[], result: Entry | Either]

/** A result that may be either: an adapter may take subnormal operands for 0. */
export interface Either {
  readonly either: readonly number[]
}

const unary = (op: string, apply: unknown, cases: readonly Case[], of: DType = 'f32'): EdgeGroup => ({
  op,
  of: [of],
  apply: ([x]) => stage(apply)(x as never),
  cases,
})
const binary = (op: string, apply: (y: AnyTensor) => unknown, cases: readonly Case[], of: DType = 'f32'): EdgeGroup => ({
  op,
  of: [of, of],
  apply: ([x, y]) => stage(apply(y!))(x as never),
  cases,
})
const fold = (op: string, apply: unknown, cases: readonly Case[]): EdgeGroup => unary(op, apply, cases)

/** The gradient of the sum of all results. */
const gradient = (op: string, apply: unknown, cases: readonly Case[]): EdgeGroup => ({
  op: `gradient of ${op}`,
  of: ['f32'],
  apply: ([x]) => grad((z: AnyTensor) => stage(ops.sum('n'))(stage(apply)(z as never) as never))(x as never),
  cases,
})
const gradients = (op: string, apply: (y: AnyTensor) => unknown, by: 0 | 1, cases: readonly Case[]): EdgeGroup => ({
  op: `gradient of ${op} by its ${by === 0 ? 'left' : 'right'} operand`,
  of: ['f32', 'f32'],
  apply: (operands) =>
    grad((z: AnyTensor) => {
      const [x, y] = by === 0 ? [z, operands[1]!] : [operands[0]!, z]
      return stage(ops.sum('n'))(stage(apply(y))(x as never) as never)
    })(operands[by] as never),
  cases,
})

const [nan, inf, tiny, huge] = [NaN, Infinity, 2 ** -132, 3e38]
const [least, most] = [-2147483648, 2147483647]

const arithmetic: readonly EdgeGroup[] = [
  binary('add', ops.add, [[inf, -inf, nan], [huge, huge, inf], [-huge, -huge, -inf], [-0, -0, -0], [-0, 0, 0], [nan, 1, nan]]),
  binary('add', ops.add, [[most, 1, least], [least, -1, most]], 'i32'),
  binary('subtract', ops.subtract, [[inf, inf, nan], [-huge, huge, -inf], [0, 0, 0], [-0, 0, -0]]),
  binary('subtract', ops.subtract, [[least, 1, most], [0, least, least]], 'i32'),
  binary('multiply', ops.multiply, [
    [inf, 0, nan],
    [-inf, 2, -inf],
    [1e20, 1e20, inf],
    [1e-30, 1e-30, 0],
    [-1e-30, 1e-30, -0],
    [-0, 3, -0],
    [tiny, 2 ** 100, { either: [2 ** -32, 0] }],
  ]),
  binary('multiply', ops.multiply, [[65536, 65536, 0], [most, most, 1], [least, -1, least], [100000, 100000, 1410065408]], 'i32'),
  binary('divide', ops.divide, [
    [1, 0, inf],
    [1, -0, -inf],
    [-1, 0, -inf],
    [0, 0, nan],
    [-0, 0, nan],
    [inf, inf, nan],
    [inf, -inf, nan],
    [1, inf, 0],
    [-1, inf, -0],
    [inf, 0, inf],
    [inf, 2, inf],
    [0, inf, 0],
    [0, -5, -0],
    [nan, 1, nan],
    [1, nan, nan],
    [nan, 0, nan],
    [huge, huge, 1],
    [1e38, 2e38, 0.5],
    [2e38, 1e-38, inf],
    [2 ** -100, tiny, { either: [2 ** 32, inf] }],
    [2e-38, 2e-38, 1],
    [tiny, tiny, { either: [1, 0, nan] }],
    [1, huge, 1 / huge],
    [1, tiny, inf],
    [1e20, 1e-20, inf],
  ]),
  binary('divide', ops.divide, [
    [7, 0, -1],
    [-7, 0, -1],
    [0, 0, -1],
    [least, 0, -1],
    [least, -1, least],
    [7, 2, 3],
    [-7, 2, -3],
    [7, -2, -3],
    [-7, -2, 3],
    [most, -1, -most],
    [least, least, 1],
  ], 'i32'),
  unary('negate', ops.negate, [[0, -0], [-0, 0], [nan, nan], [inf, -inf], [tiny, -tiny]]),
  unary('absolute', ops.absolute, [[-0, 0], [-inf, inf], [nan, nan], [-tiny, tiny], [-huge, huge]]),
  unary('square', ops.square, [[1e20, inf], [-inf, inf], [1e-30, 0], [-0, 0], [nan, nan]]),
  unary('reciprocal', ops.reciprocal, [[0, inf], [-0, -inf], [inf, 0], [-inf, -0], [nan, nan], [huge, 1 / huge], [tiny, inf]]),
]

const comparing: readonly EdgeGroup[] = [
  binary('maximum', ops.maximum, [[nan, 1, nan], [1, nan, nan], [-0, 0, 0], [0, -0, 0], [-inf, -huge, -huge], [inf, nan, nan], [
    tiny,
    0,
    tiny,
  ]]),
  binary('minimum', ops.minimum, [[nan, 1, nan], [1, nan, nan], [-0, 0, -0], [0, -0, -0], [inf, huge, huge], [-inf, nan, nan], [
    -tiny,
    0,
    -tiny,
  ]]),
  unary('relu', ops.relu, [[nan, nan], [-0, 0], [-inf, 0], [inf, inf], [tiny, tiny]]),
  binary('less', ops.less, [[nan, 1, 0], [1, nan, 0], [nan, nan, 0], [-0, 0, 0], [-inf, inf, 1], [0, tiny, 1], [-tiny, 0, 1], [
    1e-45,
    3e-45,
    1,
  ], [inf, inf, 0]]),
  binary('lessOrEqual', ops.lessOrEqual, [[nan, nan, 0], [0, -0, 1], [inf, inf, 1], [tiny, 0, 0], [tiny, tiny, 1], [-inf, nan, 0]]),
  binary('equal', ops.equal, [[nan, nan, 0], [-0, 0, 1], [inf, inf, 1], [inf, -inf, 0], [tiny, 0, 0], [1e-45, 1e-45, 1], [
    1e-45,
    3e-45,
    0,
  ]]),
  binary('greater', ops.greater, [[nan, 1, 0], [inf, nan, 0], [0, -0, 0], [tiny, 0, 1], [inf, huge, 1]]),
  binary('greaterOrEqual', ops.greaterOrEqual, [[nan, nan, 0], [-0, 0, 1], [0, tiny, 0], [-inf, -inf, 1]]),
  binary('less', ops.less, [[least, most, 1], [most, least, 0], [least, least, 0]], 'i32'),
  binary('equal', ops.equal, [[16777217, 16777216, 0], [least, least, 1]], 'i32'),
  binary('equal', ops.equal, [[2, 1, 1], [-1, 2, 1], [0, 2, 0]], 'bool'),
]

const conversions: readonly EdgeGroup[] = [
  unary('cast to i32', ops.cast('i32'), [
    [3e9, most],
    [-3e9, least],
    [inf, most],
    [-inf, least],
    [nan, 0],
    [2147483520, 2147483520],
    [-2147483648, least],
    [2.9, 2],
    [-2.9, -2],
    [-0.5, 0],
    [tiny, 0],
  ]),
  unary('cast to f32', ops.cast('f32'), [[16777217, 16777216], [16777219, 16777220], [most, 2147483648], [least, -2147483648]], 'i32'),
  unary('cast to bool', ops.cast('bool'), [[nan, 1], [-0, 0], [0, 0], [1e-45, 1], [-inf, 1], [0.5, 1]]),
  unary('cast to bool', ops.cast('bool'), [[least, 1], [0, 0], [2, 1]], 'i32'),
  unary('cast to f32', ops.cast('f32'), [[2, 1], [-1, 1], [0, 0]], 'bool'),
  unary('cast to i32', ops.cast('i32'), [[2, 1], [-1, 1], [0, 0]], 'bool'),
  unary('reorder', ops.reorder('n'), [[2, 1], [-1, 1], [0, 0]], 'bool'),
  unary('not', ops.not, [[2, 0], [-1, 0], [0, 1]], 'bool'),
  binary('and', ops.and, [[2, 1, 1], [2, -1, 1], [2, 0, 0]], 'bool'),
  binary('or', ops.or, [[2, 0, 1], [0, 0, 0], [-1, 2, 1]], 'bool'),
  {
    op: 'where',
    of: ['bool', 'f32', 'f32'],
    apply: ([c, x, y]) => stage(ops.where(x!, y!))(c as never),
    cases: [[1, 1, nan, 1], [0, nan, 2, 2], [2, 3, 4, 3], [-1, inf, 0, inf], [0, 1, -0, -0], [1, nan, 0, nan]],
  },
]

const functions: readonly EdgeGroup[] = [
  unary('exp', ops.exp, [[inf, inf], [-inf, 0], [nan, nan], [-0, 1], [89, inf], [88.7, Math.exp(Math.fround(88.7))], [-120, 0], [
    -87,
    Math.exp(-87),
  ], [tiny, 1]]),
  unary('log', ops.log, [
    [0, -inf],
    [-0, -inf],
    [-1, nan],
    [-tiny, nan],
    [-inf, nan],
    [inf, inf],
    [nan, nan],
    [1, 0],
    [tiny, -132 * Math.LN2],
    [1e-45, -103.27893],
    [1e-38, Math.log(1e-38)],
    [huge, Math.log(huge)],
  ]),
  unary('sqrt', ops.sqrt, [[-0, -0], [0, 0], [-1, nan], [-tiny, nan], [-inf, nan], [inf, inf], [nan, nan], [tiny, 2 ** -66], [
    huge,
    Math.sqrt(huge),
  ]]),
  unary('rsqrt', ops.rsqrt, [[0, inf], [-0, -inf], [-1, nan], [-inf, nan], [inf, 0], [nan, nan], [tiny, 2 ** 66], [
    huge,
    1 / Math.sqrt(huge),
  ]]),
  unary('sin', ops.sin, [[-0, -0], [inf, nan], [-inf, nan], [nan, nan], [1e6, -0.34999350217], [tiny, tiny], [
    1e30,
    Math.sin(Math.fround(1e30)),
  ]]),
  unary('cos', ops.cos, [[-0, 1], [inf, nan], [nan, nan], [1e6, 0.93675212753], [tiny, 1], [huge, Math.cos(Math.fround(huge))]]),
  unary('tanh', ops.tanh, [[inf, 1], [-inf, -1], [nan, nan], [-0, -0], [100, 1], [tiny, tiny]]),
  unary('erf', ops.erf, [[inf, 1], [-inf, -1], [nan, nan], [-0, -0], [10, 1], [1e-30, 1e-30 * 2 / Math.sqrt(Math.PI)]]),
  unary('softplus', ops.softplus, [[inf, inf], [-inf, 0], [nan, nan], [-20, Math.log1p(Math.exp(-20))], [200, 200], [-200, 0], [
    0,
    Math.LN2,
  ]]),
  unary('logSigmoid', ops.logSigmoid, [[inf, 0], [-inf, -inf], [nan, nan], [-88, -88], [-1e30, -1e30], [20, -Math.log1p(Math.exp(-20))]]),
  unary('sigmoid', ops.sigmoid, [[inf, 1], [-inf, 0], [nan, nan], [-200, 0], [200, 1], [-80, 1 / (1 + Math.exp(80))]]),
  unary('silu', ops.silu, [[inf, inf], [-inf, nan], [nan, nan], [-1e20, -0], [1e20, 1e20], [-0, -0]]),
  unary('gelu', ops.gelu, [[inf, inf], [-inf, nan], [nan, nan], [-1e20, -0], [1e20, 1e20]]),
  unary('geluErf', ops.geluErf, [[inf, inf], [-inf, nan], [nan, nan], [-1e20, -0], [1e20, 1e20]]),
  binary('power', ops.power, [
    [0, 0, 1],
    [nan, 0, 1],
    [inf, -0, 1],
    [1, nan, 1],
    [1, inf, 1],
    [-1, inf, 1],
    [-1, -inf, 1],
    [nan, 1, nan],
    [2, nan, nan],
    [-8, 1 / 3, nan],
    [-2, 3, -8],
    [-2, -3, -0.125],
    [-2, 2, 4],
    [0, -1, inf],
    [-0, -1, -inf],
    [-0, -2, inf],
    [-0, -0.5, inf],
    [0, 3, 0],
    [-0, 3, -0],
    [-0, 2, 0],
    [0, inf, 0],
    [0, -inf, inf],
    [0.5, inf, 0],
    [0.5, -inf, inf],
    [2, inf, inf],
    [2, -inf, 0],
    [-3, inf, inf],
    [inf, -1, 0],
    [inf, 0.5, inf],
    [-inf, -3, -0],
    [-inf, 3, -inf],
    [-inf, 2, inf],
    [-inf, 0.5, inf],
    [10, 39, inf],
    [10, -50, 0],
    [-10, 39, -inf],
    [0.9, 800, Math.pow(Math.fround(0.9), 800)],
    [tiny, 0.5, 2 ** -66],
    [2, tiny, 1],
    [-1, 16777217, 1],
    [-1, 8388609, -1],
    [-2, 1e10, inf],
  ]),
]

/** Rows of factors and their scalar products. */
const products: readonly Case[] = [
  [[1, nan, 2], [1, 0, 1], nan],
  [[inf, 0, 0], [0, 1, 1], nan],
  [[inf, -inf, 0], [1, 1, 1], nan],
  [[inf, 1, 1], [1, 1, 1], inf],
  [[huge, huge, 0], [1, 1, 1], inf],
  [[1e20, 1, 1], [1e20, 0, 0], inf],
  [[1, 2, 3], [1, 1, 1], 6],
]

const rows: readonly EdgeGroup[] = [
  fold('sum', ops.sum('e'), [[[1, nan, 2], nan], [[inf, -inf, 0], nan], [[inf, 1, 2], inf], [[huge, huge, 0], inf], [[-0, -0, -0], {
    either: [0, -0],
  }], [[
    1,
    2,
    3,
  ], 6]]),
  fold('mean', ops.mean('e'), [[[1, nan, 2], nan], [[inf, 1, 2], inf], [[inf, -inf, 0], nan], [[huge, huge, huge], inf]]),
  fold('max', ops.max('e'), [[[1, nan, 2], nan], [[nan, inf, 0], nan], [[-inf, -inf, -inf], -inf], [[-0, 0, -0], 0], [[-0, -0, -0], -0], [[
    -tiny,
    -1,
    -tiny,
  ], -tiny]]),
  fold('min', ops.min('e'), [[[1, nan, 2], nan], [[inf, inf, inf], inf], [[-0, 0, 0], -0], [[0, 0, 0], 0], [[tiny, 1, tiny], tiny]]),
  fold('logSumExp', ops.logSumExp('e'), [
    [[-inf, -inf, -inf], -inf],
    [[inf, 0, 0], inf],
    [[inf, -inf, inf], inf],
    [[1, nan, 2], nan],
    [[-inf, 0, -inf], 0],
    [[huge, -huge, 0], huge],
  ]),
  fold('logSoftmax', ops.logSoftmax('e'), [
    [[0, -100, -200], [0, -100, -200]],
    [[-inf, 0, -inf], [-inf, 0, -inf]],
    [[-inf, -inf, -inf], [nan, nan, nan]],
    [[1, nan, 2], [nan, nan, nan]],
    [[huge, 0, 0], [0, -huge, -huge]],
  ]),
  fold('softmax', ops.softmax('e'), [
    [[1, nan, 2], [nan, nan, nan]],
    [[inf, 0, 0], [nan, nan, nan]],
    [[-inf, -inf, -inf], [nan, nan, nan]],
    [[-inf, 0, 0], [0, 0.5, 0.5]],
    [[huge, -huge, huge], [0.5, 0, 0.5]],
    [[0, -200, 0], [0.5, 0, 0.5]],
  ]),
]

const sums: readonly EdgeGroup[] = [
  fold('variance', ops.variance('e'), [[[1, nan, 2], nan], [[inf, 1, 2], nan], [[5, 5, 5], 0], [[huge, huge, huge], inf]]),
  fold('layerNorm', ops.layerNorm('e'), [[[1, nan, 2], [nan, nan, nan]], [[inf, 1, 2], [nan, nan, nan]], [[5, 5, 5], [0, 0, 0]]]),
  fold('rmsNorm', ops.rmsNorm('e'), [[[1, nan, 2], [nan, nan, nan]], [[inf, 1, 2], [nan, 0, 0]], [[0, -0, 0], [0, -0, 0]]]),
  ...[binary('contract', (y) => ops.contract(y, 'e'), products), binary('linear', (y) => ops.linear(y, 'e'), products)],
]

/** Two ways there and back again, or one that changes nothing: elements are as they were, to the bit. */
const move = (op: string, ...stages: readonly unknown[]): EdgeGroup =>
  fold(
    op,
    (x: AnyTensor) => stages.reduce<AnyTensor>((y, one) => stage(one)(y as never), x),
    [[nan, inf, -0], [-inf, tiny, huge], [0, -tiny, -huge]].map((row): Case => [row, row]),
  )

const moves: readonly EdgeGroup[] = [
  move('split and merge', ops.split('e', 'f:3 g:1'), ops.merge('f g', 'e')),
  move('rename', ops.rename('e', 'f'), ops.rename('f', 'e')),
  move('reorder', ops.reorder('e n'), ops.reorder('n e')),
  move('repeat and select', ops.repeat('r:2'), ops.select('r', 1)),
  move('pad and slice', ops.pad('e', { before: 1, after: 1, value: 7 }), ops.slice('e', { from: 1, count: 3 })),
  move('concat', (x: AnyTensor) => stage(ops.concat('e', x))(x as never), ops.slice('e', { from: 3, count: 3 })),
  move('stopGradient', ops.stopGradient),
  move('dropout of rate 0', ops.dropout({ rate: 0, seed: 1 })),
]

const lookups: readonly EdgeGroup[] = [
  {
    op: 'gather from (10, 20, 30)',
    of: ['i32'],
    table: [10, 20, 30],
    apply: ([ids, table]) => stage(ops.gather('v', ids!))(table as never),
    cases: [[0, 10], [2, 30], [3, nan], [-1, nan], [least, nan], [most, nan]],
  },
]

const derivatives: readonly EdgeGroup[] = [
  gradient('absolute', ops.absolute, [[0, 0], [-0, -0], [-2, -1], [inf, 1], [-tiny, -1], [nan, nan]]),
  gradient('relu', ops.relu, [[0, 0], [-0, 0], [inf, 1], [-inf, 0], [tiny, 1]]),
  gradient('gelu', ops.gelu, [[1e20, 1], [-1e20, 0], [inf, 1], [-inf, 0], [0, 0.5], [nan, nan], [tiny, 0.5]]),
  gradient('geluErf', ops.geluErf, [[1e20, 1], [-1e20, 0], [inf, 1], [-inf, 0], [0, 0.5], [nan, nan]]),
  gradient('silu', ops.silu, [[1e20, 1], [-1e20, 0], [inf, 1], [-inf, 0], [0, 0.5], [nan, nan]]),
  gradient('sigmoid', ops.sigmoid, [[1e20, 0], [-1e20, 0], [inf, 0], [-inf, 0], [0, 0.25]]),
  gradient('softplus', ops.softplus, [[1e20, 1], [-1e20, 0], [inf, 1], [-inf, 0], [0, 0.5]]),
  gradient('logSigmoid', ops.logSigmoid, [[1e20, 0], [-1e20, 1], [inf, 0], [-inf, 1], [0, 0.5]]),
  gradient('tanh', ops.tanh, [[1e20, 0], [-inf, 0], [0, 1], [-0, 1]]),
  gradient('erf', ops.erf, [[1e20, 0], [-inf, 0], [0, 2 / Math.sqrt(Math.PI)]]),
  gradient('exp', ops.exp, [[-inf, 0], [inf, inf], [0, 1]]),
  gradient('log', ops.log, [[inf, 0], [0, inf], [-0, -inf], [1e20, 1e-20]]),
  gradient('sqrt', ops.sqrt, [[0, inf], [inf, 0], [4, 0.25]]),
  gradient('rsqrt', ops.rsqrt, [[inf, -0], [0, -inf], [4, -0.0625]]),
  gradient('reciprocal', ops.reciprocal, [[inf, -0], [1e20, -1e-40], [0, -inf], [2, -0.25]]),
  gradient('square', ops.square, [[1e20, 2e20], [inf, inf], [-0, -0]]),
  gradients('maximum', ops.maximum, 0, [[1, 1, 0.5], [2, 1, 1], [1, 2, 0], [0, -0, 0.5], [inf, inf, 0.5]]),
  gradients('maximum', ops.maximum, 1, [[1, 1, 0.5], [2, 1, 0], [1, 2, 1]]),
  gradients('minimum', ops.minimum, 0, [[1, 1, 0.5], [2, 1, 0], [1, 2, 1]]),
  gradients('divide', ops.divide, 1, [[1, inf, -0], [1, 2, -0.25], [0, 1, -0]]),
  gradients('power', ops.power, 0, [[0, 0, 0], [0, 1, 1], [0, 2, 0], [3, 0, 0], [inf, 0, 0], [nan, 0, 0], [-2, 2, -4], [0, 0.5, inf], [
    tiny,
    0,
    0,
  ]]),
  gradients('power', ops.power, 1, [[0, 2, 0], [0, 0, 0], [1, 5, 0], [inf, -1, 0], [2, 1, 2 * Math.LN2]]),
]

export const edgeGroups: readonly EdgeGroup[] = [
  ...arithmetic,
  ...comparing,
  ...conversions,
  ...functions,
  ...rows,
  ...sums,
  ...moves,
  ...lookups,
  ...derivatives,
]
