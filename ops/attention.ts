import * as say from '#lib/language/messages.ts'
import { record } from '#lib/language/record.ts'
import { refuse } from '#lib/language/refusal.ts'
import type { Attention, AttentionDims } from '#lib/language/rules/attention.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { type Shape, sizeOf } from '#lib/layout/layout.ts'
import { needDim, needKind, noExtra, sameSizes, without } from '#lib/layout/shapes.ts'
import type { Crossing, Op } from '#lib/op.ts'

type Dims = { readonly over: string; readonly features: string; readonly heads: string | null; readonly maskKeys: string }

const op: Op<Dims> = {
  name: 'attention',
  sides: () => ['query', 'key', 'value', 'mask'],
  shape: ([q, k, v, mask], { over, features, heads, maskKeys }) => {
    if (over === features) refuse(say.dimTwice('attention', over))
    needDim('attention', q!, features, 'query')
    needDim('attention', k!, over, 'key')
    needDim('attention', k!, features, 'key')
    if (heads !== null) needDim('attention', q!, heads, 'query')
    const keys = without(k!, [over])
    noExtra('attention', keys, q!, 'query')
    noExtra('attention', v!, k!, 'key')
    noExtra('attention', k!, v!, 'value')
    sameSizes('attention', q!, keys, 'query', 'key')
    sameSizes('attention', k!, v!, 'key', 'value')
    if (mask !== undefined) {
      needDim('attention', mask, maskKeys, 'mask')
      noExtra('attention', without(mask, [maskKeys]), without(q!, [features]), 'scores')
      sameSizes('attention', q!, without(mask, [maskKeys]), 'query', 'mask')
      const [wanted, got] = [sizeOf(k!, over)!, sizeOf(mask, maskKeys)!]
      if (wanted !== got) refuse(say.sizesDiffer('attention', over, wanted, 'key', got, 'mask'))
    }
    needKind('attention', q!, 'real', 'query')
    needKind('attention', k!, 'real', 'key')
    needKind('attention', v!, 'real', 'value')
    if (mask !== undefined) needKind('attention', mask, 'mask', 'mask')
    return q!
  },
  crossings: ([q, k, v, mask], _, { over, features, maskKeys }) => {
    const has = (shape: Shape | undefined, dim: string): string | null =>
      shape !== undefined && sizeOf(shape, dim) !== undefined ? dim : null
    const operands = (parts: (string | null)[]): (string | null)[] => mask === undefined ? parts.slice(0, 3) : parts
    const alike = q!.dims.filter(({ name }) => name !== features).map(({ name }): Crossing => ({
      kind: 'map',
      result: name,
      operands: operands([
        name,
        name === over ? null : has(k, name),
        name === over ? null : has(v, name),
        name === maskKeys ? null : has(mask, name),
      ]),
    }))
    return [
      { kind: 'whole', operands: operands([features, features, features, null]), result: features },
      { kind: 'whole', operands: operands([null, over, over, maskKeys]), result: null },
      ...alike,
    ]
  },
  linear: [],
  kernel: ([q], _, { over, features, maskKeys }) => ({
    family: 'attention',
    over,
    features,
    maskKeys,
    scale: 1 / Math.sqrt(sizeOf(q!, features)!),
  }),
}

/**
 * Attention of queries (the input) over keys k and values v: softmax over dim `over` of q·k / √features, times v (Vaswani
 * et al. 2017, section 3.2.1). `over` and `features` must be whole in k and v. Where the queries have dim `over` too,
 * that is their own position and may be cut; every other dim that q and k share runs along (batch, heads). A bool
 * `mask` keeps where true, an f32 one is added to the scores; it names the key dim `maskKeys` (or `over`, if the queries
 * don't have it); its other dims are among those of the scores, the queries' dims without the features.
 */
export const attention =
  <const O extends AttentionDims>(options: O) => <K extends AnyTensor, V extends AnyTensor>(k: K, v: V): Stage<Attention<K, V, O>> => {
    const where = sourceLine()
    const { over, features, heads = null, maskKeys = over, mask } = options
    return stage((q) => record(op, { over, features, heads, maskKeys }, [q, k, v, ...(mask === undefined ? [] : [mask])], where))
  }
