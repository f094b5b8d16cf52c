/** The float64 meaning of scalar functions for which JavaScript's own is another at the edges. */

/** x^y as C99 has it (F.9.4.4): JavaScript says NaN for 1^NaN, 1^±∞ and (-1)^±∞, which are 1. */
export const cPower = (x: number, y: number): number => x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y)

/** Towards zero; x / 0 is -1, as JAX has it on a CPU. The caller wraps the one quotient that is no 32-bit integer. */
export const divideIntegers = (x: number, y: number): number => y === 0 ? -1 : Math.trunc(x / y)

const [least, greatest] = [-2147483648, 2147483647]

/** The integer towards zero, or the end of the range beyond which a number lies; NaN becomes 0. */
export const toInteger = (x: number): number => Number.isNaN(x) ? 0 : Math.min(greatest, Math.max(least, Math.trunc(x)))

const [leastNormal, greatestSingle] = [2 ** -126, (2 - 2 ** -23) * 2 ** 127]

/**
 * A number with float64's digits and float32's range: what overflows there is ±∞, what underflows there is ±0, and between 0 and
 * the least normal number there are float32's subnormal ones.
 */
export const inRangeOfSingle = (x: number): number => {
  const size = Math.abs(x)
  return size >= leastNormal && size <= greatestSingle ? x : Math.fround(x)
}
