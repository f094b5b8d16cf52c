import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** cos x (radians), element by element. Derivative: -sin x. */
export const cos = nonlinear('cos', (x) => call('cosine', x))
