import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/** x / y for a tensor or a number y, broadcast by name. x may be a pending sum. */
export const divide = binary('divide', 'left', (x, y) => call('divide', x, y))
