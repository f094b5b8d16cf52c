import { addedToRows } from '#lib/grad/rows.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import type { Gather } from '#lib/language/rules/rows.ts'
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
  gradient: ({ operands: [table, ids], cotangent, attributes: { dim } }) => [() => addedToRows(cotangent, ids!, dim, nodeOf(table!).shape)],
  kernel: (_, __, { dim }) => ({ family: 'gather', dim, outside: 'NaN' }),
}

/**
 * Looks positions of a dim up by integer index: `pipe(table, gather('v', ids))` replaces dim v (which must be whole) by
 * the dims of `ids` (i32); dims that both have run along. An id outside 0 … v-1 (a negative one too) gives NaN (0 in an i32
 * table).
 *
 * Derivative: each row's is the sum of the cotangents of the positions that looked it up (as `scatterAdd` makes it), 0 for rows
 * that none did; ids outside get nothing. It takes time in proportion to the ids, and to the table for its zeros. The same
 * layout gives the same bits on every run. Where ids are cut, each rank sums its own and the ranks' sums are added in rank
 * order: other layouts differ by rounding, relative to the sum of magnitudes by a few ulp for each doubling of the terms.
 */
export const gather = <const D extends string, Ids extends AnyTensor>(dim: D, ids: Ids): Stage<Gather<D, Ids>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x, ids], where))
}
