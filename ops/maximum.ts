import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/** The larger of x and y (a tensor or a number), broadcast by name; NaN if either is. Derivative: 1 to the larger, ½ to each of equals. */
export const maximum = binary('maximum', 'never', (x, y) => call('maximum', x, y))
