import type { AtMost } from '../arithmetic.ts'
import type { DividedByZero, NotNumber, NotTruth, NotWhole, OutsideInteger } from '../messages.ts'
import type { TypeOf } from '../tensor.ts'

/** Refuses a number that a program gives for elements of X's type, where they can't be it: kept like `needLiteral` in literal.ts. */
export type LiteralFits<Op extends string, X, N extends number | boolean> = [TypeOf<X>] extends ['f32']
  ? N extends boolean ? NotNumber<Op, `${N}`, 'f32'> : ''
  : [TypeOf<X>] extends ['i32'] ? (N extends boolean ? NotNumber<Op, `${N}`, 'i32'> : IntegerFits<Op, `${N}`>)
  : [TypeOf<X>] extends ['bool'] ? (number extends N ? '' : N extends boolean | 0 | 1 ? '' : NotTruth<Op, `${N}`>)
  : ''

/** Refuses what is no whole number of i32. Large numbers are written `1e+21`, small ones `1e-7`. */
export type IntegerFits<Op extends string, N extends string> = `${number}` extends N ? ''
  : N extends `${string}e+${string}` ? OutsideInteger<Op, N>
  : N extends `${string}.${string}` | `${string}e-${string}` ? NotWhole<Op, N>
  : (N extends `-${infer Size}` ? AtMost<Size, '2147483648'> : AtMost<N, '2147483647'>) extends true ? ''
  : OutsideInteger<Op, N>

/** Refuses to divide whole numbers by 0. */
export type DividesWhole<Op extends string, X, N extends number> = [TypeOf<X>] extends ['i32'] ? (N extends 0 ? DividedByZero<Op> : '')
  : ''
