import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/**
 * x / y for a tensor or a number y, broadcast by name. x may be a pending sum. Integers divide towards zero; by 0 they give -1, and
 * the least one by -1 itself, as JAX has it on a CPU. Derivatives: 1 / y and -x / y².
 */
export const divide = binary('divide', 'left', (x, y) => call('divide', x, y))
