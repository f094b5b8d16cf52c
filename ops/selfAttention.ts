import type { AttentionDims } from '#lib/language/rules/attention.ts'
import type { SelfAttention } from '#lib/language/rules/attention.ts'
import { applied, type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { attention } from './attention.ts'
import { unstack } from './select.ts'

/**
 * Attention of a tensor that holds queries, keys and values one after another along dim `parts` (of 3 positions), as one
 * linear layer makes them. Everything else is as in `attention`.
 */
export const selfAttention = <const O extends AttentionDims & { readonly parts: string }>(options: O): Stage<SelfAttention<O>> => {
  const attend = attention(options)
  const parted = unstack(options.parts)
  return stage((x) => {
    const [query, key, value] = applied(parted)(x) as unknown as readonly AnyTensor[]
    return applied(attend(key!, value!))(query!)
  })
}
