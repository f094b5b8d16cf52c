import { call } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** √x, element by element. Derivative: 1 / (2 √x). */
export const sqrt = nonlinear('sqrt', (x) => call('squareRoot', x))
