export interface Line {
  readonly start: number
  readonly slope: number
}

/**
 * The line through points that makes the squares of the relative errors least, with neither a start nor a slope below 0: a
 * latency and the seconds for each byte. Relative, so that small messages count as much as large ones.
 */
export const fitLine = (points: readonly (readonly [x: number, y: number])[]): Line => {
  let [w, wx, wxx, wy, wxy] = [0, 0, 0, 0, 0]
  for (const [x, y] of points) {
    const weight = 1 / (y * y)
    w += weight
    wx += weight * x
    wxx += weight * x * x
    wy += weight * y
    wxy += weight * x * y
  }
  const determinant = w * wxx - wx * wx
  const slope = determinant > 1e-12 * w * wxx ? (w * wxy - wx * wy) / determinant : 0
  const start = w === 0 ? 0 : (wy - slope * wx) / w
  if (slope < 0) return { start: w === 0 ? 0 : wy / w, slope: 0 }
  return start < 0 ? { start: 0, slope: wxx === 0 ? 0 : wxy / wxx } : { start, slope }
}
