/**
 * Loop nests before they become WGSL: loops of one step go away and neighbours that run through every view without a
 * gap become one, so that little index arithmetic is left.
 */

/** A loop nest with each view's strides over it. */
export interface Loops {
  readonly sizes: readonly number[]
  readonly strides: readonly (readonly number[])[]
  /** For each loop of the original nest that was pinned: which loop it is now, or null if it has one step only. */
  readonly position: ReadonlyMap<number, number | null>
}

interface Loop {
  readonly size: number
  readonly strides: readonly number[]
  readonly pinned: number | null
}

const mergeable = (outer: Loop, inner: Loop): boolean =>
  outer.pinned === null && inner.pinned === null &&
  outer.strides.every((stride, view) => stride === inner.strides[view]! * inner.size)

/**
 * `strides` holds one list per view; `pinned` loops, whose position is needed, stay on their own. With `order`, loops
 * are first sorted so that this view is walked from large strides to small ones: only for nests whose order is free.
 */
export const simplify = (
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
  pinned: ReadonlySet<number> = new Set(),
  order?: number,
): Loops => {
  let loops: readonly Loop[] = sizes.map((size, loop) => (
    { size, strides: strides.map((view) => view[loop]!), pinned: pinned.has(loop) ? loop : null }
  )).filter(({ size }) => size !== 1)
  if (order !== undefined) {
    loops = loops.toSorted((a, b) => Math.abs(b.strides[order]!) - Math.abs(a.strides[order]!))
  }
  const merged: Loop[] = []
  for (const loop of loops) {
    const outer = merged.at(-1)
    if (outer !== undefined && mergeable(outer, loop)) merged[merged.length - 1] = { ...loop, size: outer.size * loop.size }
    else merged.push(loop)
  }
  return {
    sizes: merged.map(({ size }) => size),
    strides: strides.map((_, view) => merged.map((loop) => loop.strides[view]!)),
    position: new Map([...pinned].map((loop) => {
      const now = merged.findIndex((other) => other.pinned === loop)
      return [loop, now < 0 ? null : now]
    })),
  }
}

/** The last loop's part in a list of strides, 0 where there is no loop at all. */
export const innermost = (strides: readonly number[]): number => strides.at(-1) ?? 0
