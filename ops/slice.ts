import { place } from '#lib/grad/place.ts'
import * as say from '#lib/language/messages.ts'
import { knownOptions } from '#lib/language/options.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { atLine, refuse } from '#lib/language/refusal.ts'
import type { Slice } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { sizeOf } from '#lib/layout/layout.ts'
import { needDim, replaced } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string; readonly from: number; readonly count: number }> = {
  name: 'slice',
  shape: ([x], { dim, from, count }) => {
    needDim('slice', x!, dim)
    const size = sizeOf(x!, dim)!
    const counts = [from, count].every((n) => Number.isInteger(n) && n >= 0)
    if (!counts || from + count > size) refuse(say.outOfRange('slice', dim, size, `{ from: ${from}, count: ${count} }`))
    return replaced(x!, dim, [{ name: dim, size: count }])
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [[0]],
  gradient: ({ operands: [x], cotangent, attributes: { dim, from } }) => [() => place(cotangent, dim, from, nodeOf(x!).shape)],
  kernel: (_, __, { dim, from, count }) => ({ family: 'view', view: { of: 'slice', dim, from, count } }),
}

/** `count` positions of a dim from position `from` on: `slice('t', { from: 2, count: 5 })`. The dim must be whole. */
export const slice = <const D extends string, const From extends number, const Count extends number>(
  dim: D,
  options: { readonly from: From; readonly count: Count },
): Stage<Slice<D, `${From}`, `${Count}`>> => {
  const where = sourceLine()
  return stage((x) => {
    atLine(where, () => knownOptions('slice', options, ['from', 'count']))
    const { from, count } = options
    return record(op, { dim, from, count }, [x], where)
  })
}
