import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** sin x (radians), element by element. Derivative: cos x. */
export const sin = nonlinear('sin', (x) => call('sine', x))
