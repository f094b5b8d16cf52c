import type { DType } from '../dtype.ts'
import type { Combine } from './kernel.ts'
import { formOf } from './scalar.ts'

/** What a fold over nothing gives, and what a fold starts from. */
export const neutral = (combine: Combine, type: DType): number => {
  if (combine === 'sum') return 0
  if (type === 'f32') return combine === 'max' ? -Infinity : Infinity
  if (type === 'i32') return combine === 'max' ? -2147483648 : 2147483647
  return combine === 'max' ? 0 : 1
}

/** The float64 meaning of one step of a fold. A NaN stays; truth values are folded by or (`sum`, `max`) and and (`min`). */
export const combineValues = (combine: Combine, type: DType): (a: number, b: number) => number => {
  if (combine === 'max' || (combine === 'sum' && type === 'bool')) return formOf('maximum', type).evaluate
  if (combine === 'min') return formOf('minimum', type).evaluate
  return type === 'i32' ? (a, b) => (a + b) | 0 : (a, b) => a + b
}
