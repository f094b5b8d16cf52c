import { fused } from '#lib/grad/fused.ts'
import { call, fold, index, input, real } from '#lib/kernel/expression.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import type { Gather } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { positionOf, sizeOf } from '#lib/layout/layout.ts'
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
  // One-hot rows times the gradient: the same sums in the same order on every layout, at the price of looking at every row.
  gradient: ({ operands: [table, ids], cotangent, attributes: { dim } }) => [() => {
    const { shape } = nodeOf(table!)
    const isThere = call('equal', input(0), index(positionOf(shape, dim)))
    const inner = nodeOf(cotangent).shape.dims.map(({ name }) => name).filter((name) => sizeOf(shape, name) === undefined)
    return fused({
      name: 'gather gradient',
      operands: [ids!, cotangent],
      result: shape,
      ...(inner.length === 0 ? { expression: call('select', isThere, input(1), real(0)) } : {
        inner,
        folds: [{ combine: 'sum', expression: call('select', isThere, input(1), real(0)) }],
        per: 'row',
        expression: fold(0),
      }),
      linear: [1],
    })
  }],
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
