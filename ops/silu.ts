import { call, real } from '#lib/kernel/expression.ts'
import { finiteLimit, logistic, nonlinear } from '#lib/language/define.ts'

/**
 * x · sigmoid(x), element by element (Elfwing et al. 2017); NaN at -∞, as 0 · ∞ is. Derivative: s + x s (1 - s) with
 * s = sigmoid(x), which is 0 at -∞ and 1 at ∞.
 */
export const silu = nonlinear(
  'silu',
  (x) => call('divide', x, call('add', real(1), call('exponential', call('negate', x)))),
  (x) => {
    const s = logistic(x)
    return call('add', s, finiteLimit(call('multiply', s, call('subtract', real(1), s)), x))
  },
)
