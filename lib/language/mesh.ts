import { refuse } from './refusal.ts'

/** Named axes of processes: `sp=4 tp=2` is 8 ranks, rank = 2·sp + tp (the last axis varies fastest). */
export interface Mesh<Text extends string = string> {
  readonly text: Text
  readonly axes: readonly Axis[]
  readonly ranks: number
}
export interface Axis {
  readonly name: string
  readonly size: number
}

/** The mesh of constants that have met nothing yet. */
export const noMesh: Mesh = { text: '', axes: [], ranks: 1 }

/** Reads a mesh from its text, for example `mesh('sp=4')` or `mesh('dp=2 sp=4')`. */
export const mesh = <const Text extends string>(text: Text): Mesh<Text> => {
  const axes = text.trim() === '' ? [] : text.trim().split(/\s+/).map((part) => {
    const [, name, size] = /^([A-Za-z_]\w*)=([1-9]\d*)$/.exec(part) ?? []
    return name === undefined ? refuse(`mesh: '${part}' is not of the form axis=ranks, for example sp=4`) : { name, size: Number(size) }
  })
  const twice = axes.find((axis, i) => axes.findIndex((other) => other.name === axis.name) !== i)
  if (twice !== undefined) refuse(`mesh: axis '${twice.name}' is given twice`)
  return { text, axes, ranks: axes.reduce((product, axis) => product * axis.size, 1) }
}

/** A rank's position along one axis. */
export const coordinate = (of: Mesh, rank: number, axis: string): number => {
  let rest = rank
  for (let i = of.axes.length - 1; i >= 0; i--) {
    const { name, size } = of.axes[i]!
    if (name === axis) return rest % size
    rest = Math.floor(rest / size)
  }
  return 0
}

/** The rank so many places before along one axis, going round. */
export const rankBefore = (of: Mesh, rank: number, axis: string, places: number): number => {
  const at = of.axes.findIndex(({ name }) => name === axis)
  const { size } = of.axes[at]!
  const stride = of.axes.slice(at + 1).reduce((product, axis) => product * axis.size, 1)
  const place = coordinate(of, rank, axis)
  return rank + ((((place - places) % size) + size) % size - place) * stride
}

/** Number of pieces that the axes of one dim make. */
export const piecesAlong = (of: Mesh, axes: readonly string[]): number =>
  axes.reduce((product, axis) => product * (of.axes.find(({ name }) => name === axis)?.size ?? 1), 1)

/** Which of those pieces a rank holds; the first axis is the major one. */
export const pieceAlong = (of: Mesh, axes: readonly string[], rank: number): number =>
  axes.reduce((piece, axis) => piece * (of.axes.find(({ name }) => name === axis)?.size ?? 1) + coordinate(of, rank, axis), 0)

export const axisNames = (of: Mesh): string => of.axes.map((axis) => axis.name).join(', ') || '(none)'
