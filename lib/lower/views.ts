import type { ViewTemplate } from '../kernel/template.ts'

/** A rank's piece of a value inside a buffer: each dim with its local size and its stride, in elements. */
export interface Piece {
  readonly buffer: number
  readonly offset: number
  readonly dims: readonly LocalDim[]
}
export interface LocalDim {
  readonly name: string
  readonly size: number
  readonly stride: number
}

export const dimOf = (piece: Piece, name: string): LocalDim | undefined => piece.dims.find((dim) => dim.name === name)

/** Strides along loop dims, 0 where the piece lacks them. */
export const stridesAlong = (piece: Piece, names: readonly (string | null)[]): readonly number[] =>
  names.map((name) => name === null ? 0 : dimOf(piece, name)?.stride ?? 0)

/**
 * Another way of reading the same elements, with the result's local sizes; undefined where that takes a copy (a merge of
 * dims that don't lie one inside the other).
 */
export const viewThrough = (piece: Piece, view: ViewTemplate, sizes: ReadonlyMap<string, number>): Piece | undefined => {
  const without = (names: readonly string[]): readonly LocalDim[] => piece.dims.filter(({ name }) => !names.includes(name))
  const replace = (name: string, by: readonly LocalDim[]): readonly LocalDim[] =>
    piece.dims.flatMap((dim) => dim.name === name ? by : [dim])
  switch (view.of) {
    case 'rename':
      return { ...piece, dims: piece.dims.map((dim) => dim.name === view.dim ? { ...dim, name: view.to } : dim) }
    case 'reorder':
      return { ...piece, dims: view.dims.map((name) => dimOf(piece, name)!) }
    case 'repeat':
      return { ...piece, dims: [{ name: view.dim, size: sizes.get(view.dim)!, stride: 0 }, ...piece.dims] }
    case 'slice':
      return {
        ...piece,
        offset: piece.offset + view.from * dimOf(piece, view.dim)!.stride,
        dims: piece.dims.map((dim) => dim.name === view.dim ? { ...dim, size: view.count } : dim),
      }
    case 'select':
      return { ...piece, offset: piece.offset + view.at * dimOf(piece, view.dim)!.stride, dims: without([view.dim]) }
    case 'split': {
      let { stride } = dimOf(piece, view.dim)!
      const parts: LocalDim[] = []
      for (const { name } of [...view.parts].reverse()) {
        parts.unshift({ name, size: sizes.get(name)!, stride })
        stride *= sizes.get(name)!
      }
      return { ...piece, dims: replace(view.dim, parts) }
    }
    case 'merge': {
      const parts = view.dims.map((name) => dimOf(piece, name)!)
      const long = parts.filter(({ size }) => size !== 1)
      const nested = long.every((dim, i) => i === long.length - 1 || dim.stride === long[i + 1]!.stride * long[i + 1]!.size)
      if (!nested) return undefined
      const merged = { name: view.to, size: sizes.get(view.to)!, stride: long.at(-1)?.stride ?? 1 }
      return {
        ...piece,
        dims: piece.dims.flatMap((dim) => dim.name === view.dims[0] ? [merged] : view.dims.includes(dim.name) ? [] : [dim]),
      }
    }
  }
}
