import { call } from '#lib/kernel/expression.ts'
import { elementwise } from '#lib/language/define.ts'
import { record } from '#lib/language/record.ts'
import type { Linear } from '#lib/language/rules/unary.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'

const op = elementwise('negate', (x) => call('negate', x), { linear: true })

/** -x, element by element; pending sums stay pending. Derivative: -1. */
export const negate: Stage<Linear<'negate'>> = stage((x) => record(op, {}, [x], sourceLine()))
