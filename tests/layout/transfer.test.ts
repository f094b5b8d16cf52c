import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coordinate, type Mesh, mesh, pieceAlong, piecesAlong } from '#lib/language/mesh.ts'
import { keyOf, type Layout, printPending, printSpec, type Shape } from '#lib/layout/layout.ts'
import { boxOn, bytesSent, bytesTogether, canTransfer, heldIn, partsBetween, partsOn } from '#lib/layout/transfer.ts'
import { readValue } from '#lib/plan/read-value.ts'
import { layouts, meshes, reachable, shapes, turned, turnedBy } from './layouts.ts'

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

test('what one rank gives and gets is its part of the whole', () => {
  fc.assert(fc.property(change, ({ mesh, shape, from, to }) => {
    const parts = partsBetween(shape, from, to, mesh)
    for (const rank of ranksOf(mesh)) {
      assert.deepEqual(partsOn(rank, shape, from, to, mesh), parts.filter((part) => part.from === rank || part.to === rank))
    }
  }))
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

// ---- turns round an axis ---------------------------------------------------------------------------------------------

const placed = meshes.chain((mesh) =>
  shapes.chain((shape) => layouts(shape, mesh, true).chain((home) => turned(home, mesh).map((layout) => ({ mesh, shape, home, layout }))))
)

test('after some turns a rank holds what the rank so many places before it holds at home', () => {
  fc.assert(fc.property(placed, ({ mesh, shape, home, layout: { cuts, pending, turn } }) => {
    fc.pre(turn !== undefined)
    const { axis, by } = turn!
    const { size } = mesh.axes.find(({ name }) => name === axis)!
    for (const rank of ranksOf(mesh)) {
      const before = ranksOf(mesh).filter((other) =>
        mesh.axes.every(({ name }) =>
          name === axis
            ? (coordinate(mesh, other, name) + Number(by)) % size === coordinate(mesh, rank, name)
            : coordinate(mesh, other, name) === coordinate(mesh, rank, name)
        )
      )
      assert.equal(before.length, 1)
      assert.deepEqual(boxOn(shape, { cuts, pending, turn: turn! }, mesh, rank), boxOn(shape, home, mesh, before[0]!))
    }
  }))
})

test('as many turns as there are ranks bring every piece home, one exchange after another', () => {
  fc.assert(fc.property(placed, ({ mesh, shape, home, layout: { turn } }) => {
    fc.pre(turn !== undefined)
    const { axis } = turn!
    const { size } = mesh.axes.find(({ name }) => name === axis)!
    // Whose piece each rank has, followed through the parts that are sent.
    let holds = ranksOf(mesh).map((rank) => boxOn(shape, home, mesh, rank))
    for (let by = 0; by < size; by++) {
      const [from, to] = [turnedBy(home, axis, by), turnedBy(home, axis, (by + 1) % size)]
      assert.ok(canTransfer(from, to))
      const parts = partsBetween(shape, from, to, mesh)
      const got = ranksOf(mesh).map((rank) => {
        const own = parts.filter((part) => part.to === rank)
        // One message from the rank before; none, where its piece is empty.
        assert.ok(own.length <= 1)
        for (const { from, box } of own) {
          assert.deepEqual(box, holds[from])
          assert.equal((coordinate(mesh, from, axis) + 1) % size, coordinate(mesh, rank, axis))
        }
        return boxOn(shape, to, mesh, rank)
      })
      for (const [rank, box] of got.entries()) {
        assert.equal(parts.some((part) => part.to === rank), box.every((range) => range.size > 0))
      }
      const sent = bytesSent(shape, from, to, mesh)
      assert.deepEqual(sent, size === 1 ? ranksOf(mesh).map(() => 0) : holds.map((box) => 4 * box.reduce((n, range) => n * range.size, 1)))
      holds = got
    }
    assert.deepEqual(holds, ranksOf(mesh).map((rank) => boxOn(shape, home, mesh, rank)))
    // Going all round is priced as all turns but the one that would bring the pieces home.
    const round: Layout = { ...home, turn: { axis, by: 'all' } }
    const turns = Array.from(
      { length: size - 1 },
      (_, by) => bytesSent(shape, turnedBy(home, axis, by), turnedBy(home, axis, by + 1), mesh),
    )
    assert.equal(
      bytesTogether(heldIn(shape, home, mesh), heldIn(shape, round, mesh), mesh),
      turns.flat().reduce((sum, one) => sum + one, 0),
    )
    assert.ok(canTransfer(home, round) && !canTransfer(round, home))
    assert.ok(!canTransfer({ ...home, pending: [...home.pending, { axis: 'other', combine: 'sum' }] }, round))
  }))
})

test('a layout that is written down is read again, with its turns', () => {
  fc.assert(fc.property(placed, ({ shape, layout }) => {
    const read = readValue({ spec: printSpec(shape, layout), pending: printPending(layout.pending), type: shape.type })
    assert.deepEqual(read.shape, shape)
    assert.deepEqual(read.layout, layout)
    assert.equal(keyOf(read.layout), keyOf(layout))
  }))
})
