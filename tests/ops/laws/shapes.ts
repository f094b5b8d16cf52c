import type { AnyTensor } from '#lib/mod.ts'
import * as ops from '#ops/mod.ts'
import { type LawInput, type Laws, type Sizes, specs, stage, total } from '../law.ts'

/** What moves elements to other positions. */
export const shapes = (sizes: Sizes): Laws => {
  const spec = specs(sizes)
  const [tse, se] = [spec('t s e'), spec('s e')]
  const { t: T, s: S, n: N, v: V, h: H, d: D } = sizes
  const product = { e: H * D }
  const [from, count] = [Math.min(1, T - 1), Math.max(1, T - 2)]
  const ids = (dims: string): LawInput => ({ dims, type: 'i32', range: [0, V - 1] })
  const anyId = (dims: string): LawInput => ({ dims, type: 'i32', range: [-2, V + 1] })

  return {
    split: [{
      inputs: { x: { dims: spec('t e', product) } },
      dims: spec('t h d'),
      apply: ({ x }) => stage(ops.split('e', spec('h d')))(x!),
      result: ({ x }, at) => x!({ ...at, e: D * at['h']! + at['d']! }),
    }],
    merge: ['t h d', 'd t h'].map((dims) => ({
      inputs: { x: { dims: spec(dims) } },
      dims: spec('t e', product),
      apply: ({ x }) => stage(ops.merge('h d', 'e'))(x!),
      result: ({ x }, at) => x!({ ...at, h: Math.floor(at['e']! / D), d: at['e']! % D }),
    })),
    rename: [{
      inputs: { x: { dims: tse } },
      dims: spec('t u e', { u: S }),
      apply: ({ x }) => stage(ops.rename('s', 'u'))(x!),
      result: ({ x }, at) => x!({ ...at, s: at['u']! }),
    }],
    reorder: [{
      inputs: { x: { dims: tse } },
      dims: spec('e t s'),
      apply: ({ x }) => stage(ops.reorder('e t s'))(x!),
      result: ({ x }, at) => x!(at),
    }],
    slice: [{
      inputs: { x: { dims: tse } },
      dims: spec('t s e', { t: count }),
      apply: ({ x }) => stage(ops.slice('t', { from, count }))(x!),
      result: ({ x }, at) => x!({ ...at, t: at['t']! + from }),
    }],
    select: [
      {
        inputs: { x: { dims: tse } },
        dims: spec('t e'),
        apply: ({ x }) => stage(ops.select('s', S >> 1))(x!),
        result: ({ x }, at) => x!({ ...at, s: S >> 1 }),
      },
      {
        inputs: { x: { dims: tse } },
        dims: spec('t e'),
        apply: ({ x }) => (stage(ops.unstack('s'))(x!) as unknown as readonly AnyTensor[])[S - 1]!,
        result: ({ x }, at) => x!({ ...at, s: S - 1 }),
      },
    ],
    repeat: [{
      inputs: { x: { dims: se } },
      dims: spec('n s e'),
      apply: ({ x }) => stage(ops.repeat(`n:${N}`))(x!),
      result: ({ x }, at) => x!(at),
    }],
    pad: [{
      inputs: { x: { dims: tse } },
      dims: spec('t s e', { t: T + 3 }),
      apply: ({ x }) => stage(ops.pad('t', { before: 1, after: 2, value: 7 }))(x!),
      result: ({ x }, at) => at['t']! >= 1 && at['t']! < T + 1 ? x!({ ...at, t: at['t']! - 1 }) : 7,
    }],
    concat: [{
      inputs: { x: { dims: tse }, y: { dims: spec('s t e', { t: 2 }) } },
      dims: spec('t s e', { t: T + 2 }),
      apply: ({ x, y }) => stage(ops.concat('t', y!))(x!),
      result: ({ x, y }, at) => at['t']! < T ? x!(at) : y!({ ...at, t: at['t']! - T }),
    }],
    gather: [
      {
        inputs: { x: { dims: spec('v e') }, ids: ids(spec('n')) },
        dims: spec('n e'),
        apply: ({ x, ids }) => stage(ops.gather('v', ids!))(x!),
        result: ({ x, ids }, at) => x!({ ...at, v: ids!(at) }),
      },
      {
        inputs: { x: { dims: spec('s v e') }, ids: ids(spec('s n')) },
        dims: spec('s n e'),
        apply: ({ x, ids }) => stage(ops.gather('v', ids!))(x!),
        result: ({ x, ids }, at) => x!({ ...at, v: ids!(at) }),
      },
    ],
    scatterAdd: [
      {
        inputs: { x: { dims: spec('n e') }, ids: anyId(spec('n')) },
        dims: spec('v e'),
        apply: ({ x, ids }) => stage(ops.scatterAdd(`v:${V}`, ids!))(x!),
        result: ({ x, ids }, at) => total(N, (n) => ids!({ n }) === at['v'] ? x!({ ...at, n }) : 0),
      },
      {
        inputs: { x: { dims: spec('e t n') }, ids: anyId(spec('n t')) },
        dims: spec('e v'),
        apply: ({ x, ids }) => stage(ops.scatterAdd(`v:${V}`, ids!))(x!),
        result: ({ x, ids }, at) => total(T, (t) => total(N, (n) => ids!({ t, n }) === at['v'] ? x!({ ...at, t, n }) : 0)),
      },
      {
        inputs: { x: { dims: spec('s n e') }, ids: anyId(spec('s n')) },
        dims: spec('s v e'),
        apply: ({ x, ids }) => stage(ops.scatterAdd(`v:${V}`, ids!, { keep: 's' }))(x!),
        result: ({ x, ids }, at) => total(N, (n) => ids!({ ...at, n }) === at['v'] ? x!({ ...at, n }) : 0),
      },
      {
        inputs: { x: { dims: spec('s e') }, ids: anyId(spec('s')) },
        dims: spec('v s e'),
        apply: ({ x, ids }) => stage(ops.scatterAdd(`v:${V}`, ids!, { keep: 's' }))(x!),
        result: ({ x, ids }, at) => ids!(at) === at['v'] ? x!(at) : 0,
      },
    ],
  }
}
