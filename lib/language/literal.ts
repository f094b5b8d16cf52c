import type { DType } from '../dtype.ts'
import * as say from './messages.ts'
import { refuse } from './refusal.ts'

/**
 * Refuses a number that a program gives for elements of a type, where they can't be it: i32 holds the whole numbers from -2³¹ to
 * 2³¹ - 1, bool 0 and 1 (or false and true). An f32 is the nearest float32: 1e300 is ∞, and infinities, NaN and -0 are themselves.
 */
export const needLiteral = (op: string, value: number | boolean, type: DType): void => {
  if (type === 'bool') {
    if (value !== true && value !== false && value !== 0 && value !== 1) refuse(say.notTruth(op, value))
    return
  }
  if (typeof value !== 'number') return refuse(say.notNumber(op, String(value), type))
  if (type === 'f32') return
  if (!Number.isInteger(value)) refuse(say.notWhole(op, value))
  if (value !== (value | 0)) refuse(say.outsideInteger(op, value))
}
