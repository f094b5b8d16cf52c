import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** x², element by element. Derivative: 2 x. */
export const square = nonlinear('square', (x) => call('multiply', x, x))
