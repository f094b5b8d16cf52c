import { call, real } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** 1 / x, element by element. Derivative: -1 / x². */
export const reciprocal = nonlinear('reciprocal', (x) => call('divide', real(1), x))
