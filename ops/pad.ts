import { part } from '#lib/grad/place.ts'
import * as say from '#lib/language/messages.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { refuse } from '#lib/language/refusal.ts'
import type { Pad } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { sizeOf } from '#lib/layout/layout.ts'
import { needDim, replaced } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string; readonly before: number; readonly after: number; readonly value: number }> = {
  name: 'pad',
  shape: ([x], { dim, before, after }) => {
    needDim('pad', x!, dim)
    for (const [what, count] of Object.entries({ before, after })) {
      if (!Number.isInteger(count) || count < 0) refuse(say.notCount('pad', what, count))
    }
    return replaced(x!, dim, [{ name: dim, size: before + sizeOf(x!, dim)! + after }])
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [],
  gradient: ({ operands: [x], cotangent, attributes: { dim, before } }) => [() => part(cotangent, dim, before, nodeOf(x!).shape)],
  kernel: (_, __, { dim, before, value }) => ({ family: 'place', dim, before, fill: value }),
}

/** A constant (0 unless said) before and after the positions of a dim, which must be whole: `pad('t', { before: 1, after: 2 })`. */
export const pad = <const D extends string, const Before extends number = 0, const After extends number = 0>(
  dim: D,
  { before, after, value = 0 }: { readonly before?: Before; readonly after?: After; readonly value?: number },
): Stage<Pad<D, `${Before}`, `${After}`>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim, before: before ?? 0, after: after ?? 0, value }, [x], where))
}
