import { call, fold, input } from '../kernel/expression.ts'
import type { AttentionGradientTemplate } from '../kernel/template.ts'
import { nodeOf, record } from '../language/record.ts'
import { refuse } from '../language/refusal.ts'
import { sourceLine } from '../language/source.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { type Shape, sizeOf } from '../layout/layout.ts'
import { replaced, without } from '../layout/shapes.ts'
import { type Attributes, crossByName, type Crossing, type Op } from '../op.ts'
import { accumulate, added, complete } from './cotangent.ts'
import { fused } from './fused.ts'
import { gradientsOf } from './gradient.ts'
import { part, place } from './place.ts'

/**
 * The backward pass of attention: two kernels that make the weights anew from the forward pass's log-sum-exp and store none
 * (FlashAttention, arXiv 2205.14135). Where keys and values go round an axis (Ring Attention, arXiv 2310.01889, section 3) they
 * go round once more, and their gradients with them, each rank adding its share, so that they come home complete.
 */
type Dims = Attributes & {
  readonly over: string
  readonly features: string
  /** The mask's name for the key dim; null where there is no mask. */
  readonly maskKeys: string | null
  /** The axis that keys and values go round. */
  readonly ring: string | null
}

/** The same gradients by ops that have gradients themselves: of queries, keys and values. */
export type Explicit = (operands: readonly AnyTensor[], cotangent: AnyTensor, dims: Dims) => readonly [AnyTensor, AnyTensor, AnyTensor]

/** Holds the gradients of keys and of values, one after the other. */
const partDim = 'part'

const template = (of: 'queries' | 'keys', [q]: readonly Shape[], { over, features, maskKeys }: Dims, carried: boolean) =>
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
const gradientOp = (of: 'queries' | 'keys', explicit: Explicit): Op<Dims> => ({
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
      {
        // Without a ring each key has its gradient for itself.
        kind: of === 'keys' && ring === null ? 'map' : 'fold',
        operands: operands.map((_, i) => isKey(i) ? over : null),
        result: of === 'queries' ? null : over,
        ...(ring !== null && { ring }),
      },
      ...mask,
      ...rows,
    ]
  },
  linear: [],
  gradient: ({ operands: [q, k, v, g, , mask], cotangent, attributes }) => {
    if (attributes.ring !== null) {
      refuse(`attention's gradient has no gradient where keys go round '${attributes.ring}'; fix: stopGradient before it`)
    }
    // The stats are made of the other operands: all that depends on them is in the gradients of those.
    const make = () => {
      const [first, second, third] = explicit([q!, k!, v!, ...(mask === undefined ? [] : [mask])], g!, attributes)
      const value = of === 'queries'
        ? inner(first, cotangent)
        : added([inner(second, part(cotangent, partDim, 0, nodeOf(k!).shape)), inner(third, part(cotangent, partDim, 1, nodeOf(k!).shape))])
      // What the cotangent is made of is not asked for.
      return gradientsOf(complete(value), [q!, k!, v!, g!, ...(mask === undefined ? [] : [mask]), cotangent])
    }
    let made: ReturnType<typeof make> | undefined
    const gradients = () => made ??= make()
    return [0, 1, 2, 3, undefined, ...(mask === undefined || nodeOf(mask).shape.type !== 'f32' ? [] : [4])]
      .map((i) => i === undefined ? undefined : () => gradients()[i])
  },
  kernel: (operands, _, dims) => template(of, operands, dims, false),
  blocks: {
    carry: (_, result) => result,
    kernel: (operands, _, dims, { first }) => template(of, operands, dims, !first),
    travels: of === 'keys',
  },
})

/** Σ x · y over all dims. */
const inner = (x: AnyTensor, y: AnyTensor): AnyTensor => {
  const dims = nodeOf(x).shape.dims.map(({ name }) => name)
  return fused({
    name: 'attention gradient',
    operands: [x, y],
    result: { type: 'f32', dims: [] },
    inner: dims,
    folds: [{ combine: 'sum', expression: call('multiply', input(0), input(1)) }],
    per: 'row',
    expression: fold(0),
  })
}

/** What attention took and gave: its result with the log-sum-exp behind the features, and how. */
export interface Attended {
  readonly query: AnyTensor
  readonly key: AnyTensor
  readonly value: AnyTensor
  readonly mask: AnyTensor | undefined
  readonly state: AnyTensor
  readonly over: string
  readonly features: string
  readonly maskKeys: string
  readonly ring: string | null
}

/** Prepares the gradients of query, key and value, which lie as they do; `explicit` is for the gradients of these. */
export const attentionGradients = (explicit: Explicit) => {
  const [ofQueries, ofKeys] = [gradientOp('queries', explicit), gradientOp('keys', explicit)]
  return (of: Attended, given: AnyTensor): readonly [AnyTensor, AnyTensor, AnyTensor] => gradientsBy(ofQueries, ofKeys, of, complete(given))
}

const gradientsBy = (
  ofQueries: Op<Dims>,
  ofKeys: Op<Dims>,
  of: Attended,
  cotangent: AnyTensor,
): readonly [AnyTensor, AnyTensor, AnyTensor] => {
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
  const forQuery = record(ofQueries, attributes, operands, sourceLine())
  const forBoth = record(ofKeys, attributes, operands, sourceLine())
  const one = (at: number): AnyTensor => part(forBoth, partDim, at, k.shape)
  return [forQuery, one(0), one(1)]
}
