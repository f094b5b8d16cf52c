import { call, real } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** 1 / (1 + e^-x), element by element. Derivative: s (1 - s). */
export const sigmoid = nonlinear(
  'sigmoid',
  (x) => call('divide', real(1), call('add', real(1), call('exponential', call('negate', x)))),
  (_, s) => call('multiply', s, call('subtract', real(1), s)),
)
