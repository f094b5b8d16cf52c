import type { Crossing } from '../op.ts'
import * as say from '../language/messages.ts'
import { cutOf, isUndecided, type Layout, type Pending, printCuts, printPending, type Shape, undecided } from './layout.ts'
import { type Mesh, piecesAlong } from '../language/mesh.ts'

/** An operand as the rules see it. */
export interface Placed {
  readonly shape: Shape
  readonly layout: Layout
}

interface Crossed {
  readonly name: string
  readonly crossings: readonly Crossing[]
  readonly linear: readonly (readonly number[])[]
}

const sides = ['left', 'right', 'third', 'fourth'] as const
const sideOf = (operand: number, of: readonly Placed[]): string => of.length === 3 ? sides[operand - 1] ?? 'condition' : sides[operand] ?? `${operand}`

/** How to finish a pending reduction without changing the layout. */
const fixPending = ({ shape, layout }: Placed, { axis, combine }: Pending): string =>
  combine === 'sum' ? `layout('${printCuts(shape, layout)}') or sumOver('${axis}')` : `layout('${printCuts(shape, layout)}')`

/** A declaration that makes the dim whole and lets its axes cut another one: the dims after it are tried first. */
const fixByMoving = ({ shape, layout }: Placed, name: string, axes: string): string => {
  const at = shape.dims.findIndex((dim) => dim.name === name)
  const candidates = [...shape.dims.slice(at + 1), ...shape.dims.slice(0, at)]
    .filter((dim) => dim.size !== 1 && cutOf(shape, layout, dim.name).length === 0)
  const kept = printCuts(shape, { ...layout, cuts: layout.cuts.map((cut, i) => i === at ? [] : cut) })
  const written = (dim: { name: string }): string => `${kept}${kept === '' ? '' : ' '}${dim.name}@${axes}`
  const [first, second] = candidates
  return first === undefined ? `layout('${kept}') before it`
    : `layout('${written(first)}') before it${second === undefined ? '' : ` (or '${written(second)}')`}`
}

/** What becomes of the operands' pending reductions: those of the result, or a message. */
const crossPending = ({ name, linear }: Crossed, operands: readonly Placed[]): readonly Pending[] | string => {
  const pendingOnes = operands.flatMap(({ layout }, i) => layout.pending.length === 0 ? [] : [i])
  if (pendingOnes.length === 0) return []
  const notLinear = (operand: number): string => {
    const { axis, combine } = operands[operand]!.layout.pending[0]!
    return say.notLinear(name, combine, axis, fixPending(operands[operand]!, operands[operand]!.layout.pending[0]!))
  }
  for (const operand of pendingOnes) {
    if (operands[operand]!.layout.pending.some(({ combine }) => combine !== 'sum')) return notLinear(operand)
    if (!linear.some((set) => set.includes(operand))) return notLinear(operand)
  }
  const together = linear.find((set) => set.length > 1 && pendingOnes.some((operand) => set.includes(operand)))
  const first = operands[pendingOnes[0]!]!
  if (together !== undefined) {
    const texts = together.map((operand) => printPending(operands[operand]!.layout.pending))
    if (texts.every((text) => text === texts[0])) return first.layout.pending
    const side = together.find((operand) => operands[operand]!.layout.pending.length > 0)!
    const pending = operands[side]!.layout.pending[0]!
    return say.pendingOnOneSide(name, sideOf(side, operands), pending.combine, pending.axis, fixPending(operands[side]!, pending))
  }
  if (pendingOnes.length > 1) return say.pendingOnBothSides(name, first.layout.pending[0]!.axis)
  for (const { axis } of first.layout.pending) {
    for (const other of operands) {
      const dim = other.shape.dims.find((_, i) => other !== first && other.layout.cuts[i]!.includes(axis))
      if (dim !== undefined) return say.pendingMeetsCut(name, axis, dim.name)
    }
  }
  return first.layout.pending
}

/** The cut that a crossed dim has after the op, or a message. */
const crossDim = ({ name }: Crossed, crossing: Crossing, operands: readonly Placed[], mesh: Mesh): readonly string[] | string => {
  const cuts = crossing.operands.flatMap((dim, operand) =>
    dim === null ? [] : [{ operand, dim, cut: cutOf(operands[operand]!.shape, operands[operand]!.layout, dim) }])
  const decided = cuts.filter(({ cut }) => cut.length > 0 && !isUndecided(cut))
  const free = cuts.some(({ cut }) => isUndecided(cut))
  const first = decided[0]
  if (crossing.kind === 'whole') {
    return first === undefined ? []
      : say.needsWhole(name, first.dim, first.cut.join('+'), fixByMoving(operands[first.operand]!, first.dim, first.cut.join('+')))
  }
  if (first === undefined) return free ? [undecided] : []
  const other = decided.find(({ cut }) => cut.join('+') !== first.cut.join('+'))
  if (other !== undefined) return say.cutsDiffer(name, first.dim, first.cut.join('+'), other.cut.join('+'))
  if (crossing.kind !== 'map' && !free && decided.length < cuts.length) {
    return say.cutOnOneSide(name, first.dim, first.cut.join('+'), sideOf(first.operand, operands))
  }
  if (crossing.divisor !== undefined && !divides(mesh, first.cut, crossing.divisor)) {
    const major = crossing.result !== null && name === 'split' ? crossing.result : first.dim
    return say.cutAcross(name, first.dim, first.cut.join('+'), piecesAlong(mesh, first.cut), major, crossing.divisor)
  }
  return free && crossing.kind === 'map' ? [undecided] : first.cut
}

/** Whether balanced pieces of a product of dims are whole positions of its major dim. */
export const divides = (mesh: Mesh, cut: readonly string[], divisor: number): boolean => divisor % piecesAlong(mesh, cut) === 0

const order = { whole: 0, sum: 1, max: 1, min: 1, map: 2 } as const

/** The layout in which an op leaves its result, given its operands' declared layouts; or why it refuses them. */
export const cross = (op: Crossed, operands: readonly Placed[], result: Shape, mesh: Mesh): Layout | string => {
  const kept = crossPending(op, operands)
  if (typeof kept === 'string') return kept
  const pending = [...kept]
  const cuts: (readonly string[])[] = result.dims.map(() => [])
  for (const crossing of [...op.crossings].sort((a, b) => order[a.kind] - order[b.kind])) {
    const cut = crossDim(op, crossing, operands, mesh)
    if (typeof cut === 'string') return cut
    if (crossing.result !== null) cuts[result.dims.findIndex((dim) => dim.name === crossing.result)] = cut
    else if (crossing.kind !== 'whole' && crossing.kind !== 'map' && !isUndecided(cut)) {
      const combine = crossing.kind
      pending.push(...cut.map((axis) => ({ axis, combine })))
    }
  }
  return cutTwice(op.name, result, cuts) ?? { cuts, pending }
}

/** The message about an axis that cuts two dims, if one does. */
export const cutTwice = (name: string, shape: Shape, cuts: readonly (readonly string[])[]): string | undefined => {
  for (let i = 0; i < cuts.length; i++) {
    for (const axis of cuts[i]!) {
      const other = axis === undecided ? -1 : cuts.findIndex((cut, j) => j > i && cut.includes(axis))
      if (other >= 0) return say.cutsTwo(name, axis, shape.dims[i]!.name, shape.dims[other]!.name)
    }
  }
  return undefined
}
