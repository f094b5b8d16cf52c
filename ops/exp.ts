import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** e^x, element by element. Derivative: e^x. */
export const exp = nonlinear('exp', (x) => call('exponential', x))
