import * as t from 'io-ts'
import { NumberCodec } from '../codec.ts'
import { type Expression, ExpressionCodec } from './expression.ts'
import type { Combine, Outside } from './kernel.ts'

/**
 * A kernel before sizes and layouts are known: dims by name. An op says one of these; together with the layouts of
 * its operands it becomes a rank's kernel (lower/instantiate.ts).
 */
export type Template =
  /** Element by element over the result's dims; `index` n is the position along the result's n-th dim. */
  | { readonly family: 'map'; readonly expression: Expression }
  | RowTemplate
  /** Sum of products of the first two operands over the `inner` dims; further operands are for the epilogue. */
  | { readonly family: 'contract'; readonly inner: readonly string[]; readonly epilogue: Expression }
  | AttentionTemplate
  | AttentionGradientTemplate
  /** Operand 0 is the table, operand 1 the ids that replace its dim. */
  | { readonly family: 'gather'; readonly dim: string; readonly outside: Outside }
  /** Operand 0 is added up into the rows of a dim of the result, which operand 1 names; dims of the ids that the result lacks go away. */
  | { readonly family: 'scatter'; readonly dim: string }
  /** The operands side by side along a dim, `before` positions from its start; what they leave free is `fill`. */
  | { readonly family: 'place'; readonly dim: string; readonly before: number; readonly fill: number }
  /** No work at all: another way of reading the same elements. */
  | { readonly family: 'view'; readonly view: ViewTemplate }

/** What the kernels of attention and of its gradients have in common. */
interface AttentionBlock {
  readonly over: string
  readonly features: string
  /** The mask's name for the key dim; null where there is no mask. */
  readonly maskKeys: string | null
  readonly scale: number
  /** Whether the last operand is the result of the block before. */
  readonly carried: boolean
}

/** Queries, keys, values, a mask if there is one, and perhaps a carry. */
export interface AttentionTemplate extends AttentionBlock {
  readonly family: 'attention'
  readonly logSum: boolean
}

/** Queries, keys, values, cotangent, stats, a mask if there is one, and perhaps a carry; `part` tells keys' gradients from values'. */
export interface AttentionGradientTemplate extends AttentionBlock {
  readonly family: 'attention-gradient'
  readonly of: 'queries' | 'keys'
  readonly part: string
}

/** Folds over the `inner` dims, then a result per row (without them) or per element (with them). */
export interface RowTemplate {
  readonly family: 'row'
  readonly inner: readonly string[]
  readonly folds: readonly { readonly combine: Combine; readonly expression: Expression }[]
  readonly result: Expression
  readonly per: 'row' | 'element'
}

export type ViewTemplate =
  | { readonly of: 'split'; readonly dim: string; readonly parts: readonly { readonly name: string; readonly size: number }[] }
  | { readonly of: 'merge'; readonly dims: readonly string[]; readonly to: string }
  | { readonly of: 'rename'; readonly dim: string; readonly to: string }
  | { readonly of: 'reorder'; readonly dims: readonly string[] }
  | { readonly of: 'slice'; readonly dim: string; readonly from: number; readonly count: number }
  | { readonly of: 'select'; readonly dim: string; readonly at: number }
  | { readonly of: 'repeat'; readonly dim: string; readonly size: number }

export const CombineCodec = t.keyof({ sum: null, max: null, min: null })
const names = t.readonlyArray(t.string)

const ViewTemplateCodec: t.Type<ViewTemplate, unknown> = t.union([
  t.strict({ of: t.literal('split'), dim: t.string, parts: t.readonlyArray(t.strict({ name: t.string, size: t.number })) }),
  t.strict({ of: t.literal('merge'), dims: names, to: t.string }),
  t.strict({ of: t.literal('rename'), dim: t.string, to: t.string }),
  t.strict({ of: t.literal('reorder'), dims: names }),
  t.strict({ of: t.literal('slice'), dim: t.string, from: t.number, count: t.number }),
  t.strict({ of: t.literal('select'), dim: t.string, at: t.number }),
  t.strict({ of: t.literal('repeat'), dim: t.string, size: t.number }),
])

const attentionBlock = {
  over: t.string,
  features: t.string,
  maskKeys: t.union([t.string, t.null]),
  scale: NumberCodec,
  carried: t.boolean,
}

export const TemplateCodec: t.Type<Template, unknown> = t.union([
  t.strict({ family: t.literal('map'), expression: ExpressionCodec }),
  t.strict({
    family: t.literal('row'),
    inner: names,
    result: ExpressionCodec,
    per: t.keyof({ row: null, element: null }),
    folds: t.readonlyArray(t.strict({ combine: CombineCodec, expression: ExpressionCodec })),
  }),
  t.strict({ family: t.literal('contract'), inner: names, epilogue: ExpressionCodec }),
  t.strict({ family: t.literal('attention'), ...attentionBlock, logSum: t.boolean }),
  t.strict({ family: t.literal('attention-gradient'), ...attentionBlock, of: t.keyof({ queries: null, keys: null }), part: t.string }),
  t.strict({ family: t.literal('gather'), dim: t.string, outside: t.keyof({ NaN: null, zero: null }) }),
  t.strict({ family: t.literal('scatter'), dim: t.string }),
  t.strict({ family: t.literal('place'), dim: t.string, before: t.number, fill: NumberCodec }),
  t.strict({ family: t.literal('view'), view: ViewTemplateCodec }),
])
