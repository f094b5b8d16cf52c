import { place } from '#lib/grad/place.ts'
import * as say from '#lib/language/messages.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { refuse } from '#lib/language/refusal.ts'
import type { Select, Unstack } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { sizeOf } from '#lib/layout/layout.ts'
import { needDim, without } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const selecting = (name: string): Op<{ readonly dim: string; readonly at: number }> => ({
  name,
  shape: ([x], { dim, at }) => {
    needDim(name, x!, dim)
    const size = sizeOf(x!, dim)!
    if (!Number.isInteger(at) || at < 0 || at >= size) refuse(say.outOfRange(name, dim, size, `position ${at}`))
    return without(x!, [dim])
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [[0]],
  gradient: ({ operands: [x], cotangent, attributes: { dim, at } }) => [() => place(cotangent, dim, at, nodeOf(x!).shape)],
  kernel: (_, __, { dim, at }) => ({ family: 'view', view: { of: 'select', dim, at } }),
})
const selectOp = selecting('select')
const unstackOp = selecting('unstack')

/** One position of a dim, which goes away: `select('part', 0)`. The dim must be whole. */
export const select = <const D extends string, const At extends number>(dim: D, at: At): Stage<Select<D, `${At}`>> => {
  const where = sourceLine()
  return stage((x) => record(selectOp, { dim, at }, [x], where))
}

/** Every position of a dim as a tensor of its own: `const [q, k, v] = pipe(x, unstack('part'))`. The dim must be whole. */
export const unstack = <const D extends string>(dim: D): Stage<Unstack<D>> => {
  const where = sourceLine()
  return stage((x) => Array.from({ length: sizeOf(nodeOf(x).shape, dim) ?? 1 }, (_, at) => record(unstackOp, { dim, at }, [x], where)))
}
