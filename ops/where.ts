import { call, input } from '#lib/kernel/expression.ts'
import { record } from '#lib/language/record.ts'
import type { Where } from '#lib/language/rules/binary.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { extraDims, needType, sameSizes, sameType } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op = {
  name: 'where',
  shape: ([condition, a, b]) => {
    sameSizes('where', condition!, a!)
    sameSizes('where', condition!, b!)
    sameSizes('where', a!, b!)
    needType('where', condition!, 'bool')
    sameType('where', a!, b!)
    const two = [...extraDims(a!, condition!), ...condition!.dims]
    return { dims: [...extraDims(b!, { dims: two, type: 'f32' }), ...two], type: a!.type }
  },
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[1, 2]],
  kernel: () => ({ family: 'map', expression: call('select', input(0), input(1), input(2)) }),
}

/** a where the condition (a bool tensor, the input) holds, else b; broadcast by name. Derivative: 1 to the chosen side. */
export const where = <A extends AnyTensor, B extends AnyTensor>(a: A, b: B): Stage<Where<A, B>> => {
  const line = sourceLine()
  return stage((condition) => record(op, {}, [condition, a, b], line))
}
