import { part } from '#lib/grad/place.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import type { Concat } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { sizeOf } from '#lib/layout/layout.ts'
import { needDim, noExtra, replaced, sameSizes, sameType, without } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'
import { reordered } from './reorder.ts'

const op: Op<{ readonly dim: string }> = {
  name: 'concat',
  shape: ([x, y], { dim }) => {
    needDim('concat', x!, dim, 'left')
    noExtra('concat', y!, x!, 'left')
    noExtra('concat', x!, y!, 'right')
    sameSizes('concat', without(x!, [dim]), y!)
    sameType('concat', x!, y!)
    return replaced(x!, dim, [{ name: dim, size: sizeOf(x!, dim)! + sizeOf(y!, dim)! }])
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [[0, 1]],
  gradient: ({ operands: [x, y], cotangent, attributes: { dim } }) => {
    const [first, second] = [nodeOf(x!).shape, nodeOf(y!).shape]
    return [() => part(cotangent, dim, 0, first), () => reordered(part(cotangent, dim, sizeOf(first, dim)!, second), second)]
  },
  kernel: (_, __, { dim }) => ({ family: 'place', dim, before: 0, fill: 0 }),
}

/** The positions of a dim, which must be whole, of x and then of y: `concat('t', y)`. Both have the same other dims. */
export const concat = <const D extends string, Y extends AnyTensor>(dim: D, y: Y): Stage<Concat<D, Y>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim }, [x, y], where))
}
