import { foldOp } from '#lib/language/define.ts'
import { record } from '#lib/language/record.ts'
import type { Fold } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'

const op = foldOp('sum', 'sum')

/** The sum over one or more blank-separated dims. Where a dim is cut, the result is a pending sum over its axes. */
export const sum = <const Dims extends string>(dims: Dims): Stage<Fold<'sum', Dims, 'sum'>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dims }, [x], where))
}
