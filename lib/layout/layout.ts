import type { Combine } from '../kernel/kernel.ts'
import type { DType } from '../dtype.ts'

export interface Dim {
  readonly name: string
  readonly size: number
}

/** A tensor's dims in memory order and its element type: what is the same for every layout. */
export interface Shape {
  readonly dims: readonly Dim[]
  readonly type: DType
}

/** A reduction over a mesh axis that is still to be done. */
export interface Pending {
  readonly axis: string
  readonly combine: Combine
}

/**
 * Pieces on their way round an axis that cuts a dim (Ring Attention, arXiv 2310.01889): after `by` turns a rank holds the
 * piece of the rank so many places before it. With `all` it sees every piece, one after another, and keeps none: who needs
 * them in another round has them sent again.
 */
export interface Turn {
  readonly axis: string
  readonly by: number | 'all'
  readonly round?: number
}

/**
 * How a tensor lies over the mesh: for each dim, in memory order, the axes that cut it (major first, empty for whole),
 * the reductions that are pending, and whether its pieces have been turned. Axes named nowhere hold copies.
 */
export interface Layout {
  readonly cuts: readonly (readonly string[])[]
  readonly pending: readonly Pending[]
  readonly turn?: Turn
}

/** Marks a dim whose cut the planner decides. */
export const undecided = '?'

export const isUndecided = (cut: readonly string[]): boolean => cut[0] === undecided

export const wholeLayout = (shape: Shape): Layout => ({ cuts: shape.dims.map(() => []), pending: [] })

export const sizeOf = (shape: Shape, name: string): number | undefined => shape.dims.find((dim) => dim.name === name)?.size
export const positionOf = (shape: Shape, name: string): number => shape.dims.findIndex((dim) => dim.name === name)
export const namesOf = (shape: Shape): string => shape.dims.map((dim) => dim.name).join(', ') || '(none)'

/** The axes that cut the named dim; empty where there is no such dim. */
export const cutOf = (shape: Shape, layout: Layout, name: string): readonly string[] => layout.cuts[positionOf(shape, name)] ?? []

/** `@sp+tp`, `@sp>2` where pieces have made two turns round sp, nothing for a whole dim. */
const printCut = ({ turn }: Layout, cut: readonly string[]): string =>
  cut.length === 0 ? '' : `@${cut.map((axis) => turn?.axis === axis ? `${axis}>${turn.by}` : axis).join('+')}`

/** `b:2 t:16@sp s:1024` */
export const printSpec = (shape: Shape, layout: Layout): string =>
  shape.dims.map((dim, i) => `${dim.name}:${dim.size}${printCut(layout, layout.cuts[i]!)}`).join(' ')

/** `t@sp h@tp`: the cut dims alone. */
export const printCuts = (shape: Shape, layout: Layout): string =>
  shape.dims.flatMap((dim, i) => layout.cuts[i]!.length === 0 ? [] : [`${dim.name}${printCut(layout, layout.cuts[i]!)}`]).join(' ')

/** `tp+sp:max` */
export const printPending = (pending: readonly Pending[]): string =>
  pending.map(({ axis, combine }) => combine === 'sum' ? axis : `${axis}:${combine}`).join('+')

/** A layout as a key of maps: `sp,,tp+x|y`. Two layouts of one shape are equal if their keys are. */
export const keyOf = (layout: Layout): string =>
  `${layout.cuts.map((cut) => cut.join('+')).join(',')}|${printPending(layout.pending)}${
    layout.turn === undefined ? '' : `>${layout.turn.axis}:${layout.turn.by} ${layout.turn.round ?? ''}`
  }`
