import { crossRows, rowsOf } from '#lib/grad/rows.ts'
import * as say from '#lib/language/messages.ts'
import { readParts } from '#lib/language/read-spec.ts'
import { knownOptions } from '#lib/language/options.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { atLine, refuse } from '#lib/language/refusal.ts'
import type { ScatterAdd } from '#lib/language/rules/rows.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import type { Dim } from '#lib/layout/layout.ts'
import { needDims, needFree, needKind, noExtra, replaced, sameSizes, without, words } from '#lib/layout/shapes.ts'
import type { Op } from '#lib/op.ts'

const op: Op<{ readonly dim: string; readonly size: number; readonly keep: string }> = {
  name: 'scatterAdd',
  sides: () => ['input', 'index'],
  shape: ([values, ids], { dim, size, keep }) => {
    const kept = keep === '' ? [] : words(keep)
    needDims('scatterAdd', ids!, kept, 'index')
    noExtra('scatterAdd', ids!, values!, 'input')
    needFree('scatterAdd', values!, dim)
    sameSizes('scatterAdd', values!, ids!, 'input', 'index')
    needKind('scatterAdd', values!, 'number')
    needKind('scatterAdd', ids!, 'index', 'index')
    const rows: Dim = { name: dim, size }
    const folded = without(ids!, kept).dims.map(({ name }) => name)
    const [first, ...others] = values!.dims.map(({ name }) => name).filter((name) => folded.includes(name))
    return first === undefined ? { ...values!, dims: [rows, ...values!.dims] } : without(replaced(values!, first, [rows]), others)
  },
  crossings: crossRows,
  linear: [[0]],
  gradient: ({ operands: [values, ids], cotangent, attributes: { dim } }) => [() => rowsOf(cotangent, ids!, dim, nodeOf(values!).shape)],
  kernel: (_, __, { dim }) => ({ family: 'scatter', dim }),
}

const read = (part: string): Dim => {
  const [dim] = part.includes(' ') ? [] : readParts('scatterAdd', part)
  return dim ?? refuse(say.notOfForm('scatterAdd', part, 'dim:size'))
}

/** What may be said of a `scatterAdd` beside its rows and ids. */
export interface ScatterAddOptions<Keep extends string = string> {
  /** Blank-separated dims of the ids that stay: each of their positions has rows of its own. */
  readonly keep?: Keep
}

/**
 * Adds values up by integer index: `pipe(values, scatterAdd('v:50257', ids))` folds the dims of `ids` (i32), which are all among
 * those of the values (f32 or i32), into a new dim v, in the place of the first of them; other dims stay.
 * out[v, …] = Σ values[n, …] over the positions n with ids[n] = v, and 0 where there are none. `keep: 'b'` names dims of the
 * ids that run along: out[b, v, …] = Σ values[b, n, …] with ids[b, n] = v; if no dim is folded, v comes first. An id outside
 * 0 … size-1, a negative one too, is dropped with its value (JAX calls it `mode='drop'`).
 *
 * Linear in the values, whose pending sums stay pending. A dim that is folded may be cut, on values and ids alike: then the result is a
 * pending sum. The same layout gives the same bits on every run; others differ by rounding, relative to the sum of
 * magnitudes by a few ulp for each doubling of the terms. Derivative: the cotangent's row that the id names, 0 for one outside.
 */
export const scatterAdd = <const Part extends string, Ids extends AnyTensor, const Keep extends string = ''>(
  part: Part,
  ids: Ids,
  options: ScatterAddOptions<Keep> = {},
): Stage<ScatterAdd<Part, Ids, Keep>> => {
  const where = sourceLine()
  return stage((x) => {
    const { name, size } = atLine(where, () => {
      knownOptions('scatterAdd', options, ['keep'])
      return read(part)
    })
    return record(op, { dim: name, size, keep: options.keep ?? '' }, [x, ids], where)
  })
}
