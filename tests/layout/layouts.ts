import fc from 'fast-check'
import type { Layout, Pending, Shape } from '#lib/layout/layout.ts'
import { type Mesh, mesh } from '#lib/language/mesh.ts'

/** Random meshes, shapes and layouts for the tests of transfers and plans. */

export const meshes: fc.Arbitrary<Mesh> = fc.constantFrom('sp=1', 'sp=2', 'sp=3', 'sp=5', 'sp=6', 'a=2 b=2', 'a=2 b=3', 'a=3 b=1 c=2').map((
  text,
) => mesh(text))

/** Up to three dims, many of them shorter than an axis or not divisible by it. */
export const shapes: fc.Arbitrary<Shape> = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 })
  .map((sizes) => ({ dims: sizes.map((size, i) => ({ name: 'xyz'[i]!, size })), type: 'f32' }))

/** Each axis cuts one of the dims, holds copies, or (where allowed) is pending; axes of one dim come in any order. */
export const layouts = (shape: Shape, { axes }: Mesh, pending: boolean): fc.Arbitrary<Layout> =>
  fc.record({
    order: fc.shuffledSubarray(axes.map(({ name }) => name), { minLength: axes.length }),
    places: fc.array(fc.integer({ min: pending ? -2 : -1, max: shape.dims.length - 1 }), {
      minLength: axes.length,
      maxLength: axes.length,
    }),
    combine: fc.constantFrom<Pending['combine']>('sum', 'max', 'min'),
  }).map(({ order, places, combine }) => ({
    cuts: shape.dims.map((_, dim) => order.filter((_, i) => places[i] === dim)),
    pending: order.filter((_, i) => places[i] === -2).map((axis) => ({ axis, combine })),
  }))

/** The same pieces after so many turns round one of the axes that cut them; as they are where no axis does. */
export const turned = (layout: Layout, { axes }: Mesh): fc.Arbitrary<Layout> => {
  const cutting = axes.filter(({ name }) => layout.cuts.flat().includes(name))
  return cutting.length === 0
    ? fc.constant(layout)
    : fc.constantFrom(...cutting).chain(({ name, size }) => fc.nat(size - 1).map((by) => turnedBy(layout, name, by)))
}

export const turnedBy = ({ cuts, pending }: Layout, axis: string, by: number): Layout => ({
  cuts,
  pending,
  ...(by === 0 ? {} : { turn: { axis, by } }),
})

/** A layout that the first one can be turned into: some of its reductions may still be open. */
export const reachable = (shape: Shape, mesh: Mesh, from: Layout): fc.Arbitrary<Layout> =>
  fc.record({
    next: layouts(shape, mesh, false),
    open: fc.subarray([...from.pending]),
  }).map(({ next, open }) => ({
    cuts: next.cuts.map((cut) => cut.filter((axis) => !open.some((one) => one.axis === axis))),
    pending: open,
  }))
