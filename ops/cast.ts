import type { DType } from '#lib/dtype.ts'
import { call, input } from '#lib/kernel/expression.ts'
import { record } from '#lib/language/record.ts'
import type { Cast } from '#lib/language/rules/unary.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { crossByName, type Op } from '#lib/op.ts'

const into = { f32: 'toReal', i32: 'toInteger', bool: 'toTruth' } as const

const op: Op<{ readonly to: DType }> = {
  name: 'cast',
  shape: ([x], { to }) => ({ ...x!, type: to }),
  crossings: (operands, result) => crossByName(operands, result),
  linear: [],
  kernel: (_, __, { to }) => ({ family: 'map', expression: call(into[to], input(0)) }),
}

/**
 * The elements as another type. f32 to i32 cuts towards zero and stops at the ends of the range; NaN becomes 0. i32 to f32 gives the
 * nearest float32. To bool is whether it is not 0 (NaN is not); from bool is 0 or 1.
 */
export const cast = <const To extends DType>(to: To): Stage<Cast<To>> => {
  const where = sourceLine()
  return stage((x) => record(op, { to }, [x], where))
}
