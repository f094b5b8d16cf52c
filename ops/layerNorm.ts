import { call, fold, input } from '#lib/kernel/expression.ts'
import { plus, scaled } from '#lib/language/define.ts'
import { norm } from '#lib/language/norm.ts'

/**
 * (x - mean) / √(variance + epsilon) along one dim, which must be whole; then · scale + shift where given (tensors whose
 * dims are among the input's). `epsilon` is 1e-6 unless said (Ba, Kiros & Hinton 2016).
 */
export const layerNorm = norm('layerNorm', (count, epsilon) => {
  const deviation = call('subtract', input(0), scaled(fold(0), 1 / count))
  return {
    folds: [{ combine: 'sum', expression: input(0) }, { combine: 'sum', expression: call('multiply', deviation, deviation) }],
    normed: call('multiply', deviation, call('reciprocalSquareRoot', plus(scaled(fold(1), 1 / count), epsilon))),
  }
})
