import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** The hyperbolic tangent, element by element. Derivative: 1 - tanh(x)². */
export const tanh = nonlinear('tanh', (x) => call('hyperbolicTangent', x))
