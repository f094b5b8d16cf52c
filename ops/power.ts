import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/**
 * x to the power y (a tensor or a number), broadcast by name; NaN for a negative x and a fractional y. x⁰ and 1ʸ are 1 whatever the
 * other is, and the rest of the edges are those of C99 (F.9.4.4). Derivatives: y x^(y-1), which is 0 where y is, and xʸ log x,
 * which is 0 where x or xʸ is.
 */
export const power = binary('power', 'never', (x, y) => call('power', x, y), { of: 'real' })
