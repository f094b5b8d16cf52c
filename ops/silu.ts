import { call, real } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** x · sigmoid(x), element by element (Elfwing et al. 2017). Derivative: s (1 + x (1 - s)). */
export const silu = nonlinear('silu', (x) => call('divide', x, call('add', real(1), call('exponential', call('negate', x)))))
