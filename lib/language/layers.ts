import type { AnyStage, AnyTensor, Stage } from './tensor.ts'
import { applied, stage } from './tensor.ts'
import type { Residual, Sequence } from './rules/layers.ts'
import { record } from './record.ts'
import { sourceLine } from './source.ts'
import { crossByName, type Op } from '../op.ts'
import { call, input } from '../kernel/expression.ts'
import { broadcast } from '../layout/shapes.ts'

const run = (stages: readonly AnyStage[], x: AnyTensor): AnyTensor => stages.reduce((value, one) => applied(one)(value), x)

/**
 * Stages as one stage. Unlike a function composed with `flow`, it fits tensors of any layout: it is checked each time
 * it meets one.
 */
export const seq = <const Stages extends readonly AnyStage[]>(...stages: Stages): Stage<Sequence<Stages>> =>
  stage((x) => run(stages, x))

const residualOp: Op = {
  name: 'residual',
  shape: ([x, y]) => broadcast('residual', [x!, y!]),
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[0, 1]],
  kernel: () => ({ family: 'map', expression: call('add', input(0), input(1)) }),
}

/** x + stages(x), for tensors of any layout that the stages accept and give back. */
export const residual = <const Stages extends readonly AnyStage[]>(...stages: Stages): Stage<Residual<Stages>> => {
  const where = sourceLine()
  return stage((x) => record(residualOp, {}, [x, run(stages, x)], where))
}
