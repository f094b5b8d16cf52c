import * as ops from '#ops/mod.ts'
import { type At, type Field, largest, type Laws, mean, type Sizes, softmaxAt, specs, stage, total } from '../law.ts'

/** Folds, norms and softmax: what looks along a dim. */
export const rows = (sizes: Sizes): Laws => {
  const spec = specs(sizes)
  const tse = spec('t s e')
  const { t: T, s: S, e: E, v: V } = sizes
  const normed = (x: Field, at: At, epsilon: number): number => {
    const middle = mean(E, (e) => x({ ...at, e }))
    return (x(at) - middle) / Math.sqrt(mean(E, (e) => (x({ ...at, e }) - middle) ** 2) + epsilon)
  }
  const rootMeanSquare = (x: Field, at: At): number => Math.sqrt(mean(E, (e) => x({ ...at, e }) ** 2) + 1e-6)
  /** Against a target of 1 - smoothing for the label and smoothing / V for every position. */
  const entropy = (x: Field, label: number, at: At, smoothing: number): number =>
    -total(V, (v) => ((v === label ? 1 - smoothing : 0) + smoothing / V) * Math.log(softmaxAt(V, (v) => x({ ...at, v }), v)))

  return {
    sum: [
      {
        inputs: { x: { dims: tse } },
        dims: spec('t e'),
        apply: ({ x }) => stage(ops.sum('s'))(x!),
        result: ({ x }, at) => total(S, (s) => x!({ ...at, s })),
      },
      {
        inputs: { x: { dims: tse } },
        dims: spec('s'),
        apply: ({ x }) => stage(ops.sum('t e'))(x!),
        result: ({ x }, at) => total(T, (t) => total(E, (e) => x!({ ...at, t, e }))),
      },
    ],
    mean: [{
      inputs: { x: { dims: tse } },
      dims: spec('s e'),
      apply: ({ x }) => stage(ops.mean('t'))(x!),
      result: ({ x }, at) => mean(T, (t) => x!({ ...at, t })),
    }],
    max: [
      {
        inputs: { x: { dims: tse } },
        dims: spec('t e'),
        apply: ({ x }) => stage(ops.max('s'))(x!),
        result: ({ x }, at) => largest(S, (s) => x!({ ...at, s })),
      },
      {
        inputs: { x: { dims: tse } },
        dims: spec('s'),
        apply: ({ x }) => stage(ops.max('t e'))(x!),
        result: ({ x }, at) => largest(T, (t) => largest(E, (e) => x!({ ...at, t, e }))),
      },
    ],
    min: [{
      inputs: { x: { dims: tse } },
      dims: spec('s e'),
      apply: ({ x }) => stage(ops.min('t'))(x!),
      result: ({ x }, at) => -largest(T, (t) => -x!({ ...at, t })),
    }],
    variance: [{
      inputs: { x: { dims: tse } },
      dims: spec('t s'),
      apply: ({ x }) => stage(ops.variance('e'))(x!),
      result: ({ x }, at) => mean(E, (e) => (x!({ ...at, e }) - mean(E, (j) => x!({ ...at, e: j }))) ** 2),
    }],
    softmax: [
      {
        inputs: { x: { dims: tse } },
        dims: tse,
        apply: ({ x }) => stage(ops.softmax('s'))(x!),
        result: ({ x }, at) => softmaxAt(S, (s) => x!({ ...at, s }), at['s']!),
      },
      {
        inputs: { x: { dims: tse } },
        dims: tse,
        apply: ({ x }) => stage(ops.softmax('e'))(x!),
        result: ({ x }, at) => softmaxAt(E, (e) => x!({ ...at, e }), at['e']!),
      },
    ],
    logSoftmax: [
      {
        inputs: { x: { dims: tse } },
        dims: tse,
        apply: ({ x }) => stage(ops.logSoftmax('s'))(x!),
        result: ({ x }, at) => Math.log(softmaxAt(S, (s) => x!({ ...at, s }), at['s']!)),
      },
      {
        inputs: { x: { dims: tse } },
        dims: tse,
        apply: ({ x }) => stage(ops.logSoftmax('e'))(x!),
        result: ({ x }, at) => Math.log(softmaxAt(E, (e) => x!({ ...at, e }), at['e']!)),
      },
    ],
    crossEntropy: [
      {
        inputs: { x: { dims: spec('t s v') }, y: { dims: spec('t s'), type: 'i32', range: [0, V - 1] } },
        dims: spec('t s'),
        apply: ({ x, y }) => stage(ops.crossEntropy('v', y!))(x!),
        result: ({ x, y }, at) => entropy(x!, y!(at), at, 0),
      },
      {
        inputs: { x: { dims: spec('t v s') }, y: { dims: spec('s'), type: 'i32', range: [-1, V - 1] } },
        dims: spec('t s'),
        apply: ({ x, y }) => stage(ops.crossEntropy('v', y!, { ignore: -1, smoothing: 0.1 }))(x!),
        result: ({ x, y }, at) => y!(at) === -1 ? 0 : entropy(x!, y!(at), at, 0.1),
      },
    ],
    logSumExp: [{
      inputs: { x: { dims: tse } },
      dims: spec('s e'),
      apply: ({ x }) => stage(ops.logSumExp('t'))(x!),
      result: ({ x }, at) => Math.log(total(T, (t) => Math.exp(x!({ ...at, t })))),
    }],
    layerNorm: [
      {
        inputs: { x: { dims: tse } },
        dims: tse,
        apply: ({ x }) => stage(ops.layerNorm('e'))(x!),
        result: ({ x }, at) => normed(x!, at, 1e-6),
      },
      {
        inputs: { x: { dims: tse }, scale: { dims: spec('e') }, shift: { dims: spec('t e') } },
        dims: tse,
        apply: ({ x, scale, shift }) => stage(ops.layerNorm('e', { scale: scale!, shift: shift!, epsilon: 1e-3 }))(x!),
        result: ({ x, scale, shift }, at) => normed(x!, at, 1e-3) * scale!(at) + shift!(at),
      },
      {
        inputs: { x: { dims: tse }, shift: { dims: spec('s') } },
        dims: tse,
        apply: ({ x, shift }) => stage(ops.layerNorm('e', { shift: shift!, epsilon: 0.5 }))(x!),
        result: ({ x, shift }, at) => normed(x!, at, 0.5) + shift!(at),
      },
    ],
    rmsNorm: [
      {
        inputs: { x: { dims: tse } },
        dims: tse,
        apply: ({ x }) => stage(ops.rmsNorm('e'))(x!),
        result: ({ x }, at) => x!(at) / rootMeanSquare(x!, at),
      },
      {
        inputs: { x: { dims: tse }, scale: { dims: spec('e') } },
        dims: tse,
        apply: ({ x, scale }) => stage(ops.rmsNorm('e', { scale: scale! }))(x!),
        result: ({ x, scale }, at) => scale!(at) * x!(at) / rootMeanSquare(x!, at),
      },
    ],
  }
}
