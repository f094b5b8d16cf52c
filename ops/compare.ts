import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/** x = y for a tensor or a number y, broadcast by name. Gives bool. */
export const equal = binary('equal', 'never', (x, y) => call('equal', x, y), { of: 'any', to: 'bool' })
/** x < y for a tensor or a number y, broadcast by name. Gives bool. */
export const less = binary('less', 'never', (x, y) => call('less', x, y), { to: 'bool' })
/** x ≤ y for a tensor or a number y, broadcast by name. Gives bool. */
export const lessOrEqual = binary('lessOrEqual', 'never', (x, y) => call('lessOrEqual', x, y), { to: 'bool' })
/** x > y for a tensor or a number y, broadcast by name. Gives bool. */
export const greater = binary('greater', 'never', (x, y) => call('less', y, x), { to: 'bool' })
/** x ≥ y for a tensor or a number y, broadcast by name. Gives bool. */
export const greaterOrEqual = binary('greaterOrEqual', 'never', (x, y) => call('lessOrEqual', y, x), { to: 'bool' })
