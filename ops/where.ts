import { call, input } from '#lib/kernel/expression.ts'
import { record } from '#lib/language/record.ts'
import type { Where } from '#lib/language/rules/binary.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { broadcast, needKind, sameSizes, sameType } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op = {
  name: 'where',
  sides: () => ['condition', 'left', 'right'],
  shape: ([condition, a, b]) => {
    sameSizes('where', condition!, a!, 'condition', 'left')
    sameSizes('where', condition!, b!, 'condition', 'right')
    sameSizes('where', a!, b!)
    needKind('where', condition!, 'truth', 'condition')
    sameType('where', a!, b!)
    return { ...broadcast(broadcast(condition!, a!), b!), type: a!.type }
  },
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[1, 2]],
  kernel: () => ({ family: 'map', expression: call('select', input(0), input(1), input(2)) }),
}

/**
 * a where the condition (a bool tensor, the input) holds, else b; broadcast by name. What is not chosen is never seen in the
 * value, be it NaN or infinite. Derivative: g to the chosen side, and 0 to the other.
 *
 * That 0 goes back through the op that made the side, as 0 times its slope: NaN where the slope is not finite, as that of log at
 * 0 (0 · ∞). So where a side is undefined for some elements, the elements must be chosen before the op, and not only its result:
 *
 *     const positive = pipe(x, greater(0))
 *     pipe(positive, where(pipe(x, log), fill('t:4', 0)))                                          // gradient at 0: NaN
 *     pipe(positive, where(pipe(positive, where(x, fill('t:4', 1)), log), fill('t:4', 0)))         // gradient at 0: 0
 */
export const where = <A extends AnyTensor, B extends AnyTensor>(a: A, b: B): Stage<Where<A, B>> => {
  const line = sourceLine()
  return stage((condition) => record(op, {}, [condition, a, b], line))
}
