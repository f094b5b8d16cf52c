import { call, fold, input } from '#lib/kernel/expression.ts'
import { record } from '#lib/language/record.ts'
import type { AlongAway } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { needDim, needKind, without } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string }> = {
  name: 'logSumExp',
  shape: ([x], { dim }) => {
    needDim('logSumExp', x!, dim)
    needKind('logSumExp', x!, 'real')
    return without(x!, [dim])
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [],
  kernel: (_, __, { dim }) => ({
    family: 'row',
    inner: [dim],
    per: 'row',
    folds: [
      { combine: 'max', expression: input(0) },
      { combine: 'sum', expression: call('exponential', call('subtract', input(0), fold(0))) },
    ],
    result: call('add', fold(0), call('logarithm', fold(1))),
  }),
}

/** log Σ e^x over one dim, which must be whole; computed around the largest element. Derivative: softmax(x). */
export const logSumExp = <const D extends string>(dim: D): Stage<AlongAway<'logSumExp', D>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x], where))
}
