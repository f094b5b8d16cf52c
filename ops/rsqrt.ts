import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** 1 / √x, element by element. Derivative: -1 / (2 x √x). */
export const rsqrt = nonlinear('rsqrt', (x) => call('reciprocalSquareRoot', x))
