import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coordinate, type Mesh, mesh, pieceAlong, piecesAlong } from '#lib/language/mesh.ts'
import type { Layout, Shape } from '#lib/layout/layout.ts'
import { boxOn, bytesSent, bytesTogether, canTransfer, heldIn, partsBetween } from '#lib/layout/transfer.ts'
import { layouts, meshes, reachable, shapes } from './layouts.ts'

/** Every position of a shape. */
const positionsOf = ({ dims }: Shape): readonly (readonly number[])[] =>
  dims.reduce<(readonly number[])[]>((all, { size }) => all.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])), [[]])

const ranksOf = ({ ranks }: Mesh): readonly number[] => Array.from({ length: ranks }, (_, rank) => rank)

/**
 * Whether a rank holds a position, said in another way than by boxes: the positions of a dim are dealt out over its axes,
 * major first, in a list of pieces whose lengths differ by at most one.
 */
const holds = (shape: Shape, layout: Layout, of: Mesh, rank: number, position: readonly number[]): boolean =>
  shape.dims.every(({ size }, dim) => {
    const axes = layout.cuts[dim]!
    const count = axes.reduce((product, axis) => product * of.axes.find(({ name }) => name === axis)!.size, 1)
    const owners: number[] = []
    for (let piece = 0; piece < count; piece++) {
      for (let i = 0; i < Math.floor(size / count) + (piece < size % count ? 1 : 0); i++) owners.push(piece)
    }
    const own = axes.reduce((piece, axis) => piece * of.axes.find(({ name }) => name === axis)!.size + coordinate(of, rank, axis), 0)
    return owners[position[dim]!] === own
  })

/** A change of layout that one exchange can do. */
const change = meshes.chain((mesh) =>
  shapes.chain((shape) =>
    layouts(shape, mesh, true).chain((from) =>
      fc.record({
        mesh: fc.constant(mesh),
        shape: fc.constant(shape),
        from: fc.constant(from),
        to: reachable(shape, mesh, from),
      })
    )
  )
)

test('coordinates count the ranks, the last axis fastest', () => {
  fc.assert(fc.property(meshes, (mesh) => {
    for (const rank of ranksOf(mesh)) {
      const number = mesh.axes.reduce((before, { name, size }) => {
        const at = coordinate(mesh, rank, name)
        assert.ok(at >= 0 && at < size)
        return before * size + at
      }, 0)
      assert.equal(number, rank)
    }
  }))
})

test('the pieces of several axes are counted with the first axis major', () => {
  const of = mesh('a=2 b=3')
  assert.equal(piecesAlong(of, ['a', 'b']), 6)
  assert.deepEqual(ranksOf(of).map((rank) => pieceAlong(of, ['a', 'b'], rank)), [0, 1, 2, 3, 4, 5])
  assert.deepEqual(ranksOf(of).map((rank) => pieceAlong(of, ['b', 'a'], rank)), [0, 2, 4, 1, 3, 5])
  assert.deepEqual(ranksOf(of).map((rank) => pieceAlong(of, [], rank)), [0, 0, 0, 0, 0, 0])
})

test('a rank holds the box that its coordinates name', () => {
  const cases = meshes.chain((mesh) =>
    shapes.chain((shape) => fc.record({ mesh: fc.constant(mesh), shape: fc.constant(shape), layout: layouts(shape, mesh, true) }))
  )
  fc.assert(fc.property(cases, ({ mesh, shape, layout }) => {
    for (const rank of ranksOf(mesh)) {
      const box = boxOn(shape, layout, mesh, rank)
      for (const position of positionsOf(shape)) {
        const inside = position.every((at, dim) => at >= box[dim]!.start && at < box[dim]!.start + box[dim]!.size)
        assert.equal(inside, holds(shape, layout, mesh, rank, position))
      }
    }
  }))
})

test('each element of each new piece comes once, from a rank that has it; of a reduction, each share comes once', () => {
  fc.assert(
    fc.property(change, ({ mesh, shape, from, to }) => {
      assert.ok(canTransfer(from, to))
      const parts = partsBetween(shape, from, to, mesh)
      const finished = from.pending.map(({ axis }) => axis).filter((axis) => !to.pending.some((open) => open.axis === axis))
      const stillOpen = to.pending.map(({ axis }) => axis)
      for (const rank of ranksOf(mesh)) {
        for (const position of positionsOf(shape)) {
          const givers = parts
            .filter((part) =>
              part.to === rank && part.box.every(({ start, size }, dim) => position[dim]! >= start && position[dim]! < start + size)
            )
            .map((part) => part.from)
          assert.ok(givers.every((giver) => holds(shape, from, mesh, giver, position)))
          const wanted = holds(shape, to, mesh, rank, position)
          // One giver for each share: their coordinates along the finished axes are all there are, each once …
          const shares = givers.map((giver) => finished.map((axis) => coordinate(mesh, giver, axis)).join(' ')).toSorted()
          const all = finished.reduce<string[]>(
            (heads, axis) =>
              heads.flatMap((head) =>
                Array.from({ length: mesh.axes.find(({ name }) => name === axis)!.size }, (_, i) => `${head}${head === '' ? '' : ' '}${i}`)
              ),
            [''],
          )
          assert.deepEqual(shares, wanted ? all.toSorted() : [])
          // … and a reduction that stays open keeps its shares apart.
          for (const giver of givers) {
            for (const axis of stillOpen) {
              assert.equal(coordinate(mesh, giver, axis), coordinate(mesh, rank, axis))
            }
          }
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('nothing that a rank has already is sent to it, unless it is a share of a sum', () => {
  fc.assert(
    fc.property(change, ({ mesh, shape, from, to }) => {
      const finished = from.pending.length > to.pending.length
      for (const part of partsBetween(shape, from, to, mesh)) {
        if (part.from === part.to || finished) continue
        for (const position of positionsOf(shape)) {
          const inside = part.box.every(({ start, size }, dim) => position[dim]! >= start && position[dim]! < start + size)
          assert.ok(!inside || !holds(shape, from, mesh, part.to, position))
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('the bytes sent are those of a count element by element', () => {
  fc.assert(
    fc.property(change, ({ mesh, shape, from, to }) => {
      const finished = from.pending.map(({ axis }) => axis).filter((axis) => !to.pending.some((open) => open.axis === axis))
      const shares = finished.reduce((product, axis) => product * mesh.axes.find(({ name }) => name === axis)!.size, 1)
      let elements = 0
      for (const rank of ranksOf(mesh)) {
        for (const position of positionsOf(shape)) {
          if (!holds(shape, to, mesh, rank, position)) continue
          elements += holds(shape, from, mesh, rank, position) ? shares - 1 : shares
        }
      }
      assert.equal(bytesSent(shape, from, to, mesh).reduce((sum, bytes) => sum + bytes, 0), 4 * elements)
      assert.equal(bytesTogether(heldIn(shape, from, mesh), heldIn(shape, to, mesh), mesh), 4 * elements)
    }),
    { numRuns: 300 },
  )
})

test('staying and slicing are free', () => {
  fc.assert(fc.property(change, ({ mesh, shape, to }) => {
    const whole: Layout = { cuts: shape.dims.map(() => []), pending: [] }
    const cut: Layout = { cuts: to.cuts, pending: [] }
    assert.ok(bytesSent(shape, cut, cut, mesh).every((bytes) => bytes === 0))
    assert.ok(bytesSent(shape, whole, cut, mesh).every((bytes) => bytes === 0))
  }))
})

test('a switch over n ranks sends M (n-1)/n bytes in all where the ranks divide both dims', () => {
  for (const n of [1, 2, 3, 5, 6]) {
    const shape: Shape = { dims: [{ name: 't', size: 2 * n }, { name: 's', size: 3 * n }], type: 'f32' }
    const sent = bytesSent(shape, { cuts: [['sp'], []], pending: [] }, { cuts: [[], ['sp']], pending: [] }, mesh(`sp=${n}`))
    assert.deepEqual(sent, Array.from({ length: n }, () => 4 * 6 * n * n * (n - 1) / n / n))
  }
})
