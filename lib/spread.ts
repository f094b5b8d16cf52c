/** What several measurements of one thing come to. */
export interface Spread {
  /** The middle one: a measurement that was disturbed does not shift it. */
  readonly median: number
  readonly least: number
  readonly most: number
}

export const spreadOf = (numbers: readonly number[]): Spread => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return {
    median: sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2,
    least: sorted[0]!,
    most: sorted.at(-1)!,
  }
}
