import * as say from '#lib/language/messages.ts'
import { record } from '#lib/language/record.ts'
import { refuse } from '#lib/language/refusal.ts'
import type { Concat } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { namesOf, sizeOf } from '#lib/layout/layout.ts'
import { extraDims, needDims, replaced, sameSizes, sameType, without } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string }> = {
  name: 'concat',
  shape: ([x, y], { dim }) => {
    needDims('concat', x!, [dim])
    const [right, left] = [extraDims(y!, x!)[0], extraDims(x!, y!)[0]]
    if (right !== undefined) refuse(say.noDimOn('concat', right.name, 'left', namesOf(x!)))
    if (left !== undefined) refuse(say.noDimOn('concat', left.name, 'right', namesOf(y!)))
    sameSizes('concat', without(x!, [dim]), without(y!, [dim]))
    sameType('concat', x!, y!)
    return replaced(x!, dim, [{ name: dim, size: sizeOf(x!, dim)! + sizeOf(y!, dim)! }])
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [[0, 1]],
  kernel: (_, __, { dim }) => ({ family: 'place', dim, before: 0, fill: 0 }),
}

/** The positions of a dim, which must be whole, of x and then of y: `concat('t', y)`. Both have the same other dims. */
export const concat = <const D extends string, Y extends AnyTensor>(dim: D, y: Y): Stage<Concat<D, Y>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x, y], where))
}
