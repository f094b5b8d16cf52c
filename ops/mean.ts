import { foldOp, scaled } from '#lib/language/define.ts'
import { record } from '#lib/language/record.ts'
import type { Fold } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'

const op: ReturnType<typeof foldOp> = { ...foldOp('mean', 'sum', (total, count) => scaled(total, 1 / count)), averages: true }

/** The mean over one or more blank-separated dims. Where a dim is cut, the result is a pending sum over its axes. */
export const mean = <const Dims extends string>(dims: Dims): Stage<Fold<'mean', Dims, 'sum'>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dims }, [x], where))
}
