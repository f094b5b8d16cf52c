import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** The error function, element by element. Derivative: 2 e^(-x²) / √π. */
export const erf = nonlinear('erf', (x) => call('errorFunction', x))
