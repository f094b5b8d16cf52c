import * as say from '#lib/language/messages.ts'
import { record } from '#lib/language/record.ts'
import { refuse } from '#lib/language/refusal.ts'
import type { Gather } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { namesOf, sizeOf } from '#lib/layout/layout.ts'
import { extraDims, needDims, needType, replaced, sameSizes } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string }> = {
  name: 'gather',
  shape: ([table, ids], { dim }) => {
    needDims('gather', table!, [dim])
    if (sizeOf(ids!, dim) !== undefined) refuse(say.dimExists('gather', dim, namesOf(ids!)))
    sameSizes('gather', table!, ids!)
    needType('gather', ids!, 'i32')
    return replaced(table!, dim, extraDims(ids!, table!))
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [[0]],
  kernel: (_, __, { dim }) => ({ family: 'gather', dim }),
}

/**
 * Looks positions of a dim up by integer index: `pipe(table, gather('v', ids))` replaces dim v (which must be whole) by
 * the dims of `ids` (i32); dims that both have run along. An id outside the table gives NaN (0 in an i32 table).
 */
export const gather = <const D extends string, Ids extends AnyTensor>(dim: D, ids: Ids): Stage<Gather<D, Ids>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x, ids], where))
}
