import * as say from '#lib/language/messages.ts'
import { record } from '#lib/language/record.ts'
import { refuse } from '#lib/language/refusal.ts'
import type { Split } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { applied, type Stage, stage } from '#lib/language/tensor.ts'
import { readParts } from '#lib/language/read-spec.ts'
import { type Dim, sizeOf } from '#lib/layout/layout.ts'
import { needDim, needFree, replaced, without } from '#lib/layout/shapes.ts'
import { crossByName, type Crossing, type Op } from '#lib/op.ts'
import { merge } from './merge.ts'

const read = (parts: string): readonly Dim[] => readParts('split', parts)
const product = (dims: readonly Dim[]): number => dims.reduce((total, { size }) => total * size, 1)

const op: Op<{ readonly dim: string; readonly parts: string }> = {
  name: 'split',
  shape: ([x], { dim, parts }) => {
    const dims = read(parts)
    needDim('split', x!, dim)
    for (const { name } of dims) needFree('split', without(x!, [dim]), name)
    const size = sizeOf(x!, dim)!
    if (product(dims) !== size) refuse(say.splitSize(dim, size, dims.map((d) => `${d.name}:${d.size}`).join(' × '), product(dims)))
    return replaced(x!, dim, dims)
  },
  crossings: ([x], result, { dim, parts }) => {
    const [major, ...minor] = read(parts)
    const others = crossByName([without(x!, [dim])], without(result, [major!.name, ...minor.map(({ name }) => name)]))
    const cut: Crossing = { kind: 'map', operands: [dim], result: major!.name, ...(product(minor) === 1 ? {} : { divisor: major!.size }) }
    return [cut, ...others, ...minor.map(({ name }): Crossing => ({ kind: 'whole', operands: [null], result: name }))]
  },
  linear: [[0]],
  gradient: (
    { cotangent, attributes: { dim, parts } },
  ) => [() => applied(merge(read(parts).map(({ name }) => name).join(' '), dim))(cotangent)],
  kernel: (_, __, { dim, parts }) => ({ family: 'view', view: { of: 'split', dim, parts: read(parts) } }),
}

/** One dim becomes several, major first: `split('e', 'h:16 d:72')`. A cut stays on the major one, which the ranks must divide. */
export const split = <const D extends string, const Parts extends string>(dim: D, parts: Parts): Stage<Split<D, Parts>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dim, parts }, [x], where))
}
