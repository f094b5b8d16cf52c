import { bytesPerElement } from '../dtype.ts'
import { coordinate, type Mesh, pieceAlong, piecesAlong } from '../language/mesh.ts'
import type { Layout, Shape } from './layout.ts'
import { type Box, intersect, pieceOf, volume } from './pieces.ts'

/** The part of a tensor that a rank holds. */
export const boxOn = (shape: Shape, layout: Layout, mesh: Mesh, rank: number): Box =>
  shape.dims.map((dim, i) => pieceOf(dim.size, piecesAlong(mesh, layout.cuts[i]!), pieceAlong(mesh, layout.cuts[i]!, rank)))

/** Whether one exchange can turn the one layout into the other: reductions can be finished, never begun. */
export const canTransfer = (from: Layout, to: Layout): boolean =>
  to.pending.every(({ axis, combine }) => from.pending.some((pending) => pending.axis === axis && pending.combine === combine))

/** A part that one rank gives another (or keeps, if they are one). */
export interface Part {
  readonly from: number
  readonly to: number
  readonly box: Box
}

/** The axes along which the ranks that exchange with one another differ. */
const exchangeAxes = (from: Layout, to: Layout): readonly string[] => {
  const finished = from.pending.filter(({ axis }) => !to.pending.some((pending) => pending.axis === axis)).map(({ axis }) => axis)
  return [...from.cuts.flat(), ...finished]
}

/**
 * Who gives what to whom when a tensor changes its layout in one exchange. Copies are taken from the rank that has the
 * same place on every axis along which the tensor is replicated, so each rank keeps what it has already and receives
 * every other element once: no exchange from one layout moves fewer bytes. Where a reduction is finished, a part comes
 * from each rank that holds a share of it.
 */
export const partsBetween = (shape: Shape, from: Layout, to: Layout, mesh: Mesh): readonly Part[] => {
  const varying = exchangeAxes(from, to)
  const fixed = mesh.axes.map(({ name }) => name).filter((name) => !varying.includes(name))
  const groupOf = (rank: number): string => fixed.map((axis) => coordinate(mesh, rank, axis)).join(' ')
  const groups = new Map<string, number[]>()
  for (let rank = 0; rank < mesh.ranks; rank++) {
    const group = groupOf(rank)
    groups.set(group, [...groups.get(group) ?? [], rank])
  }
  const held = Array.from({ length: mesh.ranks }, (_, rank) => boxOn(shape, from, mesh, rank))
  const wanted = Array.from({ length: mesh.ranks }, (_, rank) => boxOn(shape, to, mesh, rank))
  const parts: Part[] = []
  for (const members of groups.values()) {
    for (const receiver of members) {
      for (const giver of members) {
        const box = intersect(held[giver]!, wanted[receiver]!)
        if (volume(box) > 0) parts.push({ from: giver, to: receiver, box })
      }
    }
  }
  return parts
}

/** Bytes that each rank sends in that exchange. */
export const bytesSent = (shape: Shape, from: Layout, to: Layout, mesh: Mesh): readonly number[] => {
  const sent = new Array<number>(mesh.ranks).fill(0)
  for (const part of partsBetween(shape, from, to, mesh)) {
    if (part.from !== part.to) sent[part.from]! += volume(part.box) * bytesPerElement
  }
  return sent
}
