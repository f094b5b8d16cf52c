import { elementsOf } from '#lib/kernel/kernel.ts'

/**
 * The offset of every position of a loop nest, in row-major order: where `start` and the strides put it. With a unit
 * vector for strides this is the position itself along one loop.
 */
export const offsets = (sizes: readonly number[], strides: readonly number[], start = 0): Int32Array => {
  const result = new Int32Array(elementsOf(sizes))
  if (result.length === 0) return result
  result[0] = start
  let filled = 1
  for (let loop = sizes.length - 1; loop >= 0; loop--) {
    const size = sizes[loop]!
    const stride = strides[loop]!
    for (let step = 1; step < size; step++) {
      for (let i = 0; i < filled; i++) result[step * filled + i] = result[i]! + step * stride
    }
    filled *= size
  }
  return result
}

/** A function that remembers its results: the blocks of a model walk the same loops. */
export const rememberingOffsets = (): typeof offsets => {
  const known = new Map<string, Int32Array>()
  return (sizes, strides, start = 0) => {
    const key = `${sizes.join()}|${strides.join()}|${start}`
    const found = known.get(key)
    if (found !== undefined) return found
    const made = offsets(sizes, strides, start)
    known.set(key, made)
    return made
  }
}
