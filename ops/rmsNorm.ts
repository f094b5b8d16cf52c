import { call, fold, input } from '#lib/kernel/expression.ts'
import { plus, scaled } from '#lib/language/define.ts'
import { norm } from '#lib/language/norm.ts'

/**
 * x / √(mean x² + epsilon) along one dim, which must be whole; then · scale + shift where given (tensors whose dims are
 * among the input's). `epsilon` is 1e-6 unless said (Zhang & Sennrich 2019).
 */
export const rmsNorm = norm('rmsNorm', (count, epsilon) => ({
  folds: [{ combine: 'sum', expression: call('multiply', input(0), input(0)) }],
  normed: call('multiply', input(0), call('reciprocalSquareRoot', plus(scaled(fold(0), 1 / count), epsilon))),
}))
