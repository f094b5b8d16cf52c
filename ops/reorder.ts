import * as say from '#lib/language/messages.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { refuse } from '#lib/language/refusal.ts'
import type { Reorder } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, applied, type Stage, stage } from '#lib/language/tensor.ts'
import type { Shape } from '#lib/layout/layout.ts'
import { needDims, without, words } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dims: string }> = {
  name: 'reorder',
  shape: ([x], { dims }) => {
    needDims('reorder', x!, words(dims))
    const missing = without(x!, words(dims)).dims[0]
    if (missing !== undefined) refuse(say.dimMissing('reorder', missing.name, dims))
    return { ...x!, dims: words(dims).map((name) => x!.dims.find((dim) => dim.name === name)!) }
  },
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[0]],
  gradient: ({ operands: [x], cotangent }) => [() => reordered(cotangent, nodeOf(x!).shape)],
  kernel: (_, __, { dims }) => ({ family: 'view', view: { of: 'reorder', dims: words(dims) } }),
}

/** The same dims in another memory order: `reorder('s t e')`. */
export const reorder = <const Dims extends string>(dims: Dims): Stage<Reorder<Dims>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dims }, [x], where))
}

/** A tensor with its dims in the order of a shape. */
export const reordered = (x: AnyTensor, like: Shape): AnyTensor => {
  const [from, to] = [nodeOf(x).shape, like].map(({ dims }) => dims.map(({ name }) => name).join(' '))
  return from === to ? x : applied(reorder(to!))(x)
}
