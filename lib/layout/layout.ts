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
 * How a tensor lies over the mesh: for each dim, in memory order, the axes that cut it (major first, empty for whole),
 * and the reductions that are pending. Axes named nowhere hold copies.
 */
export interface Layout {
  readonly cuts: readonly (readonly string[])[]
  readonly pending: readonly Pending[]
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

/** `b:2 t:16@sp s:1024` */
export const printSpec = (shape: Shape, layout: Layout): string =>
  shape.dims.map((dim, i) => `${dim.name}:${dim.size}${layout.cuts[i]!.length === 0 ? '' : `@${layout.cuts[i]!.join('+')}`}`).join(' ')

/** `t@sp h@tp`: the cut dims alone. */
export const printCuts = (shape: Shape, layout: Layout): string =>
  shape.dims.flatMap((dim, i) => layout.cuts[i]!.length === 0 ? [] : [`${dim.name}@${layout.cuts[i]!.join('+')}`]).join(' ')

/** `tp+sp:max` */
export const printPending = (pending: readonly Pending[]): string =>
  pending.map(({ axis, combine }) => combine === 'sum' ? axis : `${axis}:${combine}`).join('+')

export const sameLayout = (a: Layout, b: Layout): boolean =>
  printPending(a.pending) === printPending(b.pending) && a.cuts.every((cut, i) => cut.join('+') === b.cuts[i]!.join('+'))
