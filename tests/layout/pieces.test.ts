import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Box, cutBox, intersect, overlap, pieceOf, placeBox, volume } from '#lib/layout/pieces.ts'

const size = fc.integer({ min: 0, max: 40 })
const count = fc.integer({ min: 1, max: 9 })

test('pieces of a dim lie one after another and cover every position once', () => {
  fc.assert(fc.property(size, count, (size, count) => {
    let next = 0
    for (let piece = 0; piece < count; piece++) {
      const { start, size: length } = pieceOf(size, count, piece)
      assert.equal(start, next)
      assert.ok(length >= 0)
      next += length
    }
    assert.equal(next, size)
  }))
})

test('pieces differ by at most one position, and the longer ones come first', () => {
  fc.assert(fc.property(size, count, (size, count) => {
    const lengths = Array.from({ length: count }, (_, piece) => pieceOf(size, count, piece).size)
    assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 1)
    assert.deepEqual(lengths, lengths.toSorted((a, b) => b - a))
    assert.equal(lengths.filter((length) => length > Math.floor(size / count)).length, size % count)
  }))
})

const range = fc.record({ start: fc.nat(12), size: fc.nat(12) })

test('the overlap of two ranges holds the positions that lie in both', () => {
  fc.assert(fc.property(range, range, (a, b) => {
    const lies = (position: number, { start, size }: { start: number; size: number }): boolean =>
      position >= start && position < start + size
    const both = overlap(a, b)
    for (let position = 0; position < 30; position++) {
      assert.equal(lies(position, both), lies(position, a) && lies(position, b))
    }
  }))
})

/** Sizes of a tensor of up to four dims, and a box of each of `boxes` inside it. */
const tensorWithBox = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }).chain((sizes) =>
  fc.record({
    sizes: fc.constant(sizes),
    box: fc.tuple(...sizes.map((size): fc.Arbitrary<Box[number]> =>
      fc.tuple(fc.integer({ min: 0, max: size }), fc.integer({ min: 0, max: size })).map(([a, b]) => ({
        start: Math.min(a, b),
        size: Math.abs(a - b),
      }))
    )) as fc.Arbitrary<Box>,
  })
)

/** Every position of a tensor, in memory order. */
const positions = (sizes: readonly number[]): readonly (readonly number[])[] =>
  sizes.reduce<(readonly number[])[]>((all, size) => all.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])), [[]])

const inside = (box: Box, position: readonly number[]): boolean =>
  position.every((at, dim) => at >= box[dim]!.start && at < box[dim]!.start + box[dim]!.size)

test('cutBox takes the elements of the box in memory order', () => {
  fc.assert(fc.property(tensorWithBox, fc.boolean(), ({ sizes, box }, whole) => {
    const places = positions(sizes)
    const tensor = whole ? Int32Array.from(places, (_, i) => i + 1) : Float32Array.from(places, (_, i) => i + 1)
    const expected = places.flatMap((position, i) => inside(box, position) ? [i + 1] : [])
    const piece = cutBox<Int32Array | Float32Array>(tensor, sizes, box)
    assert.equal(piece.constructor, tensor.constructor)
    assert.deepEqual([...piece], expected)
    assert.equal(volume(box), expected.length)
  }))
})

test('placeBox puts a piece back where cutBox took it, and touches nothing else', () => {
  fc.assert(fc.property(tensorWithBox, ({ sizes, box }) => {
    const places = positions(sizes)
    const tensor = Float32Array.from(places, (_, i) => i + 1)
    const target = new Float32Array(places.length).fill(-1)
    placeBox(target, sizes, box, cutBox(tensor, sizes, box))
    assert.deepEqual([...target], places.map((position, i) => inside(box, position) ? i + 1 : -1))
  }))
})

test('intersecting boxes gives the positions that lie in both', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(range, range), { minLength: 1, maxLength: 3 }), (pairs) => {
      const [a, b] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)]
      const both = positions(pairs.map(() => 24)).filter((position) => inside(a, position) && inside(b, position))
      assert.equal(volume(intersect(a, b)), both.length)
    }),
    { numRuns: 30 },
  )
})
