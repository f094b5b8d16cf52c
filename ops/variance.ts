import { call, fold, input } from '#lib/kernel/expression.ts'
import { scaled, wholeRowOp } from '#lib/language/define.ts'
import { record } from '#lib/language/record.ts'
import type { AlongAway } from '#lib/language/rules/along.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'

const op = wholeRowOp('variance', 'row', (count) => {
  const deviation = call('subtract', input(0), scaled(fold(0), 1 / count))
  return {
    folds: [{ combine: 'sum', expression: input(0) }, { combine: 'sum', expression: call('multiply', deviation, deviation) }],
    result: scaled(fold(1), 1 / count),
  }
})

/** The mean squared deviation from the mean (not Bessel-corrected) over one dim, which must be whole. */
export const variance = <const D extends string>(dim: D): Stage<AlongAway<'variance', D>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x], where))
}
