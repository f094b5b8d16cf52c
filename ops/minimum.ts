import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/** The smaller of x and y (a tensor or a number), broadcast by name; NaN if either is. Derivative: 1 to the smaller, ½ to each of equals. */
export const minimum = binary('minimum', 'never', (x, y) => call('minimum', x, y))
