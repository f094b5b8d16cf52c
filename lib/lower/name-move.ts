import { type Layout, printCuts, type Shape } from '../layout/layout.ts'

/** What a change of layout is called: DSP's name for it (arXiv 2403.10266, table 2) and the collective that does it. */
export interface MoveName {
  readonly name: string
  readonly collective: string
  readonly what: string
}

const axesOf = (layout: Layout): readonly string[] => [...layout.cuts.flat(), ...layout.pending.map(({ axis }) => axis)]

const placeOf = (shape: Shape, layout: Layout, axis: string): string => {
  const dim = layout.cuts.findIndex((cut) => cut.includes(axis))
  if (dim >= 0) return shape.dims[dim]!.name
  return layout.pending.find((pending) => pending.axis === axis)?.combine ?? 'whole'
}

/** Names a change of layout; `free` says that no byte is sent. */
export const nameMove = (shape: Shape, from: Layout, to: Layout, free: boolean): MoveName => {
  const axes = [...new Set([...axesOf(from), ...axesOf(to)])]
  const changes = axes.map((axis) => ({ axis, before: placeOf(shape, from, axis), after: placeOf(shape, to, axis) })).filter((
    { before, after },
  ) => before !== after)
  const pending = new Set(['sum', 'max', 'min'])
  const reducing = changes.filter(({ before }) => pending.has(before))
  const what = changes.length === 0
    ? `${printCuts(shape, from)} → ${printCuts(shape, to)}`
    : changes.map(({ axis, before, after }) => `${before}→${after} over ${axis}`).join(', ')
  if (free) return { name: 'split', collective: 'local slice', what }
  if (reducing.length > 0) {
    return reducing.every(({ after }) => after === 'whole')
      ? { name: 'reduce', collective: 'all-reduce', what }
      : { name: 'reduce and split', collective: 'reduce-scatter', what }
  }
  const axis = from.turn?.axis ?? to.turn?.axis
  if (changes.length === 0 && axis !== undefined) {
    const dims = shape.dims.filter((_, i) => to.cuts[i]!.includes(axis)).map(({ name }) => name)
    return { name: 'ring', collective: 'shift', what: `${dims.join('+')} on by one over ${axis}` }
  }
  if (changes.length === 0) return { name: 'permute', collective: 'permutation', what }
  const gathers = changes.filter(({ after }) => after === 'whole')
  if (gathers.length === changes.length) return { name: 'gather', collective: 'all-gather', what }
  return { name: gathers.length === 0 ? 'switch' : 'switch and gather', collective: 'all-to-all', what }
}
