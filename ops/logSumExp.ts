import { call, fold, input } from '#lib/kernel/expression.ts'
import { wholeRowOp } from '#lib/language/define.ts'
import { record } from '#lib/language/record.ts'
import type { AlongAway } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'

const op = wholeRowOp('logSumExp', 'row', () => ({
  folds: [
    { combine: 'max', expression: input(0) },
    { combine: 'sum', expression: call('exponential', call('subtract', input(0), fold(0))) },
  ],
  result: call('add', fold(0), call('logarithm', fold(1))),
}))

/** log Σ e^x over one dim, which must be whole; computed around the largest element. Derivative: softmax(x). */
export const logSumExp = <const D extends string>(dim: D): Stage<AlongAway<'logSumExp', D>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x], where))
}
