import type { Dim, Layout, Pending, Shape } from '../layout/layout.ts'
import type { Mesh } from '../language/mesh.ts'

/** Axes that make a difference; the others have one rank. */
export const liveAxes = (mesh: Mesh): readonly string[] => mesh.axes.filter(({ size }) => size > 1).map(({ name }) => name)

/** All orders of a list. */
export const permutations = <A>(list: readonly A[]): readonly (readonly A[])[] =>
  list.length <= 1
    ? [list]
    : list.flatMap((first, i) => permutations([...list.slice(0, i), ...list.slice(i + 1)]).map((rest) => [first, ...rest]))

/** All ways of giving each item one of `count` places or none, with every order of the items that share a place. */
export const assignments = (items: readonly string[], count: number): readonly (readonly (readonly string[])[])[] => {
  let lists: (readonly (readonly string[])[])[] = [Array.from({ length: count }, () => [])]
  for (const item of items) {
    lists = lists.flatMap((places) => [
      places,
      ...places.flatMap((place, at) =>
        Array.from(
          { length: place.length + 1 },
          (_, before) => places.map((other, i) => i === at ? [...place.slice(0, before), item, ...place.slice(before)] : other),
        )
      ),
    ])
  }
  return lists
}

/** What layouts are made of: the mesh, and the names of the dims of at most one position that may be cut all the same. */
export interface Ground {
  readonly mesh: Mesh
  readonly cutSingles: ReadonlySet<string>
}

/** Whether the planner may cut a dim. One position is nothing to share: such a dim is cut only if the program does it. */
export const canCut = ({ name, size }: Dim, { cutSingles }: Ground): boolean => size > 1 || cutSingles.has(name)

/**
 * Every layout that a value of this shape can have while it is on its way: each axis cuts one of the dims, or none; a
 * pending reduction is still there or done.
 */
export const statesOf = (shape: Shape, ground: Ground, pending: readonly Pending[]): readonly Layout[] => {
  const { mesh } = ground
  const long = shape.dims.flatMap((dim, i) => canCut(dim, ground) ? [i] : [])
  const subsets = pending.reduce<(readonly Pending[])[]>((sets, one) => [...sets, ...sets.map((set) => [...set, one])], [[]])
  return subsets.flatMap((open) => {
    const axes = liveAxes(mesh).filter((axis) => !open.some((one) => one.axis === axis))
    return assignments(axes, long.length).map((places): Layout => ({
      cuts: shape.dims.map((_, i) => places[long.indexOf(i)] ?? []),
      pending: open,
    }))
  })
}
