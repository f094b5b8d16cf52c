import type { AnyTensor, PendingOf, SpecOf, TypeOf } from '../tensor.ts'
import type { NoOption, NotRate, NotSeed, NotStream } from '../messages.ts'
import type { AxesOfPending, First, KindOfPending } from './unary.ts'

/** Refuses a seed that is no whole number, or a tensor that is no single i32. */
export type SeedForm<Op extends string, Seed> = Seed extends number ? NotWholeText<`${Seed}`> extends true ? NotSeed<Op, `${Seed}`> : ''
  : Seed extends AnyTensor ? SeedTensor<Op, Seed>
  : ''
type SeedTensor<Op extends string, X extends AnyTensor> = string extends SpecOf<X> ? ''
  : TypeOf<X> extends 'i32'
    ? SpecOf<X> extends ''
      ? PendingOf<X> extends '' ? '' : NotSeed<Op, `a pending ${KindOfPending<PendingOf<X>>} over '${AxesOfPending<PendingOf<X>>}'`>
    : NotSeed<Op, `'${SpecOf<X>}'`>
  : NotSeed<Op, TypeOf<X>>

/** Refuses a stream that is no whole number of at least 0. */
export type StreamForm<Op extends string, N> = N extends number ? NotWholeText<`${N}`> extends true ? NotStream<Op, `${N}`>
  : `${N}` extends `-${string}` ? NotStream<Op, `${N}`>
  : ''
  : ''

/** Refuses a rate that is not from 0 to below 1. */
export type RateForm<Op extends string, N> = N extends number
  ? number extends N ? '' : `${N}` extends '0' | `0.${string}` | `${Unsigned}e-${string}` ? '' : NotRate<Op, `${N}`>
  : ''
type Unsigned = `${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}${string}`

/** Whether digits are a fraction's, or of a number too large or too small to be written without an exponent. */
type NotWholeText<N extends string> = `${number}` extends N ? false : N extends `${string}.${string}` | `${string}e${string}` ? true : false

/** The first thing that is wrong with options O of an op that knows the listed ones. */
export type RandomForm<Op extends string, O, Known extends string> = First<
  Unknown<Op, Exclude<keyof O, WordIn<Known>> & string, Known>,
  O extends { readonly rate: infer N } ? RateForm<Op, N> : '',
  O extends { readonly stream: infer N } ? StreamForm<Op, N> : '',
  O extends { readonly seed: infer Seed } ? SeedForm<Op, Seed> : ''
>
/** Each word of `rate, seed, stream`. */
type WordIn<List extends string> = List extends `${infer Head}, ${infer Rest}` ? Head | WordIn<Rest> : List
type Unknown<Op extends string, Key extends string, Known extends string> = [Key] extends [never] ? '' : NoOption<Op, Key, Known>
