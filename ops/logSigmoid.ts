import { call, real } from '#lib/kernel/expression.ts'
import { logistic, nonlinear } from '#lib/language/define.ts'

/**
 * The logarithm of 1 / (1 + e^-x), element by element, as min(x, 0) - log1p(e^-|x|): where the sigmoid itself has no digits left
 * it is x, and for ∞ and -∞ it is 0 and -∞. Derivative: 1 / (1 + e^x).
 */
export const logSigmoid = nonlinear(
  'logSigmoid',
  (x) =>
    call(
      'subtract',
      call('minimum', x, real(0)),
      call('logarithmOfOnePlus', call('exponential', call('negate', call('absolute', x)))),
    ),
  (x) => logistic(call('negate', x)),
)
