import { bytesPerElement } from '../dtype.ts'
import { coordinate, type Mesh, pieceAlong, piecesAlong, rankBefore } from '../language/mesh.ts'
import { keyOf, type Layout, type Shape } from './layout.ts'
import { type Box, intersect, pieceOf, volume } from './pieces.ts'

/** The part of a tensor that a rank holds; of one that goes all round, the part that it begins with. */
export const boxOn = (shape: Shape, { cuts, turn }: Layout, mesh: Mesh, rank: number): Box => {
  const from = turn === undefined || turn.by === 'all' ? rank : rankBefore(mesh, rank, turn.axis, turn.by)
  return shape.dims.map((dim, i) => pieceOf(dim.size, piecesAlong(mesh, cuts[i]!), pieceAlong(mesh, cuts[i]!, from)))
}

/** A layout with the parts that all ranks hold in it. */
export interface Held {
  readonly layout: Layout
  readonly boxes: readonly Box[]
}
export const heldIn = (shape: Shape, layout: Layout, mesh: Mesh): Held => ({
  layout,
  boxes: Array.from({ length: mesh.ranks }, (_, rank) => boxOn(shape, layout, mesh, rank)),
})

/**
 * Whether one exchange can turn the one layout into the other: reductions can be finished, never begun. Only pieces that
 * lie where they belong go all round, finished or not, and then they are where they were.
 */
export const canTransfer = (from: Layout, to: Layout): boolean =>
  from.turn?.by !== 'all' &&
  (to.turn?.by !== 'all' || keyOf(from) === keyOf({ cuts: to.cuts, pending: to.pending })) &&
  to.pending.every(({ axis, combine }) => from.pending.some((pending) => pending.axis === axis && pending.combine === combine))

/** A part that one rank gives another (or keeps, if they are one). */
export interface Part {
  readonly from: number
  readonly to: number
  readonly box: Box
}

/** The axes whose reductions the exchange finishes. */
const finishedAxes = (from: Layout, to: Layout): readonly string[] =>
  from.pending.map(({ axis }) => axis).filter((axis) => !to.pending.some((pending) => pending.axis === axis))

/**
 * Who gives what to whom when a tensor changes its layout in one exchange. Copies are taken from the rank that has the
 * same place on every axis along which the tensor is replicated, so each rank keeps what it has already and receives
 * every other element once: no exchange from one layout moves fewer bytes. Where a reduction is finished, a part comes
 * from each rank that holds a share of it.
 */
export const partsBetween = (shape: Shape, from: Layout, to: Layout, mesh: Mesh): readonly Part[] => {
  const { boxes: held } = heldIn(shape, from, mesh)
  const { boxes: wanted } = heldIn(shape, to, mesh)
  const shift = shiftOf(from, to)
  if (shift !== undefined) {
    return wanted.flatMap((box, receiver) => {
      const giver = rankBefore(mesh, receiver, shift.axis, shift.by)
      return partOf(giver, held[giver]!, receiver, box)
    })
  }
  const fixed = axesThatStay(from, to, mesh)
  const groupOf = (rank: number): string => fixed.map((axis) => coordinate(mesh, rank, axis)).join(' ')
  const groups = new Map<string, number[]>()
  for (let rank = 0; rank < mesh.ranks; rank++) {
    const group = groupOf(rank)
    groups.set(group, [...groups.get(group) ?? [], rank])
  }
  return [...groups.values()].flatMap((members) =>
    members.flatMap((receiver) => members.flatMap((giver) => partOf(giver, held[giver]!, receiver, wanted[receiver]!)))
  )
}

/** What one rank gives and gets in that exchange, and what it keeps, in the same order. */
export const partsOn = (rank: number, shape: Shape, from: Layout, to: Layout, mesh: Mesh): readonly Part[] => {
  const shift = shiftOf(from, to)
  const members = shift !== undefined
    ? [...new Set([shift.by, 0, -shift.by].map((places) => rankBefore(mesh, rank, shift.axis, places)))].sort((a, b) => a - b)
    : meetingWith(rank, from, to, mesh)
  const [held, wanted] = [boxOn(shape, from, mesh, rank), boxOn(shape, to, mesh, rank)]
  return members.flatMap((receiver) =>
    receiver === rank
      ? members.flatMap((giver) => partOf(giver, giver === rank ? held : boxOn(shape, from, mesh, giver), rank, wanted))
      : partOf(rank, held, receiver, boxOn(shape, to, mesh, receiver))
  )
}

/** Round which axis, and by how many places, pieces go on in an exchange that does nothing else: there are rings of many ranks. */
const shiftOf = (from: Layout, to: Layout): { readonly axis: string; readonly by: number } | undefined => {
  const home = ({ cuts, pending }: Layout): string => keyOf({ cuts, pending })
  const axis = from.turn?.axis ?? to.turn?.axis
  const alike = axis !== undefined && (to.turn?.axis ?? axis) === axis && home(from) === home(to)
  return alike ? { axis, by: Number(to.turn?.by ?? 0) - Number(from.turn?.by ?? 0) } : undefined
}

/** A rank and all that it may exchange with. */
const meetingWith = (rank: number, from: Layout, to: Layout, mesh: Mesh): readonly number[] => {
  const fixed = axesThatStay(from, to, mesh)
  return Array.from({ length: mesh.ranks }, (_, other) => other)
    .filter((other) => fixed.every((axis) => coordinate(mesh, other, axis) === coordinate(mesh, rank, axis)))
}

/** The ranks that exchange with one another differ along all other axes. */
const axesThatStay = (from: Layout, to: Layout, mesh: Mesh): readonly string[] => {
  const varying = [...from.cuts.flat(), ...finishedAxes(from, to)]
  return mesh.axes.map(({ name }) => name).filter((name) => !varying.includes(name))
}

const partOf = (from: number, held: Box, to: number, wanted: Box): readonly Part[] => {
  const box = intersect(held, wanted)
  return volume(box) > 0 ? [{ from, to, box }] : []
}

/** Bytes that each rank sends in that exchange. */
export const bytesSent = (shape: Shape, from: Layout, to: Layout, mesh: Mesh): readonly number[] => {
  const sent = new Array<number>(mesh.ranks).fill(0)
  for (const part of partsBetween(shape, from, to, mesh)) {
    if (part.from !== part.to) sent[part.from]! += volume(part.box) * bytesPerElement
  }
  return sent
}

/** The bytes that a rank sends to each rank in that exchange; a shift is known by its piece alone. */
export const bytesFrom = (rank: number, from: Held, to: Held, mesh: Mesh): readonly number[] => {
  const bytes = new Array<number>(mesh.ranks).fill(0)
  const { turn } = to.layout
  if (turn !== undefined) {
    bytes[rankBefore(mesh, rank, turn.axis, -1)] = volume(from.boxes[rank]!) * bytesPerElement
    return bytes
  }
  for (const receiver of meetingWith(rank, from.layout, to.layout, mesh)) {
    if (receiver !== rank) bytes[receiver] = volume(intersect(from.boxes[rank]!, to.boxes[receiver]!)) * bytesPerElement
  }
  return bytes
}

/**
 * Bytes that all ranks together send in that exchange, without working out who sends what: each rank gets every element of
 * its new part once, or once from each share of a reduction, less what it has itself.
 */
export const bytesTogether = (from: Held, to: Held, mesh: Mesh): number => {
  if (to.layout.turn?.by === 'all') {
    // Every rank sees all pieces of its ring, its own one without an exchange.
    return (piecesAlong(mesh, [to.layout.turn.axis]) - 1) * to.boxes.reduce((sum, box) => sum + volume(box), 0) * bytesPerElement
  }
  const shares = piecesAlong(mesh, finishedAxes(from.layout, to.layout))
  let elements = 0
  for (let rank = 0; rank < mesh.ranks; rank++) {
    elements += shares * volume(to.boxes[rank]!) - volume(intersect(from.boxes[rank]!, to.boxes[rank]!))
  }
  return elements * bytesPerElement
}
