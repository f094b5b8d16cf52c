import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/** x · y for a tensor or a number y, broadcast by name. One side may be a pending sum. */
export const multiply = binary('multiply', 'either', (x, y) => call('multiply', x, y))
