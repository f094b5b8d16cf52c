import { readSpec } from '../language/read-spec.ts'
import { nodeOf, record } from '../language/record.ts'
import { sourceLine } from '../language/source.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { printSpec, type Shape, sizeOf, wholeLayout } from '../layout/layout.ts'
import { crossByName, type Crossing, type Op } from '../op.ts'

/**
 * Looking rows of a table up by ids, and adding values to the rows that ids name: both are linear, and each is the other's
 * transpose, so each is the other's gradient. An id that names no row gives 0, and gets nothing.
 */
type Rows = { readonly dim: string; readonly dims: string }

const dimsOf = (shape: Shape): string => printSpec(shape, wholeLayout(shape))

/** How values are added up: dims of the ids that the result lacks are summed, and each rank can make rows of its own. */
export const crossRows = (operands: readonly Shape[], result: Shape): readonly Crossing[] => {
  const folded = operands[1]!.dims.filter(({ name }) => sizeOf(result, name) === undefined)
  return crossByName(operands, result, Object.fromEntries(folded.map(({ name }) => [name, 'sum'])))
}

const rowsOp: Op<Rows> = {
  name: 'scatterAdd gradient',
  sides: () => ['table', 'index'],
  shape: ([table], { dims }) => readSpec('scatterAdd gradient', dims, table!.type).shape,
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [[0]],
  gradient: ({ operands: [table, ids], cotangent, attributes: { dim } }) => [() => addedToRows(cotangent, ids!, dim, nodeOf(table!).shape)],
  kernel: (_, __, { dim }) => ({ family: 'gather', dim, outside: 'zero' }),
}

/** The rows of a table's dim that ids name, in the given shape; 0 for ids outside. */
export const rowsOf = (table: AnyTensor, ids: AnyTensor, dim: string, shape: Shape): AnyTensor =>
  record(rowsOp, { dim, dims: dimsOf(shape) }, [table, ids], sourceLine())

const addedOp: Op<Rows> = {
  name: 'gather gradient',
  shape: ([values], { dims }) => readSpec('gather gradient', dims, values!.type).shape,
  sides: () => ['input', 'index'],
  crossings: crossRows,
  linear: [[0]],
  gradient: ({ operands: [values, ids], cotangent, attributes: { dim } }) => [() => rowsOf(cotangent, ids!, dim, nodeOf(values!).shape)],
  kernel: (_, __, { dim }) => ({ family: 'scatter', dim }),
}

/** Σ values over the positions whose id names a row, for all rows of a dim of the given shape; ids outside are dropped. */
export const addedToRows = (values: AnyTensor, ids: AnyTensor, dim: string, shape: Shape): AnyTensor =>
  record(addedOp, { dim, dims: dimsOf(shape) }, [values, ids], sourceLine())
