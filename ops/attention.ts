import * as say from '#lib/language/messages.ts'
import { attentionGradients } from '#lib/grad/attention.ts'
import { fused } from '#lib/grad/fused.ts'
import { complete } from '#lib/grad/cotangent.ts'
import { firstOf } from '#lib/grad/place.ts'
import { sumTo } from '#lib/grad/template.ts'
import { call, fold, input, real } from '#lib/kernel/expression.ts'
import type { AttentionTemplate } from '#lib/kernel/template.ts'
import { scaled } from '#lib/language/define.ts'
import { type KnownOptions, knownOptions } from '#lib/language/options.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { atLine, refuse } from '#lib/language/refusal.ts'
import type { Attention, AttentionDims, AttentionOptions } from '#lib/language/rules/attention.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, applied, type Stage, stage } from '#lib/language/tensor.ts'
import { type Shape, sizeOf } from '#lib/layout/layout.ts'
import { needDim, needKind, noExtra, replaced, sameSizes, without } from '#lib/layout/shapes.ts'
import type { Crossing, Differential, Op } from '#lib/op.ts'
import { contractTo } from './contract.ts'
import { rename } from './rename.ts'
import { softmaxGradient } from './softmax.ts'

type Dims = {
  readonly over: string
  readonly features: string
  readonly heads: string | null
  readonly maskKeys: string
  /** The axis that keys and values go round. */
  readonly ring: string | null
  /** Whether the result has one feature more, the log-sum-exp of the scores: what the backward pass needs to know of it. */
  readonly logSum: boolean
}

/** Adds the same with the log-sum-exp behind the features, of which the plain result is a part. */
const wider = (dims: Dims): Dims => ({ ...dims, logSum: true })

/** The gradients of queries, keys and values by kernels that store no weights; a mask's by way of the weights. */
const gradient = ({ operands, cotangent, attributes }: Differential<Dims>) => {
  const [query, key, value, mask] = operands as [AnyTensor, AnyTensor, AnyTensor, AnyTensor | undefined]
  const { ring } = attributes
  let made: ReturnType<typeof blockwise> | undefined
  // Made once for all three: in a part that is recomputed, what is recorded twice would be computed twice.
  const gradients = () =>
    made ??= blockwise({ ...attributes, query, key, value, mask, state: record(op, wider(attributes), operands, sourceLine()) }, cotangent)
  // An f32 mask is added to the scores.
  const ofMask = (): AnyTensor | undefined => {
    if (mask === undefined || nodeOf(mask).shape.type !== 'f32') return undefined
    if (ring !== null) {
      return refuse(`attention: a mask has no gradient where keys go round '${ring}'; fix: stopGradient on the mask before it`)
    }
    return byWeights(operands, complete(cotangent), attributes).mask()
  }
  return [() => gradients()[0], () => gradients()[1], () => gradients()[2], ofMask]
}

/**
 * The same written out: with weights p = softmax(scale q·k), the gradients are v: Σ p g; scores: s = p (g·v - Σ p g·v); q:
 * scale Σ s k; k: scale Σ s q. It takes memory of the size queries × keys, but has gradients itself.
 */
const byWeights = ([q, k, v, mask]: readonly AnyTensor[], cotangent: AnyTensor, { over, features, maskKeys }: Named) => {
  const shapes = [q!, k!, v!].map((x) => nodeOf(x).shape)
  const scale = 1 / Math.sqrt(sizeOf(shapes[0]!, features)!)
  // The queries' own position along `over` is another dim than the keys'.
  const keyDim = `${over}'`
  const renamed = (x: AnyTensor, from: string, to: string): AnyTensor => applied(rename(from, to))(x)
  const [keys, values] = [renamed(k!, over, keyDim), renamed(v!, over, keyDim)]
  const rows = without(shapes[0]!, [features])
  const scoresShape: Shape = { type: 'f32', dims: [...rows.dims, { name: keyDim, size: sizeOf(shapes[1]!, over)! }] }
  const maskName = maskKeys ?? over
  const masked = mask === undefined ? undefined : renamed(mask, maskName, keyDim)
  const weights = () => attentionWeights(contractTo(q!, keys, scoresShape), scale, masked, keyDim)
  const scores = () => softmaxGradient(weights(), contractTo(cotangent, values, scoresShape), keyDim)
  const times = (x: AnyTensor, factor: number): AnyTensor =>
    fused({ name: 'attention gradient', operands: [x], result: nodeOf(x).shape, expression: scaled(input(0), factor), linear: [0] })
  const along = (shape: Shape): Shape => replaced(shape, over, [{ name: keyDim, size: sizeOf(shape, over)! }])
  return {
    query: () => times(contractTo(scores(), keys, shapes[0]!), scale),
    key: () => times(renamed(contractTo(scores(), q!, along(shapes[1]!)), keyDim, over), scale),
    value: () => renamed(contractTo(weights(), cotangent, along(shapes[2]!)), keyDim, over),
    mask: () => renamed(sumTo('attention gradient', scores(), nodeOf(masked!).shape), keyDim, maskName),
  }
}
type Named = { readonly over: string; readonly features: string; readonly maskKeys: string | null }

const blockwise = attentionGradients((operands, cotangent, dims) => {
  const { query, key, value } = byWeights(operands, cotangent, dims)
  return [query(), key(), value()]
})

/** The softmax of scaled and masked scores; a row without any key weighs nothing. */
const attentionWeights = (scores: AnyTensor, scale: number, mask: AnyTensor | undefined, keyDim: string): AnyTensor => {
  const result = nodeOf(scores).shape
  const name = 'attention weights'
  const score = scaled(input(0), scale)
  const masked = mask === undefined
    ? score
    : nodeOf(mask).shape.type === 'bool'
    ? call('select', input(1), score, real(leastScore))
    : call('maximum', call('add', score, input(1)), real(leastScore))
  const shifted = call('exponential', call('subtract', masked, fold(0)))
  const weight = call('divide', shifted, fold(1))
  return fused({
    name,
    operands: mask === undefined ? [scores] : [scores, mask],
    result,
    inner: [keyDim],
    folds: [{ combine: 'max', expression: masked }, { combine: 'sum', expression: shifted }],
    expression: mask === undefined ? weight : call('select', call('less', masked, real(leastScore / 2)), real(0), weight),
  })
}

/** Stands for -∞ among scores, of which differences can be taken. */
const leastScore = -1e30

const op: Op<Dims> = {
  name: 'attention',
  sides: () => ['query', 'key', 'value', 'mask'],
  shape: ([q, k, v, mask], { over, features, heads, maskKeys, logSum }) => {
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
    return logSum ? withLogSum(q!, features) : q!
  },
  crossings: ([q, k, v, mask], _, { over, features, maskKeys, ring }) => {
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
      { kind: 'fold', operands: operands([null, over, over, null]), result: null, ...(ring !== null && { ring }) },
      ...(mask === undefined ? [] : [{ kind: 'whole' as const, operands: [null, null, null, maskKeys], result: null }]),
      ...alike,
    ]
  },
  linear: [],
  gradient,
  within: (result, dims) => dims.logSum ? undefined : { attributes: wider(dims), part: firstOf(dims.features, result) },
  kernel: (operands, _, dims) => template(operands, dims, { first: true, last: true }),
  blocks: {
    carry: ([q], _, { features }) => withLogSum(q!, features),
    kernel: (operands, _, dims, place) => template(operands, dims, place),
    travels: false,
  },
}

const withLogSum = (q: Shape, features: string): Shape => replaced(q, features, [{ name: features, size: sizeOf(q, features)! + 1 }])

const template = (
  [q, , , mask]: readonly Shape[],
  { over, features, maskKeys, logSum }: Dims,
  { first, last }: { readonly first: boolean; readonly last: boolean },
): AttentionTemplate => ({
  family: 'attention',
  over,
  features,
  maskKeys: mask === undefined ? null : maskKeys,
  scale: 1 / Math.sqrt(sizeOf(q!, features)!),
  carried: !first,
  logSum: !last || logSum,
})

/**
 * Attention of queries (the input) over keys k and values v: softmax over dim `over` of q·k / √features, times v (Vaswani
 * et al. 2017, section 3.2.1). `over` and `features` must be whole in k and v. Where the queries have dim `over` too,
 * that is their own position and may be cut; every other dim that q and k share runs along (batch, heads). A bool
 * `mask` keeps where true, an f32 one is added to the scores; it names the key dim `maskKeys` (or `over`, if the queries
 * don't have it); its other dims are among those of the scores, the queries' dims without the features. A key that it leaves
 * out, by false or by -∞, is not looked at: what it and its value are, even NaN, reaches no result and no gradient of queries,
 * keys and values. A query that is left without keys has 0. Second derivatives and the gradient of an f32 mask weigh such keys by 0
 * instead, which of NaN makes NaN.
 *
 * With `ring: 'sp'` queries, keys and values stay cut over sp along `over`, and keys and values go round the axis, in the
 * backward pass with their gradients (Ring Attention, arXiv 2310.01889). A mask is whole along the keys, and has no gradient.
 */
export const attention =
  <const O extends AttentionDims>(options: KnownOptions<'attention', O, AttentionOptions>) =>
  <K extends AnyTensor, V extends AnyTensor>(k: K, v: V): Stage<Attention<K, V, O>> => {
    const where = sourceLine()
    const given = options as AttentionDims
    const { over, features, heads = null, maskKeys = over, mask, ring = null } = given
    return stage((q) => {
      atLine(where, () => knownOptions('attention', given, attentionOptions))
      return record(op, { over, features, heads, maskKeys, ring, logSum: false }, [q, k, v, ...(mask === undefined ? [] : [mask])], where)
    })
  }

const attentionOptions: AttentionOptions = ['over', 'features', 'heads', 'mask', 'maskKeys', 'ring']
