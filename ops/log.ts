import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** The natural logarithm, element by element. Derivative: 1 / x. */
export const log = nonlinear('log', (x) => call('logarithm', x))
