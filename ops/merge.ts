import { nodeOf, record } from '#lib/language/record.ts'
import type { Merge } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { applied, type Stage, stage } from '#lib/language/tensor.ts'
import { sizeOf } from '#lib/layout/layout.ts'
import { needDims, needFree, replaced, without, words } from '#lib/layout/shapes.ts'
import { crossByName, type Crossing, type Op } from '#lib/op.ts'
import { reordered } from './reorder.ts'
import { split } from './split.ts'

const op: Op<{ readonly dims: string; readonly to: string }> = {
  name: 'merge',
  shape: ([x], { dims, to }) => {
    needDims('merge', x!, words(dims))
    needFree('merge', without(x!, words(dims)), to)
    const size = words(dims).reduce((total, dim) => total * sizeOf(x!, dim)!, 1)
    return replaced(without(x!, words(dims).slice(1)), words(dims)[0]!, [{ name: to, size }])
  },
  crossings: ([x], result, { dims, to }) => {
    const [major, ...minor] = words(dims)
    const trivial = minor.every((dim) => sizeOf(x!, dim) === 1)
    return [
      ...minor.map((dim): Crossing => ({ kind: 'whole', operands: [dim], result: null })),
      { kind: 'map', operands: [major!], result: to, ...(trivial ? {} : { divisor: sizeOf(x!, major!)! }) },
      ...crossByName([without(x!, words(dims))], without(result, [to])),
    ]
  },
  linear: [[0]],
  gradient: ({ operands: [x], cotangent, attributes: { dims, to } }) => {
    const { shape } = nodeOf(x!)
    const parts = words(dims).map((dim) => `${dim}:${sizeOf(shape, dim)!}`).join(' ')
    return [() => reordered(applied(split(to, parts))(cotangent), shape)]
  },
  kernel: (_, __, { dims, to }) => ({ family: 'view', view: { of: 'merge', dims: words(dims), to } }),
}

/**
 * Several dims become one in the place of the first, which is the major one: `merge('h d', 'f')`. Only the major dim may
 * be cut, and the ranks must divide it.
 */
export const merge = <const Dims extends string, const To extends string>(dims: Dims, to: To): Stage<Merge<Dims, To>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dims, to }, [x], where))
}
