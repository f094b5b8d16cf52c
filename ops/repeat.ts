import { record } from '#lib/language/record.ts'
import type { Repeat } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { readSpec } from '#lib/language/read-spec.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import { needFree } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string; readonly size: number }> = {
  name: 'repeat',
  shape: ([x], { dim, size }) => {
    needFree('repeat', x!, dim)
    return { ...x!, dims: [{ name: dim, size }, ...x!.dims] }
  },
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[0]],
  kernel: (_, __, { dim, size }) => ({ family: 'view', view: { of: 'repeat', dim, size } }),
}

/** A new major dim along which everything repeats: `repeat('n:4')`. With `merge` this tiles a dim. */
export const repeat = <const Part extends string>(part: Part): Stage<Repeat<Part>> => {
  const where = sourceLine()
  const { name, size } = readSpec('repeat', part, 'f32').shape.dims[0]!
  return stage((x) => record(op, { dim: name, size }, [x], where))
}
