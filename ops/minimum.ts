import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/** The smaller of x and y (a tensor or a number), broadcast by name; NaN if either is. */
export const minimum = binary('minimum', 'never', (x, y) => call('minimum', x, y))
