import { fused } from '#lib/grad/fused.ts'
import { call, fold, input, real } from '#lib/kernel/expression.ts'
import type { RowTemplate } from '#lib/kernel/template.ts'
import { wholeRowOp } from '#lib/language/define.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import type { AlongAway } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import type { Op } from '#lib/op.ts'

const largest = fold(0)
/** What is taken from the exponents: of an infinite element nothing can be taken. */
const shift = call('select', call('isFinite', largest), largest, real(0))
const power = call('exponential', call('subtract', input(0), shift))
const folds: RowTemplate['folds'] = [{ combine: 'max', expression: input(0) }, { combine: 'sum', expression: power }]

/** e^(x - max x) / Σ e^(x - max x); beside a largest element of ∞ and among -∞ alone, what it tends to. */
const weight = call(
  'select',
  call('isFinite', largest),
  call('divide', power, fold(1)),
  call('select', call('or', call('less', input(0), largest), call('less', largest, real(0))), real(0), real(NaN)),
)

const op: Op<{ readonly dim: string }> = {
  ...wholeRowOp('logSumExp', 'row', () => ({ folds, result: call('add', shift, call('logarithm', fold(1))) })),
  gradient: ({ operands: [x], cotangent, attributes: { dim } }) => [() =>
    fused({
      name: 'logSumExp gradient',
      operands: [x!, cotangent],
      result: nodeOf(x!).shape,
      inner: [dim],
      folds,
      expression: call('multiply', input(1), weight),
      linear: [1],
    })],
}

/**
 * log Σ e^x over one dim, which must be whole; computed around the largest element. A row of -∞ gives -∞, as an empty one does,
 * one with ∞ gives ∞, and one with NaN gives NaN. Derivative: softmax(x), which is 0 in a row of -∞, 0 for a finite element
 * beside ∞, and NaN for an element that is ∞ itself.
 */
export const logSumExp = <const D extends string>(dim: D): Stage<AlongAway<'logSumExp', D>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x], where))
}
