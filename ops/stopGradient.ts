import { record } from '#lib/language/record.ts'
import type { Linear } from '#lib/language/rules/unary.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op = {
  name: 'stopGradient',
  shape: ([x]) => x!,
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[0]],
  constant: true,
  kernel: ([x]) => ({ family: 'view', view: { of: 'reorder', dims: x!.dims.map(({ name }) => name) } }),
}

/** The same tensor, which gradients take for a constant. */
export const stopGradient: Stage<Linear<'stopGradient'>> = stage((x) => record(op, {}, [x], sourceLine()))
