/**
 * Buffers for values that live for a while: a buffer whose value is dead serves the next one that fits best. Sizes are in
 * elements; the sum of the buffers is the peak, since none is ever given back.
 */
export const storage = () => {
  const sizes: number[] = []
  const idle = new Set<number>()
  return {
    sizes,
    /** A buffer of at least so many elements: the smallest idle one that fits, else the largest idle one made larger, else a new one. */
    take: (size: number): number => {
      let best = -1
      for (const buffer of idle) {
        const fits = sizes[buffer]! >= size
        const bestFits = best >= 0 && sizes[best]! >= size
        if (best < 0 || (fits ? !bestFits || sizes[buffer]! < sizes[best]! : !bestFits && sizes[buffer]! > sizes[best]!)) best = buffer
      }
      if (best < 0) return sizes.push(size) - 1
      idle.delete(best)
      sizes[best] = Math.max(sizes[best]!, size)
      return best
    },
    give: (buffer: number): void => {
      idle.add(buffer)
    },
  }
}
