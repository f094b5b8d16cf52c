import { call, real } from '#lib/kernel/expression.ts'
import { nonlinear } from '#lib/language/define.ts'

/** max(x, 0), element by element. Derivative: 1 where x > 0, else 0 (at 0 too, though the sides of a maximum share there). */
export const relu = nonlinear(
  'relu',
  (x) => call('maximum', x, real(0)),
  (x) => call('select', call('less', real(0), x), real(1), real(0)),
)
