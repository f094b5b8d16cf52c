import type { DimTwice, NotOfForm } from '../messages.ts'
import type { AxesIn, Dim, SizeIn } from '../spec.ts'
import type { First } from './unary.ts'

/** Whether the text is written with digits and no leading zero, or is a size that is only known as `number`. */
export type IsSize<N extends string> = `${number}` extends N ? true : N extends '0' ? true : N extends `0${string}` | '' ? false : Digits<N>
type Digits<N extends string> = N extends '' ? true
  : N extends `${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}${infer Rest}` ? Digits<Rest>
  : false

/** Refuses a spec that is not of the form `t:16@sp s:1024`, or that names a dim twice. '' is a scalar's. */
export type SpecForm<Op extends string, S extends string> = string extends S ? '' : S extends '' ? ''
: First<Dims<Op, S, 'dim:size or dim:size@axis'>, Twice<Op, S>>

/** Refuses parts that are not of the form `h:16 d:72`. */
export type PartsForm<Op extends string, S extends string> = string extends S ? '' : First<Dims<Op, S, 'dim:size'>, Twice<Op, S>>

type Dims<Op extends string, S extends string, Form extends string> = S extends `${infer Head} ${infer Rest}`
  ? First<OneDim<Op, Head, Form>, Dims<Op, Rest, Form>>
  : OneDim<Op, S, Form>
type OneDim<Op extends string, Text extends string, Form extends string> = Text extends `:${string}` | `${string}@`
  ? NotOfForm<Op, Text, Form>
  : Text extends `${string}:${infer Rest}`
    ? IsSize<SizeIn<Rest>> extends true ? (AxesIn<Rest> extends '' ? '' : Form extends 'dim:size' ? NotOfForm<Op, Text, Form> : '')
    : NotOfForm<Op, Text, Form>
  : NotOfForm<Op, Text, Form>
type Twice<Op extends string, S extends string> = S extends `${infer D}:${string} ${infer Rest}`
  ? Dim<Rest, D> extends '' ? Twice<Op, Rest> : DimTwice<Op, D>
  : ''
