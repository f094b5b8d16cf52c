import { part } from '#lib/grad/place.ts'
import { needLiteral } from '#lib/language/literal.ts'
import * as say from '#lib/language/messages.ts'
import { knownOptions } from '#lib/language/options.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { atLine, refuse } from '#lib/language/refusal.ts'
import type { Pad } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { sizeOf } from '#lib/layout/layout.ts'
import { needDim, replaced } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string; readonly before: number; readonly after: number; readonly value: number | boolean }> = {
  name: 'pad',
  shape: ([x], { dim, before, after, value }) => {
    needDim('pad', x!, dim)
    for (const [what, count] of Object.entries({ before, after })) {
      if (!Number.isInteger(count) || count < 0) refuse(say.notCount('pad', what, count))
    }
    needLiteral('pad', value, x!.type)
    return replaced(x!, dim, [{ name: dim, size: before + sizeOf(x!, dim)! + after }])
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [],
  gradient: ({ operands: [x], cotangent, attributes: { dim, before } }) => [() => part(cotangent, dim, before, nodeOf(x!).shape)],
  kernel: (_, __, { dim, before, value }) => ({ family: 'place', dim, before, fill: Number(value) }),
}

/**
 * A constant before and after the positions of a dim, which must be whole: `pad('t', { before: 1, after: 2 })`. Its `value` is 0
 * unless said, and must be one that the elements can be: for f32 any number, the nearest float32 of it (±∞ and NaN too); for
 * i32 a whole number within ±2³¹; for bool 0, 1, false or true. Derivative: the positions that were there.
 */
export const pad = <
  const D extends string,
  const Before extends number = 0,
  const After extends number = 0,
  const Value extends number | boolean = 0,
>(
  dim: D,
  options: { readonly before?: Before; readonly after?: After; readonly value?: Value },
): Stage<Pad<D, `${Before}`, `${After}`, Value>> => {
  const where = sourceLine()
  return stage((x) => {
    atLine(where, () => knownOptions('pad', options, ['before', 'after', 'value']))
    const { before = 0, after = 0, value = 0 } = options
    return record(op, { dim, before, after, value }, [x], where)
  })
}
