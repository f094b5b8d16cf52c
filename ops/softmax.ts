import { fused } from '#lib/grad/fused.ts'
import { call, fold, input } from '#lib/kernel/expression.ts'
import { wholeRowOp } from '#lib/language/define.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import type { Along } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import type { Op } from '#lib/op.ts'

const shifted = call('exponential', call('subtract', input(0), fold(0)))

const op: Op<{ readonly dim: string }> = {
  ...wholeRowOp('softmax', 'element', () => ({
    folds: [{ combine: 'max', expression: input(0) }, { combine: 'sum', expression: shifted }],
    result: call('divide', shifted, fold(1)),
  })),
  gradient: ({ result, cotangent, attributes: { dim } }) => [() => softmaxGradient(result, cotangent, dim)],
}

/** y (g - Σ g y) for the result y of a softmax. */
export const softmaxGradient = (y: AnyTensor, cotangent: AnyTensor, dim: string): AnyTensor =>
  fused({
    name: 'softmax gradient',
    operands: [y, cotangent],
    result: nodeOf(y).shape,
    inner: [dim],
    folds: [{ combine: 'sum', expression: call('multiply', input(0), input(1)) }],
    expression: call('multiply', input(0), call('subtract', input(1), fold(0))),
    linear: [1],
  })

/** e^(x - max x) / Σ e^(x - max x) along one dim, which must be whole. Derivative: y (g - Σ g y). */
export const softmax = <const D extends string>(dim: D): Stage<Along<'softmax', D>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x], where))
}
