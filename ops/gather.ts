import { record } from '#lib/language/record.ts'
import type { Gather } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { extraDims, needDim, needFree, needKind, replaced, sameSizes } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string }> = {
  name: 'gather',
  sides: () => ['table', 'index'],
  shape: ([table, ids], { dim }) => {
    needDim('gather', table!, dim, 'table')
    needFree('gather', ids!, dim, 'index')
    sameSizes('gather', table!, ids!, 'table', 'index')
    needKind('gather', ids!, 'index', 'index')
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
