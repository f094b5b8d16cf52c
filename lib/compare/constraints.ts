import { piecesAlong } from '../language/mesh.ts'
import { pieceOf } from '../layout/pieces.ts'
import type { Plan } from '../plan/plan.ts'
import { meshOf, readValue } from '../plan/read-value.ts'

/** How many pieces are told one by one. */
const told = 8

/**
 * Where sizes bite: every dim that the plan cuts into pieces of unequal size, each told once, as
 * `h:4 over sp=3: pieces of 2, 1, 1`. Where there are more ranks than positions, `4 of 8 ranks have none`.
 */
export const constraintsOf = (plan: Plan): readonly string[] => {
  const mesh = meshOf(plan)
  const found = new Set<string>()
  for (const value of new Map(plan.values.map((one) => [one.spec, one])).values()) {
    const { shape, layout } = readValue(value)
    for (const [i, { name, size }] of shape.dims.entries()) {
      const pieces = piecesAlong(mesh, layout.cuts[i]!)
      if (size % pieces === 0) continue
      const axes = layout.cuts[i]!.map((axis) => `${axis}=${mesh.axes.find((one) => one.name === axis)!.size}`)
      found.add(`${name}:${size} over ${axes.join('+')}: ${pieces > told ? inNumbers(size, pieces) : oneByOne(size, pieces)}`)
    }
  }
  return [...found].sort()
}

const oneByOne = (size: number, pieces: number): string => {
  const sizes = Array.from({ length: pieces }, (_, piece) => pieceOf(size, pieces, piece).size)
  return `pieces of ${sizes.join(', ')}${empty(size, pieces)}`
}

const inNumbers = (size: number, pieces: number): string => {
  const [longer, shorter] = [size % pieces, Math.floor(size / pieces)]
  return `${longer} pieces of ${shorter + 1}, ${pieces - longer} of ${shorter}${empty(size, pieces)}`
}

const empty = (size: number, pieces: number): string => size < pieces ? `; ${pieces - size} of ${pieces} have none` : ''
