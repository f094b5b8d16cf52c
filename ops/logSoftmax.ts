import { fused } from '#lib/grad/fused.ts'
import { call, fold, input } from '#lib/kernel/expression.ts'
import { wholeRowOp } from '#lib/language/define.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import type { Along } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import type { Op } from '#lib/op.ts'

const shifted = call('subtract', input(0), fold(0))

const op: Op<{ readonly dim: string }> = {
  ...wholeRowOp('logSoftmax', 'element', () => ({
    folds: [{ combine: 'max', expression: input(0) }, { combine: 'sum', expression: call('exponential', shifted) }],
    result: call('subtract', shifted, call('logarithm', fold(1))),
  })),
  gradient: ({ result, cotangent, attributes: { dim } }) => [() =>
    fused({
      name: 'logSoftmax gradient',
      operands: [result, cotangent],
      result: nodeOf(result).shape,
      inner: [dim],
      folds: [{ combine: 'sum', expression: input(1) }],
      expression: call('subtract', input(1), call('multiply', call('exponential', input(0)), fold(0))),
      linear: [1],
    })],
}

/**
 * The logarithm of softmax along one dim, which must be whole: (x - max x) - log Σ e^(x - max x). It keeps its digits where those
 * of softmax are gone: an element 100 below the largest is -100, and one of -∞ is -∞. Rows of -∞ alone, and with ∞, are NaN, as
 * they are for softmax. Derivative: g - e^y Σ g for the result y.
 */
export const logSoftmax = <const D extends string>(dim: D): Stage<Along<'logSoftmax', D>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x], where))
}
