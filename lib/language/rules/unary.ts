import type { DType } from '../../dtype.ts'
import type { NeedsType, NoDim, NotLinear } from '../messages.ts'
import type { Dim, LayoutIn, Names } from '../spec.ts'
import type { MeshOf, PendingOf, Rule, SpecOf, Tensor, TypeOf } from '../tensor.ts'

/** The first of two messages that says anything. */
export type First<A extends string, B extends string> = A extends '' ? B : A

/** The first pending reduction: `tp`, or `tp:max`. */
export type FirstPending<P extends string> = P extends `${infer A}+${string}` ? A : P
export type AxisOfPending<A extends string> = A extends `${infer Axis}:${string}` ? Axis : A
export type KindOfPending<A extends string> = A extends `${string}:${infer Kind}` ? Kind : 'sum'

/** How to finish a pending reduction without changing the layout. */
export type FixPending<S extends string, A extends string> = A extends `${string}:${string}` ? `layout('${LayoutIn<S>}')`
  : `layout('${LayoutIn<S>}') or sumOver('${A}')`

/** Refuses a pending reduction. */
export type RefusePending<Op extends string, X> = RefusePendingText<Op, SpecOf<X>, PendingOf<X>>
type RefusePendingText<Op extends string, S extends string, P extends string> = string extends P ? '' : P extends '' ? ''
  : NotLinear<Op, KindOfPending<FirstPending<P>>, AxisOfPending<FirstPending<P>>, FixPending<S, FirstPending<P>>>

/** Refuses a pending maximum or minimum; sums pass. */
export type RefuseExtremes<Op extends string, X> = PendingOf<X> extends `${string}:${string}` ? RefusePending<Op, X> : ''

export type NeedsReal<Op extends string, X> = TypeOf<X> extends 'f32' ? '' : NeedsType<Op, 'f32', TypeOf<X>>

/** Refuses unless each of the blank-separated dims is there. */
export type DimsExist<Op extends string, S extends string, Ds extends string> = Ds extends `${infer D} ${infer Rest}`
  ? First<DimExistsIn<Op, S, D>, DimsExist<Op, S, Rest>> : DimExistsIn<Op, S, Ds>
type DimExistsIn<Op extends string, S extends string, D extends string> = Dim<S, D> extends '' ? NoDim<Op, D, Names<S>> : ''

/** Works on each element alone and is not linear. */
export interface Nonlinear<Op extends string> extends Rule {
  readonly message: First<NeedsReal<Op, this['input']>, RefusePending<Op, this['input']>>
  readonly output: this['input']
}

/** Works on each element alone and is linear: pending sums stay pending. */
export interface Linear<Op extends string> extends Rule {
  readonly message: First<NeedsReal<Op, this['input']>, RefuseExtremes<Op, this['input']>>
  readonly output: this['input']
}

export interface Logical<Op extends string> extends Rule {
  readonly message: TypeOf<this['input']> extends 'bool' ? RefusePending<Op, this['input']>
    : NeedsType<Op, 'bool', TypeOf<this['input']>>
  readonly output: this['input']
}

export interface Cast<To extends DType> extends Rule {
  readonly message: RefusePending<'cast', this['input']>
  readonly output: Tensor<SpecOf<this['input']>, PendingOf<this['input']>, MeshOf<this['input']>, To>
}
