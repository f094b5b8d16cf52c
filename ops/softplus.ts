import { call, real } from '#lib/kernel/expression.ts'
import { logistic, nonlinear } from '#lib/language/define.ts'

/**
 * log(1 + e^x), element by element, as max(x, 0) + log1p(e^-|x|): it neither overflows nor loses digits, and is 0 and ∞ for -∞
 * and ∞. Derivative: 1 / (1 + e^-x).
 */
export const softplus = nonlinear(
  'softplus',
  (x) =>
    call(
      'add',
      call('maximum', x, real(0)),
      call('logarithmOfOnePlus', call('exponential', call('negate', call('absolute', x)))),
    ),
  logistic,
)
