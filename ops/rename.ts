import { record } from '#lib/language/record.ts'
import type { Rename } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { applied, type Stage, stage } from '#lib/language/tensor.ts'
import { sizeOf } from '#lib/layout/layout.ts'
import { needDim, needFree, replaced, without } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string; readonly to: string }> = {
  name: 'rename',
  shape: ([x], { dim, to }) => {
    needDim('rename', x!, dim)
    needFree('rename', without(x!, [dim]), to)
    return replaced(x!, dim, [{ name: to, size: sizeOf(x!, dim)! }])
  },
  crossings: ([x], result, { dim, to }) => [
    { kind: 'map', operands: [dim], result: to },
    ...crossByName([without(x!, [dim])], without(result, [to])),
  ],
  linear: [[0]],
  gradient: ({ cotangent, attributes: { dim, to } }) => [() => applied(rename(to, dim))(cotangent)],
  kernel: (_, __, { dim, to }) => ({ family: 'view', view: { of: 'rename', dim, to } }),
}

/** A dim gets another name; nothing moves. */
export const rename = <const D extends string, const To extends string>(dim: D, to: To): Stage<Rename<D, To>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim, to }, [x], where))
}
