import type { Elements } from '../dtype.ts'

/** Half-open range of positions along one dim. */
export interface Range {
  readonly start: number
  readonly size: number
}

/** A rectangular part of a tensor: one range per dim, in memory order. */
export type Box = readonly Range[]

/**
 * The one place that says where a dim is cut: `size` positions over `count` ranks in balanced consecutive pieces; the
 * first `size mod count` pieces are one longer, and pieces may be empty.
 */
export const pieceOf = (size: number, count: number, piece: number): Range => {
  const short = Math.floor(size / count)
  const longer = size % count
  return { start: piece * short + Math.min(piece, longer), size: short + (piece < longer ? 1 : 0) }
}

/** Where two ranges meet; of size 0 where they don't. */
export const overlap = (a: Range, b: Range): Range => {
  const start = Math.max(a.start, b.start)
  return { start, size: Math.max(0, Math.min(a.start + a.size, b.start + b.size) - start) }
}

export const intersect = (a: Box, b: Box): Box => a.map((range, dim) => overlap(range, b[dim]!))
export const volume = (box: Box): number => box.reduce((product, range) => product * range.size, 1)
export const sizesOf = (box: Box): readonly number[] => box.map((range) => range.size)

/** Copies a box between a whole row-major tensor of the given sizes and a contiguous piece. */
const copyBox = (whole: Elements, sizes: readonly number[], box: Box, piece: Elements, into: 'whole' | 'piece'): void => {
  if (volume(box) === 0) return
  const last = sizes.length - 1
  if (last < 0) {
    if (into === 'piece') piece[0] = whole[0]!
    else whole[0] = piece[0]!
    return
  }
  const run = box[last]!.size
  const rows = volume(box) / run
  const position = box.map((range) => range.start)
  for (let row = 0; row < rows; row++) {
    let at = 0
    for (let dim = 0; dim <= last; dim++) at = at * sizes[dim]! + position[dim]!
    if (into === 'piece') piece.set(whole.subarray(at, at + run), row * run)
    else whole.set(piece.subarray(row * run, (row + 1) * run), at)
    for (let dim = last - 1; dim >= 0; dim--) {
      position[dim]!++
      if (position[dim]! < box[dim]!.start + box[dim]!.size) break
      position[dim] = box[dim]!.start
    }
  }
}

/** A box of a row-major tensor as a contiguous piece of the same element type. */
export const cutBox = <A extends Elements>(whole: A, sizes: readonly number[], box: Box): A => {
  const piece = new (whole.constructor as new (n: number) => A)(volume(box))
  copyBox(whole, sizes, box, piece, 'piece')
  return piece
}

/** Writes a contiguous piece into its box of a row-major tensor. */
export const placeBox = (whole: Elements, sizes: readonly number[], box: Box, piece: Elements): void =>
  copyBox(whole, sizes, box, piece, 'whole')
