import { call, fold, input } from '../kernel/expression.ts'
import type { AttentionGradientTemplate } from '../kernel/template.ts'
import { nodeOf, record } from '../language/record.ts'
import { sourceLine } from '../language/source.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { type Shape, sizeOf } from '../layout/layout.ts'
import { replaced, without } from '../layout/shapes.ts'
import { type Attributes, crossByName, type Crossing, type Op } from '../op.ts'
import { accumulate } from './cotangent.ts'
import { fused } from './fused.ts'
import { part, place } from './place.ts'

/**
 * The backward pass of attention whose keys and values go round an axis (arXiv 2310.01889, section 3): they go round once
 * more, and their gradients with them, each rank adding its share, so that they come home complete. Weights are made anew
 * block by block from the forward pass's log-sum-exp.
 */
type Ring = Attributes & {
  readonly over: string
  readonly features: string
  /** The mask's name for the key dim; null where there is no mask. */
  readonly maskKeys: string | null
  readonly ring: string
}

/** Holds the gradients of keys and of values, one after the other. */
const partDim = 'part'

const template = (of: 'queries' | 'keys', [q]: readonly Shape[], { over, features, maskKeys }: Ring, carried: boolean) =>
  ({
    family: 'attention-gradient',
    of,
    over,
    features,
    maskKeys,
    scale: 1 / Math.sqrt(sizeOf(q!, features)!),
    part: partDim,
    carried,
  }) satisfies AttentionGradientTemplate

/** Operands are query, key, value, cotangent, stats and perhaps a mask; the result is like the query, or like key and value. */
const gradientOp = (of: 'queries' | 'keys'): Op<Ring> => ({
  name: of === 'queries' ? 'attention gradient' : 'attention gradient of keys',
  shape: ([q, k]) => of === 'queries' ? q! : { ...k!, dims: [{ name: partDim, size: 2 }, ...k!.dims] },
  crossings: (operands, result, { over, features, maskKeys, ring }) => {
    const [q, k] = operands as [Shape, Shape]
    const has = (operand: Shape, name: string): string | null => sizeOf(operand, name) !== undefined ? name : null
    const isKey = (operand: number): boolean => operand === 1 || operand === 2
    const own = q.dims.map(({ name }) => name).filter((name) => name !== features)
    const rows = own.map((name): Crossing => {
      const shared = name !== over && has(k, name) !== null
      return {
        kind: of === 'queries' || shared ? 'map' : 'sum',
        operands: operands.map((operand, i) => isKey(i) && !shared || i === 5 && name === maskKeys ? null : has(operand, name)),
        result: of === 'queries' || shared ? name : null,
      }
    })
    const mask = operands.length > 5 ? [{ kind: 'whole' as const, operands: [null, null, null, null, null, maskKeys], result: null }] : []
    return [
      ...crossByName(operands, result, { [features]: 'whole', [partDim]: 'whole' }).filter(({ kind }) => kind === 'whole'),
      { kind: 'fold', operands: operands.map((_, i) => isKey(i) ? over : null), result: of === 'queries' ? null : over, ring },
      ...mask,
      ...rows,
    ]
  },
  linear: [],
  kernel: (operands, _, ring) => template(of, operands, ring, false),
  blocks: {
    carry: (_, result) => result,
    kernel: (operands, _, ring, { first }) => template(of, operands, ring, !first),
    travels: of === 'keys',
  },
})
const ofQueries = gradientOp('queries')
const ofKeys = gradientOp('keys')

/** What attention took and gave: its result with the log-sum-exp behind the features, and how. */
export interface RingAttention {
  readonly query: AnyTensor
  readonly key: AnyTensor
  readonly value: AnyTensor
  readonly mask: AnyTensor | undefined
  readonly state: AnyTensor
  readonly over: string
  readonly features: string
  readonly maskKeys: string
  readonly ring: string
}

/** The gradients of query, key and value, which lie as they do. */
export const ringGradients = (of: RingAttention, cotangent: AnyTensor): readonly [AnyTensor, AnyTensor, AnyTensor] => {
  const { query, key, value, mask, state, over, features, ring } = of
  const [q, k] = [nodeOf(query), nodeOf(key)]
  const width = sizeOf(q.shape, features)!
  const rows = without(q.shape, [features])
  const delta = fused({
    name: 'attention gradient',
    operands: [cotangent, part(state, features, 0, q.shape)],
    result: rows,
    inner: [features],
    folds: [{ combine: 'sum', expression: call('multiply', input(0), input(1)) }],
    per: 'row',
    expression: fold(0),
  })
  const logSum = part(state, features, width, replaced(q.shape, features, [{ name: features, size: 1 }]))
  const both = replaced(q.shape, features, [{ name: features, size: 2 }])
  const stats = accumulate([place(logSum, features, 0, both), place(delta, features, 1, both)], q.layout.cuts)
  const operands = [query, key, value, cotangent, stats, ...(mask === undefined ? [] : [mask])]
  const attributes = { over, features, maskKeys: mask === undefined ? null : of.maskKeys, ring }
  const forQuery = record(ofQueries, attributes, operands, sourceLine(), () => ({ cuts: q.layout.cuts, pending: [] }))
  const forBoth = record(ofKeys, attributes, operands, sourceLine(), () => ({ cuts: [[], ...k.layout.cuts], pending: [] }))
  const one = (at: number): AnyTensor => part(forBoth, partDim, at, k.shape)
  return [forQuery, one(0), one(1)]
}
