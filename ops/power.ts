import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/** x to the power y (a tensor or a number), broadcast by name; NaN for a negative x and a fractional y. */
export const power = binary('power', 'never', (x, y) => call('power', x, y), { of: 'real' })
