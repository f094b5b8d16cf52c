import { call, fold, input } from '#lib/kernel/expression.ts'
import { wholeRowOp } from '#lib/language/define.ts'
import { record } from '#lib/language/record.ts'
import type { Along } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'

const shifted = call('exponential', call('subtract', input(0), fold(0)))

const op = wholeRowOp('softmax', 'element', () => ({
  folds: [{ combine: 'max', expression: input(0) }, { combine: 'sum', expression: shifted }],
  result: call('divide', shifted, fold(1)),
}))

/** e^(x - max x) / Σ e^(x - max x) along one dim, which must be whole. Derivative: y (g - Σ g y). */
export const softmax = <const D extends string>(dim: D): Stage<Along<'softmax', D>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x], where))
}
