import { type AnyStage, type AnyTensor, applied, type Stage, stage } from './tensor.ts'
import type { Residual, Sequence } from './rules/layers.ts'
import { record } from './record.ts'
import { sourceLine } from './source.ts'
import { crossByName, type Op } from '../op.ts'
import { call, input } from '../kernel/expression.ts'
import { namesOf } from '../layout/layout.ts'
import { extraDims, needKind, sameSizes, sameType } from '../layout/shapes.ts'
import * as say from './messages.ts'
import { refuse } from './refusal.ts'

const run = (stages: readonly AnyStage[], x: AnyTensor): AnyTensor => stages.reduce((value, one) => applied(one)(value), x)

/**
 * Stages as one stage. Unlike a function composed with `flow`, it fits tensors of any layout: it is checked each time
 * it meets one.
 */
export const seq = <const Stages extends readonly AnyStage[]>(...stages: Stages): Stage<Sequence<Stages>> => stage((x) => run(stages, x))

const residualOp: Op = {
  name: 'residual',
  sides: () => ['input', 'result'],
  shape: ([x, y]) => {
    if (extraDims(y!, x!).length + extraDims(x!, y!).length > 0) refuse(say.dimsChange('residual', namesOf(x!), namesOf(y!)))
    sameSizes('residual', x!, y!, 'input', 'result')
    needKind('residual', x!, 'number')
    sameType('residual', x!, y!, 'input', 'result')
    return x!
  },
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[0, 1]],
  kernel: () => ({ family: 'map', expression: call('add', input(0), input(1)) }),
}

/** x + stages(x), for tensors of any layout that the stages accept and give back. */
export const residual = <const Stages extends readonly AnyStage[]>(...stages: Stages): Stage<Residual<Stages>> => {
  const where = sourceLine()
  return stage((x) => record(residualOp, {}, [x, run(stages, x)], where))
}
