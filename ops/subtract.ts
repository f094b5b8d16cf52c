import { call } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'

/** x - y for a tensor or a number y, broadcast by name. Two pending sums over the same axes stay pending. */
export const subtract = binary('subtract', 'together', (x, y) => call('subtract', x, y))
