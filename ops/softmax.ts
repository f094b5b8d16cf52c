import { call, fold, input } from '#lib/kernel/expression.ts'
import { record } from '#lib/language/record.ts'
import type { Along } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { needDim, needKind } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const shifted = call('exponential', call('subtract', input(0), fold(0)))

const op: Op<{ readonly dim: string }> = {
  name: 'softmax',
  shape: ([x], { dim }) => {
    needDim('softmax', x!, dim)
    needKind('softmax', x!, 'real')
    return x!
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [],
  kernel: (_, __, { dim }) => ({
    family: 'row',
    inner: [dim],
    per: 'element',
    folds: [{ combine: 'max', expression: input(0) }, { combine: 'sum', expression: shifted }],
    result: call('divide', shifted, fold(1)),
  }),
}

/** e^(x - max x) / Σ e^(x - max x) along one dim, which must be whole. Derivative: y (g - Σ g y). */
export const softmax = <const D extends string>(dim: D): Stage<Along<'softmax', D>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x], where))
}
