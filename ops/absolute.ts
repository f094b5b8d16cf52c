import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** |x|, element by element. Derivative: the sign of x, which is 0 at 0. */
export const absolute = nonlinear('absolute', (x) => call('absolute', x))
