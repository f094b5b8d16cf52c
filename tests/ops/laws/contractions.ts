import * as ops from '#ops/mod.ts'
import { type Law, type Laws, type Sizes, softmaxAt, specs, stage, total } from '../law.ts'

/** Sums of products, and attention. */
export const contractions = (sizes: Sizes): Laws => {
  const spec = specs(sizes)
  const tse = spec('t s e')
  const { s: S, e: E, k: K, d: D } = sizes

  /** Attention over keys `l`; a mask adds to the scores or takes some of them away. */
  const attends = (masked: (score: number, mask: number) => number): Law['result'] => ({ q, k, v, m }, at) => {
    const scores = Array.from({ length: K }, (_, key) => {
      const score = total(D, (d) => q!({ ...at, d }) * k!({ ...at, l: key, d })) / Math.sqrt(D)
      return m === undefined ? score : masked(score, m({ ...at, l: key }))
    })
    const most = Math.max(...scores)
    const weights = scores.map((score) => most === -Infinity ? 0 : Math.exp(score - most))
    const sum = weights.reduce((a, b) => a + b, 0)
    return sum === 0 ? 0 : total(K, (key) => (weights[key]! / sum) * v!({ ...at, l: key }))
  }
  const keys = spec('l h d', { l: K })
  const selfScore = Math.sqrt(D)

  return {
    contract: [
      {
        inputs: { x: { dims: tse }, w: { dims: spec('e f') } },
        dims: spec('t s f'),
        apply: ({ x, w }) => stage(ops.contract(w!, 'e'))(x!),
        result: ({ x, w }, at) => total(E, (e) => x!({ ...at, e }) * w!({ ...at, e })),
      },
      {
        inputs: { x: { dims: tse }, w: { dims: spec('t f e') } },
        dims: spec('t s f'),
        apply: ({ x, w }) => stage(ops.contract(w!, 'e'))(x!),
        result: ({ x, w }, at) => total(E, (e) => x!({ ...at, e }) * w!({ ...at, e })),
      },
      {
        inputs: { x: { dims: tse }, w: { dims: spec('s e f') } },
        dims: spec('t f'),
        apply: ({ x, w }) => stage(ops.contract(w!, 's e'))(x!),
        result: ({ x, w }, at) => total(S, (s) => total(E, (e) => x!({ ...at, s, e }) * w!({ ...at, s, e }))),
      },
    ],
    linear: [
      {
        inputs: { x: { dims: tse }, w: { dims: spec('f e') } },
        dims: spec('t s f'),
        apply: ({ x, w }) => stage(ops.linear(w!, 'e'))(x!),
        result: ({ x, w }, at) => total(E, (e) => x!({ ...at, e }) * w!({ ...at, e })),
      },
      {
        inputs: { x: { dims: tse }, w: { dims: spec('f e') }, b: { dims: spec('f') } },
        dims: spec('t s f'),
        apply: ({ x, w, b }) => stage(ops.linear({ weight: w!, bias: b! }, 'e'))(x!),
        result: ({ x, w, b }, at) => b!(at) + total(E, (e) => x!({ ...at, e }) * w!({ ...at, e })),
      },
    ],
    attention: [
      {
        inputs: { q: { dims: spec('s h d') }, k: { dims: spec('s h d') }, v: { dims: spec('s h d') } },
        dims: spec('s h d'),
        apply: ({ q, k, v }) => stage(ops.attention({ over: 's', features: 'd', heads: 'h' })(k!, v!))(q!),
        result: ({ q, k, v }, at) =>
          total(
            S,
            (key) => softmaxAt(S, (s) => total(D, (d) => q!({ ...at, d }) * k!({ ...at, s, d })) / selfScore, key) * v!({ ...at, s: key }),
          ),
      },
      {
        inputs: { q: { dims: spec('t f h d') }, k: { dims: keys }, v: { dims: keys } },
        dims: spec('t f h d'),
        apply: ({ q, k, v }) => stage(ops.attention({ over: 'l', features: 'd' })(k!, v!))(q!),
        result: attends((score) => score),
      },
      {
        inputs: { q: { dims: spec('t h d') }, k: { dims: keys }, v: { dims: keys }, m: { dims: spec('t l', { l: K }), type: 'bool' } },
        dims: spec('t h d'),
        apply: ({ q, k, v, m }) => stage(ops.attention({ over: 'l', features: 'd', mask: m! })(k!, v!))(q!),
        result: attends((score, mask) => mask !== 0 ? score : -Infinity),
      },
      {
        inputs: { q: { dims: spec('t h d') }, k: { dims: keys }, v: { dims: keys }, m: { dims: spec('l t', { l: K }) } },
        dims: spec('t h d'),
        apply: ({ q, k, v, m }) => stage(ops.attention({ over: 'l', features: 'd', mask: m! })(k!, v!))(q!),
        result: attends((score, mask) => score + mask),
      },
    ],
    selfAttention: [{
      inputs: { x: { dims: spec('t s part d', { part: 3 }) } },
      dims: spec('t s d'),
      apply: ({ x }) => stage(ops.selfAttention({ parts: 'part', over: 's', features: 'd' }))(x!),
      result: ({ x }, at) =>
        total(
          S,
          (key) =>
            softmaxAt(S, (s) => total(D, (d) => x!({ ...at, part: 0, d }) * x!({ ...at, part: 1, s, d })) / selfScore, key) *
            x!({ ...at, part: 2, s: key }),
        ),
    }],
  }
}
