import type { DType } from '../../dtype.ts'
import type { DimExists, DimTwice, NeedsType, NoDim, NotFinished, NotLinear } from '../messages.ts'
import type { Dim, HasWord, LayoutIn, Names } from '../spec.ts'
import type { MeshOf, PendingOf, Rule, SpecOf, Tensor, TypeOf } from '../tensor.ts'

/**
 * The first of up to twelve messages that says anything. Not one chain of conditions, since the compiler looks at all
 * conditions around a condition, and then around those, each time.
 */
export type First<
  A extends string,
  B extends string,
  C extends string = '',
  D extends string = '',
  E extends string = '',
  F extends string = '',
  G extends string = '',
  H extends string = '',
  I extends string = '',
  J extends string = '',
  K extends string = '',
  L extends string = '',
> = Or<A, Or<B, Or<C, Or<D, Or<E, Or<F, Or<G, Or<H, Or<I, Or<J, Or<K, L>>>>>>>>>>>
type Or<A extends string, B extends string> = A extends '' ? B : A

// ---- dims ----------------------------------------------------------------------------------------------------------

/** Refuses unless the dim is there. */
export type Exists<Op extends string, S extends string, D extends string, Side extends string = 'input'> = Dim<S, D> extends ''
  ? NoDim<Op, D, Side, Names<S>>
  : ''

/** Refuses unless each of the blank-separated dims is there, and named once. */
export type AllExist<Op extends string, S extends string, Ds extends string, Side extends string = 'input'> = Ds extends
  `${infer D} ${infer Rest}` ? First<Exists<Op, S, D, Side>, HasWord<Rest, D> extends true ? DimTwice<Op, D> : AllExist<Op, S, Rest, Side>>
  : Exists<Op, S, Ds, Side>

/** Refuses a dim that is there already. */
export type IsFree<Op extends string, S extends string, D extends string, Side extends string = 'input'> = Dim<S, D> extends '' ? ''
  : DimExists<Op, D, Side, Names<S>>

// ---- element types -------------------------------------------------------------------------------------------------

/** What an op may ask of an operand's elements, and how it says so: kept like `kinds` in layout/shapes.ts. */
export interface Kinds {
  real: 'f32'
  number: 'f32' | 'i32'
  truth: 'bool'
  index: 'i32'
  mask: 'f32' | 'bool'
  any: DType
}
interface KindWords {
  real: 'f32'
  number: 'f32 or i32'
  truth: 'bool'
  index: 'i32'
  mask: 'f32 or bool'
  any: ''
}
export type Kind = keyof Kinds

/** Refuses elements that are not of the kind. */
export type Needs<Op extends string, X, K extends Kind, Side extends string = 'input'> = TypeOf<X> extends Kinds[K] ? ''
  : NeedsType<Op, KindWords[K], Side, TypeOf<X>, KindWords[K] extends `${infer To} or ${string}` ? To : KindWords[K]>

// ---- pending reductions --------------------------------------------------------------------------------------------

export type AxisOfPending<P extends string> = P extends `${infer Axis}:${string}` ? Axis : P
/** `tp+sp` of `tp:max+sp:max`. */
export type AxesOfPending<P extends string> = P extends `${infer A}+${infer Rest}` ? `${AxisOfPending<A>}+${AxesOfPending<Rest>}`
  : AxisOfPending<P>
export type KindOfPending<P extends string> = P extends `${string}:${infer Kind}+${string}` ? Kind
  : P extends `${string}:${infer Kind}` ? Kind
  : 'sum'

/** How to finish what is pending without changing the layout. */
export type FixPending<S extends string, P extends string> = P extends `${string}:${string}` | `${string}+${string}`
  ? `layout('${LayoutIn<S>}')`
  : `layout('${LayoutIn<S>}') or sumOver('${P}')`

/** Refuses pending reductions. */
export type RefusePending<Op extends string, X, Side extends string = 'input'> = RefusePendingText<Op, SpecOf<X>, PendingOf<X>, Side>
export type RefusePendingText<Op extends string, S extends string, P extends string, Side extends string> = string extends P ? ''
  : P extends '' ? ''
  : P extends `${string}:${string}` ? NotFinished<Op, Side, KindOfPending<P>, AxesOfPending<P>, FixPending<S, P>>
  : NotLinear<Op, Side, P, FixPending<S, P>>

/** Refuses a pending maximum or minimum; sums pass. */
export type RefuseExtremes<Op extends string, X, Side extends string = 'input'> = RefuseExtremesText<Op, SpecOf<X>, PendingOf<X>, Side>
export type RefuseExtremesText<Op extends string, S extends string, P extends string, Side extends string> = P extends `${string}:${string}`
  ? RefusePendingText<Op, S, P, Side>
  : ''

// ---- rules ---------------------------------------------------------------------------------------------------------

/** Works on each element alone and is not linear. */
export interface Nonlinear<Op extends string> extends Rule {
  readonly message: First<Needs<Op, this['input'], 'real'>, RefusePending<Op, this['input']>>
  readonly output: this['input']
}

/** Works on each element alone and is linear: pending sums stay pending. */
export interface Linear<Op extends string> extends Rule {
  readonly message: First<Needs<Op, this['input'], 'real'>, RefuseExtremes<Op, this['input']>>
  readonly output: this['input']
}

export interface Logical<Op extends string> extends Rule {
  readonly message: First<Needs<Op, this['input'], 'truth'>, RefusePending<Op, this['input']>>
  readonly output: this['input']
}

export interface Cast<To extends DType> extends Rule {
  readonly message: RefusePending<'cast', this['input']>
  readonly output: Tensor<SpecOf<this['input']>, '', MeshOf<this['input']>, To>
}
