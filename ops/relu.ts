import { call, real } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** max(x, 0), element by element. Derivative: 1 where x > 0, else 0. */
export const relu = nonlinear('relu', (x) => call('maximum', x, real(0)))
