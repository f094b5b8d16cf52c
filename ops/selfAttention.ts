import * as say from '#lib/language/messages.ts'
import { type Mesh, noMesh } from '#lib/language/mesh.ts'
import { type KnownOptions, knownOptions } from '#lib/language/options.ts'
import { nodeOf } from '#lib/language/record.ts'
import { atLine, refuse } from '#lib/language/refusal.ts'
import type { AttentionDims, AttentionOptions, SelfAttention } from '#lib/language/rules/attention.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, applied, type Stage, stage } from '#lib/language/tensor.ts'
import { cross } from '#lib/layout/cross.ts'
import type { Placed } from '#lib/layout/fixes.ts'
import { sizeOf } from '#lib/layout/layout.ts'
import { needDim, needDims, needKind } from '#lib/layout/shapes.ts'
import { crossByName, type Crossing } from '#lib/op.ts'
import { attention } from './attention.ts'
import { unstack } from './select.ts'

type Dims = AttentionDims & { readonly parts: string }
type Options = ['parts', ...AttentionOptions]
const selfAttentionOptions: Options = ['parts', 'over', 'features', 'heads', 'mask', 'maskKeys', 'ring']

/** What the input must be, said before it is taken apart, so that a message speaks of what the program's text shows. */
const check = (x: Placed, mesh: Mesh, { parts, over, features, heads, ring }: Dims): void => {
  needDims('selfAttention', x.shape, [parts, over, features])
  const count = sizeOf(x.shape, parts)!
  if (count !== 3) refuse(say.partsCount('selfAttention', parts, 3, count))
  if (heads !== undefined) needDim('selfAttention', x.shape, heads)
  needKind('selfAttention', x.shape, 'real')
  const crossings = [parts, over, features].map((dim): Crossing => {
    const crossing = crossByName([x.shape], x.shape, { [dim]: 'whole' }).find(({ result }) => result === dim)!
    return dim === over && ring !== undefined ? { ...crossing, kind: 'fold', ring } : crossing
  })
  const fault = cross({ name: 'selfAttention', crossings, linear: [], sides: undefined }, [x], x.shape, mesh)
  if (typeof fault === 'string') refuse(fault)
}

/**
 * Attention of a tensor that holds queries, keys and values one after another along dim `parts` (of 3 positions), as one
 * linear layer makes them. Everything else is as in `attention`.
 */
export const selfAttention = <const O extends Dims>(
  options: KnownOptions<'selfAttention', O, Options>,
): Stage<SelfAttention<O>> => {
  const where = sourceLine()
  const given = options as Dims
  const { parts, ...dims } = given
  const attend = attention<AttentionDims>(dims)
  const parted = unstack(parts)
  return stage((x) => {
    atLine(where, () => {
      knownOptions('selfAttention', given, selfAttentionOptions)
      check(nodeOf(x), nodeOf(x).mesh ?? noMesh, given)
    })
    const [query, key, value] = applied(parted)(x) as unknown as readonly AnyTensor[]
    return applied(attend(key!, value!))(query!)
  })
}
