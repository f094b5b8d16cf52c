/**
 * Every mesh with these axes that has so many ranks: `dp=1 sp=4`, `dp=2 sp=2`, `dp=4 sp=1`. The last axis is largest first, since
 * neighbours, which it joins, have the fastest links.
 */
export const meshesOf = (axes: readonly string[], ranks: number): readonly string[] => {
  const [axis, ...others] = axes
  if (axis === undefined) return ranks === 1 ? [''] : []
  if (others.length === 0) return [`${axis}=${ranks}`]
  const sizes = Array.from({ length: ranks }, (_, i) => i + 1).filter((size) => ranks % size === 0)
  return sizes.flatMap((size) => meshesOf(others, ranks / size).map((rest) => `${axis}=${size} ${rest}`))
}
