import type { Crossing, Op } from '../op.ts'
import * as say from '../language/messages.ts'
import { axisNames, type Mesh, noMesh, piecesAlong } from '../language/mesh.ts'
import { cutByAny, finish, gathered, moved, type Part, type Placed, withCut, withoutAxis } from './fixes.ts'
import { cutOf, isUndecided, type Layout, type Pending, printPending, type Shape, sizeOf, undecided } from './layout.ts'

/** What the rules need to know of an op. */
export interface Crossed extends Pick<Op, 'name' | 'linear'> {
  readonly crossings: readonly Crossing[]
  readonly sides: readonly string[] | undefined
}

/** `sp+tp` */
export const axesOf = (pending: readonly Pending[]): string => pending.map(({ axis }) => axis).join('+')
const cutIn = ({ shape, layout }: Placed, dim: string): readonly string[] => cutOf(shape, layout, dim)
const isDecided = (cut: readonly string[]): boolean => cut.length > 0 && !isUndecided(cut)
const isReduction = ({ kind }: Crossing): boolean => kind === 'sum' || kind === 'max' || kind === 'min'
/** A fold's blocks lie together, unless they go round. */
const isWhole = ({ kind, ring }: Crossing): boolean => kind === 'whole' || (kind === 'fold' && ring === undefined)
const same = (a: readonly string[], b: readonly string[]): boolean => a.join('+') === b.join('+')

/** What is wrong with a pending reduction of an operand that cannot have one. */
export const refusePending = (name: string, part: Part): string | undefined => {
  const { pending } = part.layout
  const combine = pending[0]?.combine
  return combine === undefined
    ? undefined
    : combine === 'sum'
    ? say.notLinear(name, part.side, axesOf(pending), finish(part, pending))
    : say.notFinished(name, part.side, combine, axesOf(pending), finish(part, pending))
}

// ---- pending reductions --------------------------------------------------------------------------------------------

/** What becomes of the operands' pending reductions: those of the result, or a message. */
const crossPending = ({ name, linear }: Crossed, parts: readonly Part[]): readonly Pending[] | string => {
  const pendingOnes = parts.flatMap(({ layout }, i) => layout.pending.length === 0 ? [] : [i])
  for (const operand of pendingOnes) {
    const passes = linear.some((set) => set.includes(operand)) && parts[operand]!.layout.pending.every(({ combine }) => combine === 'sum')
    const fault = passes ? undefined : refusePending(name, parts[operand]!)
    if (fault !== undefined) return fault
  }
  const together = linear.find((set) => set.length > 1 && pendingOnes.some((operand) => set.includes(operand)))
  const holders = together ?? pendingOnes
  const [a, b, ...more] = holders.map((operand) => parts[operand]!)
  if (a === undefined) return []
  if (together !== undefined && b !== undefined) {
    for (const other of [b, ...more]) {
      const fault = pendingTogether(name, a, other)
      if (fault !== undefined) return fault
    }
  } else if (b !== undefined) {
    return say.pendingOnBothSides(name, a.side, axesOf(a.layout.pending), b.side, axesOf(b.layout.pending), finish(b, b.layout.pending))
  }
  for (const { axis } of a.layout.pending) {
    for (const other of parts.filter((_, operand) => !holders.includes(operand))) {
      const dim = other.shape.dims.find((_, i) => other.layout.cuts[i]!.includes(axis))
      if (dim !== undefined) return say.pendingMeetsCut(name, a.side, axis, dim.name, other.side)
    }
  }
  return a.layout.pending
}

/** Two operands that may be pending together must be so over the same axes. */
const pendingTogether = (name: string, a: Part, b: Part): string | undefined => {
  const [ofA, ofB] = [a.layout.pending, b.layout.pending]
  if (printPending(ofA) === printPending(ofB)) return undefined
  if (ofA.length === 0) return say.pendingOnOneSide(name, b.side, axesOf(ofB), a.side, finish(b, ofB))
  if (ofB.length === 0) return say.pendingOnOneSide(name, a.side, axesOf(ofA), b.side, finish(a, ofA))
  return say.pendingApart(name, a.side, axesOf(ofA), finish(a, ofA), b.side, axesOf(ofB), finish(b, ofB))
}

// ---- dims ----------------------------------------------------------------------------------------------------------

const holdersOf = (
  crossing: Crossing,
  parts: readonly Part[],
): readonly { readonly part: Part; readonly dim: string; readonly cut: readonly string[] }[] =>
  crossing.operands.flatMap((dim, operand) => dim === null ? [] : [{ part: parts[operand]!, dim, cut: cutIn(parts[operand]!, dim) }])

/** Dims that cannot be cut in the place of another: those that the op needs whole or only lets pass if divisible. */
const uncuttable = ({ crossings }: Crossed): readonly string[] =>
  crossings.filter((crossing) => isWhole(crossing) || crossing.divisor !== undefined).flatMap(({ operands }) =>
    operands.filter((dim) => dim !== null)
  )

/** A dim that the op needs whole must be so in every operand. */
const checkWhole = (op: Crossed, crossing: Crossing, parts: readonly Part[]): string | undefined => {
  const holders = holdersOf(crossing, parts).filter(({ cut }) => isDecided(cut))
  const first = holders[0]
  if (first === undefined) return undefined
  const { part, dim, cut } = first
  const others = parts.filter((other) => other !== part)
  const cutElsewhere = others.flatMap(({ shape, layout }) =>
    shape.dims.filter((_, i) => layout.cuts[i]!.length > 0).map(({ name }) => name)
  )
  const fix = others.some((other) => cutByAny(other, cut))
    ? `${holders.map((holder) => `${gathered(holder.part, holder.dim)} on the ${holder.part.side}`).join(' and ')} before it`
    : moved(part, dim, cut, [...uncuttable(op), ...cutElsewhere])
  return say.needsWhole(op.name, dim, cut.join('+'), part.side, fix)
}

const lies = (cut: readonly string[]): string => cut.length === 0 ? 'whole' : `@${cut.join('+')}`

/** Blocks that go round an axis are cut over it, and so is the first operand, which stays. */
const checkRing = (op: Crossed, crossing: Crossing, parts: readonly Part[], mesh: Mesh): string | undefined => {
  const { ring } = crossing
  if (ring === undefined) return undefined
  if (!mesh.axes.some(({ name }) => name === ring)) return mesh === noMesh ? undefined : say.noAxis(op.name, ring, axisNames(mesh))
  const refuse = (part: Part, dim: string, cut: readonly string[]): string =>
    say.ringNeeds(op.name, ring, dim, lies(cut), part.side, withCut(part, dim, [ring]))
  const holders = holdersOf(crossing, parts)
  const wrong = holders.find(({ cut }) => !isUndecided(cut) && !same(cut, [ring]))
  if (wrong !== undefined) return refuse(wrong.part, wrong.dim, wrong.cut)
  const [kept, dim] = [parts[0]!, holders[0]!.dim]
  if (holders.some(({ part }) => part === kept)) return undefined
  if (sizeOf(kept.shape, dim) === undefined) return cutByAny(kept, [ring]) ? undefined : say.ringAlone(op.name, ring, kept.side)
  const cut = cutIn(kept, dim)
  return isUndecided(cut) || cut.includes(ring) ? undefined : refuse(kept, dim, cut)
}

/** A dim that is folded away must be cut alike in every operand. */
const checkFolded = (op: Crossed, crossing: Crossing, parts: readonly Part[]): string | undefined => {
  const [a, b] = holdersOf(crossing, parts)
  if (a === undefined || b === undefined || same(a.cut, b.cut) || isUndecided(a.cut) || isUndecided(b.cut)) return undefined
  const fix = a.cut.length === 0
    ? `${withCut(a.part, a.dim, b.cut)}${say.on(a.part.side)}`
    : `${withCut(b.part, b.dim, a.cut)}${say.on(b.part.side)}`
  return say.cutsDiffer(op.name, a.dim, lies(a.cut), a.part.side, lies(b.cut), b.part.side, fix)
}

/** Two operands that cut a dim must cut it alike. */
const checkPair = (op: Crossed, i: number, j: number, parts: readonly Part[]): string | undefined => {
  const [a, b] = [parts[i]!, parts[j]!]
  for (const { name } of a.shape.dims) {
    const other = op.crossings.find(({ kind, operands }) => kind === 'map' && operands[i] === name)?.operands[j] ?? null
    if (other === null) continue
    const [mine, theirs] = [cutIn(a, name), cutIn(b, other)]
    if (!isDecided(mine) || !isDecided(theirs) || same(mine, theirs)) continue
    return say.cutsDiffer(
      op.name,
      name,
      `@${mine.join('+')}`,
      a.side,
      `@${theirs.join('+')}`,
      b.side,
      `${withCut(b, other, mine)}${say.on(b.side)}`,
    )
  }
  return undefined
}

/** Whether balanced pieces of a product of dims are whole positions of its major dim. */
export const divides = (mesh: Mesh, cut: readonly string[], divisor: number): boolean => divisor % piecesAlong(mesh, cut) === 0

/** A cut of a product of dims must fall between positions of the major one. */
const checkDivisor = (op: Crossed, crossing: Crossing, parts: readonly Part[], mesh: Mesh): string | undefined => {
  const { divisor, result } = crossing
  const [holder] = holdersOf(crossing, parts)
  if (divisor === undefined || holder === undefined || !isDecided(holder.cut) || divides(mesh, holder.cut, divisor)) return undefined
  const { part, dim, cut } = holder
  const major = sizeOf(part.shape, dim) === divisor ? dim : result ?? dim
  return say.cutAcross(op.name, dim, cut.join('+'), piecesAlong(mesh, cut), major, divisor, moved(part, dim, cut, uncuttable(op)))
}

/** The cut of a crossing's result where nothing is wrong. Where any operand leaves it to the planner, it is left. */
const cutAfter = (crossing: Crossing, parts: readonly Part[]): readonly string[] => {
  const cuts = holdersOf(crossing, parts).map(({ cut }) => cut)
  return cuts.find(isUndecided) ?? cuts.find((cut) => cut.length > 0) ?? []
}

// ---- all of it -----------------------------------------------------------------------------------------------------

/** The first thing that is wrong with the operands' cuts. */
const checkCuts = (op: Crossed, parts: readonly Part[], mesh: Mesh): string | undefined => {
  const checks: (() => string | undefined)[] = [
    ...op.crossings.filter(({ kind }) => kind === 'whole' || kind === 'fold').map((crossing) => () =>
      crossing.ring === undefined ? checkWhole(op, crossing, parts) : checkRing(op, crossing, parts, mesh)
    ),
    ...op.crossings.filter(isReduction).map((crossing) => () => checkFolded(op, crossing, parts)),
    ...parts.flatMap((_, i) => parts.slice(i + 1).map((__, k) => () => checkPair(op, i, i + 1 + k, parts))),
    ...op.crossings.map((crossing) => () => checkDivisor(op, crossing, parts, mesh)),
  ]
  for (const check of checks) {
    const fault = check()
    if (fault !== undefined) return fault
  }
  return undefined
}

/** The operands of an op, each with the part it plays in messages. */
export const partsOf = (operands: readonly Placed[], sides: readonly string[] | undefined): readonly Part[] =>
  operands.map(({ shape, layout }, i) => ({
    shape,
    layout,
    side: sides?.[i] ?? (operands.length === 1 ? 'input' : i === 0 ? 'left' : 'right'),
  }))

/** The layout in which an op leaves its result, given its operands' declared layouts; or why it refuses them. */
export const cross = (op: Crossed, operands: readonly Placed[], result: Shape, mesh: Mesh): Layout | string => {
  const parts = partsOf(operands, op.sides)
  const kept = crossPending(op, parts)
  if (typeof kept === 'string') return kept
  const fault = checkCuts(op, parts, mesh)
  if (fault !== undefined) return fault
  const after = op.crossings.map((crossing) => ({ crossing, cut: cutAfter(crossing, parts) }))
  const cuts = result.dims.map(({ name }) => after.find(({ crossing }) => crossing.result === name)?.cut ?? [])
  // A result that goes round with the blocks meets every share on its way.
  const met = op.crossings.flatMap(({ ring, result }) => ring === undefined || result === null ? [] : [ring])
  const folded = after.flatMap(({ crossing, cut }) =>
    !isReduction(crossing) || !isDecided(cut) ? [] : cut.filter((axis) => !met.includes(axis)).map((axis) => ({
      axis,
      combine: crossing.kind as Pending['combine'],
    }))
  )
  const lastWith = (axis: string): Part | undefined => [...parts].reverse().find((part) => cutByAny(part, [axis]))
  const twice = cutTwice(op.name, result, cuts, (axis) => {
    const part = lastWith(axis)
    return part === undefined ? '' : `; fix: ${withoutAxis(part, axis)}${say.on(part.side)} before it`
  })
  return twice ?? { cuts, pending: inMeshOrder([...kept, ...folded], mesh) }
}

/** Nothing is said by the order in which reductions became pending, so that tensors reduced in any order are alike. */
const inMeshOrder = (pending: readonly Pending[], mesh: Mesh): readonly Pending[] => {
  const place = ({ axis }: Pending): number => mesh.axes.findIndex(({ name }) => name === axis)
  return [...pending].sort((a, b) => place(a) - place(b))
}

/** The message about an axis that cuts two dims, if one does. */
export const cutTwice = (
  name: string,
  shape: Shape,
  cuts: readonly (readonly string[])[],
  fix: (axis: string) => string = () => '',
): string | undefined => {
  for (let i = 0; i < cuts.length; i++) {
    for (const axis of cuts[i]!) {
      const other = axis === undecided ? -1 : cuts.findIndex((cut, j) => j > i && cut.includes(axis))
      if (other >= 0) return say.cutsTwo(name, axis, shape.dims[i]!.name, shape.dims[other]!.name, fix(axis))
    }
  }
  return undefined
}
