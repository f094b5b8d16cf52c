import { call, real } from '#lib/kernel/expression.ts'
import { nonlinear, plus } from '#lib/language/define.ts'

/** x · sigmoid(x), element by element (Elfwing et al. 2017). Derivative: s (1 + x (1 - s)) with s = sigmoid(x). */
export const silu = nonlinear(
  'silu',
  (x) => call('divide', x, call('add', real(1), call('exponential', call('negate', x)))),
  (x) => {
    const s = call('divide', real(1), call('add', real(1), call('exponential', call('negate', x))))
    return call('multiply', s, plus(call('multiply', x, call('subtract', real(1), s)), 1))
  },
)
