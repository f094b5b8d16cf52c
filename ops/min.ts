import { foldOp } from '#lib/language/define.ts'
import { record } from '#lib/language/record.ts'
import type { Fold } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'

const op = foldOp('min', 'min')

/** The smallest element over blank-separated dims. Where a dim is cut, the result is a pending min over its axes. */
export const min = <const Dims extends string>(dims: Dims): Stage<Fold<'min', Dims, 'min'>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dims }, [x], where))
}
