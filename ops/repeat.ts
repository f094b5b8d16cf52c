import * as say from '#lib/language/messages.ts'
import { sumTo } from '#lib/grad/template.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { atLine, refuse } from '#lib/language/refusal.ts'
import type { Repeat } from '#lib/language/rules/reshape.ts'
import { sourceLine } from '#lib/language/source.ts'
import { readParts } from '#lib/language/read-spec.ts'
import { type Stage, stage } from '#lib/language/tensor.ts'
import type { Dim } from '#lib/layout/layout.ts'
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
  gradient: ({ operands: [x], cotangent }) => [() => sumTo('repeat gradient', cotangent, nodeOf(x!).shape)],
  kernel: (_, __, { dim, size }) => ({ family: 'view', view: { of: 'repeat', dim, size } }),
}

const read = (part: string): Dim => {
  const [dim] = part.includes(' ') ? [] : readParts('repeat', part)
  return dim ?? refuse(say.notOfForm('repeat', part, 'dim:size'))
}

/** A new major dim along which everything repeats: `repeat('n:4')`. With `merge` this tiles a dim. */
export const repeat = <const Part extends string>(part: Part): Stage<Repeat<Part>> => {
  const where = sourceLine()
  return stage((x) => {
    const { name, size } = atLine(where, () => read(part))
    return record(op, { dim: name, size }, [x], where)
  })
}
