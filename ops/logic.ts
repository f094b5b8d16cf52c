import { call, input } from '#lib/kernel/expression.ts'
import { binary } from '#lib/language/define.ts'
import { record } from '#lib/language/record.ts'
import type { Logical } from '#lib/language/rules/unary.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { needKind } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

/** Whether both hold, for bool tensors, broadcast by name. */
export const and = binary('and', 'never', (x, y) => call('and', x, y), { of: 'truth' })
/** Whether either holds, for bool tensors, broadcast by name. */
export const or = binary('or', 'never', (x, y) => call('or', x, y), { of: 'truth' })

const op: Op = {
  name: 'not',
  shape: ([x]) => {
    needKind('not', x!, 'truth')
    return x!
  },
  crossings: (operands, result) => crossByName(operands, result),
  linear: [],
  kernel: () => ({ family: 'map', expression: call('not', input(0)) }),
}

/** Whether it does not hold, for a bool tensor. */
export const not: Stage<Logical<'not'>> = stage((x) => record(op, {}, [x], sourceLine()))
