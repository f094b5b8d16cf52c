import type { DType } from '../../dtype.ts'
import type { Known } from '../arithmetic.ts'
import type {
  CutsDiffer,
  On,
  PendingApart,
  PendingMeetsCut,
  PendingOnBothSides,
  PendingOnOneSide,
  SizesDiffer,
  TypesDiffer,
} from '../messages.ts'
import type { At, AxesIn, Dim, DimWithAxis, Join, LayoutWithCut, SizeIn } from '../spec.ts'
import type { AnyTensor, MeshOf, MeshOfEither, PendingOf, Rule, SpecOf, Tensor, TypeOf } from '../tensor.ts'
import type { DividesWhole, LiteralFits } from './literal.ts'
import type { First, FixPending, Kind, Needs, RefuseExtremes, RefuseExtremesText, RefusePending, RefusePendingText } from './unary.ts'
import type { CutTwice } from './whole.ts'

// ---- sizes, cuts and types of two operands, matched by name --------------------------------------------------------

// What is found between two specs is worked out without the op's name, so that ops that meet the same specs share it; and
// specs without a cut are seen at once.

/** Dims that both sides have must be of one size. */
export type SizeConflict<Op extends string, S extends string, U extends string, A extends string = 'left', B extends string = 'right'> =
  SizesOff<S, U> extends `${infer D} ${infer M} ${infer N}` ? SizesDiffer<Op, D, M, A, N, B> : ''
/** 'e 384 512' for the first dim of U that has another size in S, or ''. */
type SizesOff<S extends string, U extends string> = U extends S ? ''
  : U extends `${infer Head} ${infer Rest}` ? SizeOff<S, Head> extends '' ? SizesOff<S, Rest> : SizeOff<S, Head>
  : SizeOff<S, U>
type SizeOff<S extends string, Head extends string> = Head extends `${infer D}:${infer Text}` ? Off<D, SizeIn<Dim<S, D>>, SizeIn<Text>> : ''
type Off<D extends string, M extends string, N extends string> = M extends '' | N ? ''
  : [Known<M>, Known<N>] extends [true, true] ? `${D} ${M} ${N}`
  : ''

/** Dims that both sides cut must be cut by the same axes. */
export type CutConflict<Op extends string, S extends string, U extends string, A extends string = 'left', B extends string = 'right'> =
  CutsOff<S, U> extends `${infer D} ${infer M} ${infer N}`
    ? CutsDiffer<Op, D, `@${M}`, A, `@${N}`, B, `layout('${LayoutWithCut<U, D, M>}')${On<B>}`>
    : ''
/** 't sp tp' for the first dim of S that other axes cut in U, or ''. */
type CutsOff<S extends string, U extends string> = S extends U ? '' : U extends `${string}@${string}` ? CutsOffIn<S, U> : ''
type CutsOffIn<S extends string, U extends string> = S extends `${infer Head} ${infer Rest}`
  ? CutOff<Head, U> extends '' ? CutsOffIn<Rest, U> : CutOff<Head, U>
  : CutOff<S, U>
type CutOff<Head extends string, U extends string> = Head extends `${infer D}:${string}@${infer M}` ? Apart<D, M, AxesIn<Dim<U, D>>> : ''
type Apart<D extends string, M extends string, N extends string> = N extends '' | '?' | M ? '' : M extends '?' ? '' : `${D} ${M} ${N}`

export type TypeConflict<Op extends string, X, Y, A extends string = 'left', B extends string = 'right'> = TypeOf<Y> extends TypeOf<X> ? ''
  : TypesDiffer<Op, TypeOf<X>, A, TypeOf<Y>, B>

/** The dims of U that S lacks. */
export type Extra<U extends string, S extends string> = U extends S ? ''
  : U extends `${infer Head} ${infer Rest}` ? Join<ExtraAt<Head, S>, Extra<Rest, S>>
  : ExtraAt<U, S>
type ExtraAt<Head extends string, S extends string> = Head extends `${infer D}:${string}` ? (Dim<S, D> extends '' ? Head : '') : ''

/** S with the axes of U where S is whole; where either leaves a dim to the planner, the result does. */
export type WithAxesOf<S extends string, U extends string> = U extends `${string}@${string}` ? WithAxesIn<S, U> : S
type WithAxesIn<S extends string, U extends string> = S extends `${infer Head} ${infer Rest}`
  ? `${WithAxesAt<Head, U>} ${WithAxesIn<Rest, U>}`
  : WithAxesAt<S, U>
type WithAxesAt<Head extends string, U extends string> = Head extends `${infer D}:${infer Size}@${string}`
  ? AxesIn<Dim<U, D>> extends '?' ? `${D}:${Size}@?` : Head
  : Head extends `${infer D}:${string}` ? `${Head}${At<AxesIn<Dim<U, D>>>}`
  : Head

/** Broadcasting by name: the dims of S in their order, with those that only U has in front. */
export type Broadcast<S extends string, U extends string> = S extends U ? S : Join<Extra<U, S>, WithAxesOf<S, U>>

// ---- pending reductions of two operands ----------------------------------------------------------------------------

/**
 * What a function of two elements does to pending sums: it keeps them when both are pending (`together`: add), when
 * one is (`either`: multiply), when the left is (`left`: divide), or never.
 */
export type Linearity = 'together' | 'either' | 'left' | 'never'

/** What becomes of pending reductions of two operands: a message, or the result's as `= tp`. */
export type PendingOfTwo<
  Op extends string,
  S1 extends string,
  P1 extends string,
  S2 extends string,
  P2 extends string,
  L extends Linearity,
  A extends string = 'left',
  B extends string = 'right',
> = [P1, P2] extends ['', ''] ? '= '
  : First<
    L extends 'never' ? RefusePendingText<Op, S1, P1, A> : RefuseExtremesText<Op, S1, P1, A>,
    L extends 'never' | 'left' ? RefusePendingText<Op, S2, P2, B> : RefuseExtremesText<Op, S2, P2, B>,
    L extends 'together' ? Together<Op, S1, P1, S2, P2, A, B>
      : P2 extends '' ? Meets<Op, P1, S2, A, B>
      : P1 extends '' ? Meets<Op, P2, S1, B, A>
      : PendingOnBothSides<Op, A, P1, B, P2, FixPending<S2, P2>>
  >
type Together<
  Op extends string,
  S1 extends string,
  P1 extends string,
  S2 extends string,
  P2 extends string,
  A extends string,
  B extends string,
> = P1 extends P2 ? `= ${P1}`
  : P1 extends '' ? PendingOnOneSide<Op, B, P2, A, FixPending<S2, P2>>
  : P2 extends '' ? PendingOnOneSide<Op, A, P1, B, FixPending<S1, P1>>
  : PendingApart<Op, A, P1, FixPending<S1, P1>, B, P2, FixPending<S2, P2>>

/** An axis cannot be pending on one side and cut the other. */
type Meets<Op extends string, P extends string, Other extends string, A extends string, B extends string> =
  MeetsCut<Op, P, Other, A, B> extends infer M extends string ? (M extends '' ? `= ${P}` : M) : never
export type MeetsCut<Op extends string, P extends string, Other extends string, A extends string, B extends string> = P extends
  `${infer Axis}+${infer Rest}` ? First<MeetsAt<Op, Axis, Other, A, B>, MeetsCut<Op, Rest, Other, A, B>> : MeetsAt<Op, P, Other, A, B>
type MeetsAt<Op extends string, Axis extends string, Other extends string, A extends string, B extends string> =
  DimWithAxis<Other, Axis> extends infer D extends string ? (D extends '' ? '' : PendingMeetsCut<Op, A, Axis, D, B>) : never

export type MessageIn<P extends string> = P extends `= ${string}` ? '' : P
export type PendingIn<P extends string> = P extends `= ${infer Kept}` ? Kept : ''

// ---- rules ---------------------------------------------------------------------------------------------------------

/** A function of two elements of kind K, broadcast by name. `To` is the result's type where it differs from the operands'. */
export interface Binary<Op extends string, Y extends AnyTensor, L extends Linearity, K extends Kind, To extends DType | 'same'>
  extends Rule {
  readonly message: string extends SpecOf<Y> ? '' : BinaryMessage<Op, this['input'], Y, L, K>
  readonly output: string extends SpecOf<Y> ? Tensor<string, string, MeshOfEither<this['input'], Y>, ResultType<this['input'], To>>
    : Tensor<
      Broadcast<SpecOf<this['input']>, SpecOf<Y>>,
      PendingIn<PendingOfTwo<Op, SpecOf<this['input']>, PendingOf<this['input']>, SpecOf<Y>, PendingOf<Y>, L>>,
      MeshOfEither<this['input'], Y>,
      ResultType<this['input'], To>
    >
}
type ResultType<X, To extends DType | 'same'> = To extends DType ? To : TypeOf<X>

export type BinaryMessage<
  Op extends string,
  X,
  Y,
  L extends Linearity,
  K extends Kind,
  A extends string = 'left',
  B extends string = 'right',
> = First<
  SizeConflict<Op, SpecOf<X>, SpecOf<Y>, A, B>,
  Needs<Op, X, K, A>,
  TypeConflict<Op, X, Y, A, B>,
  MessageIn<PendingOfTwo<Op, SpecOf<X>, PendingOf<X>, SpecOf<Y>, PendingOf<Y>, L, A, B>>,
  CutConflict<Op, SpecOf<X>, SpecOf<Y>, A, B>,
  CutTwice<Op, Broadcast<SpecOf<X>, SpecOf<Y>>, [[B, SpecOf<Y>]]>
>

/** A function of each element and one number N. */
export interface WithNumber<Op extends string, N extends number, L extends Linearity, K extends Kind, To extends DType | 'same'>
  extends Rule {
  readonly message: First<
    Needs<Op, this['input'], K>,
    LiteralFits<Op, this['input'], N>,
    L extends 'left' ? DividesWhole<Op, this['input'], N> : '',
    L extends 'either' | 'left' ? RefuseExtremes<Op, this['input']> : RefusePending<Op, this['input']>
  >
  readonly output: To extends DType ? Tensor<SpecOf<this['input']>, PendingOf<this['input']>, MeshOf<this['input']>, To> : this['input']
}

/** where(a, b) of a bool tensor. */
export interface Where<A extends AnyTensor, B extends AnyTensor> extends Rule {
  readonly message: string extends SpecOf<A> | SpecOf<B> ? ''
    : WhereMessage<this['input'], A, B, SpecOf<this['input']>, SpecOf<A>, SpecOf<B>>
  readonly output: string extends SpecOf<A> | SpecOf<B> ? Tensor<string, string, MeshOfEither<this['input'], A>, TypeOf<A>> : Tensor<
    Broadcast<Broadcast<SpecOf<this['input']>, SpecOf<A>>, SpecOf<B>>,
    PendingIn<PendingOfTwo<'where', SpecOf<A>, PendingOf<A>, SpecOf<B>, PendingOf<B>, 'together'>>,
    MeshOfEither<this['input'], A> extends infer M extends string ? (string extends M ? MeshOf<B> : M) : never,
    TypeOf<A>
  >
}
type WhereMessage<X, A, B, C extends string, L extends string, R extends string> = First<
  SizeConflict<'where', C, L, 'condition', 'left'>,
  SizeConflict<'where', C, R, 'condition', 'right'>,
  SizeConflict<'where', L, R>,
  Needs<'where', X, 'truth', 'condition'>,
  TypeConflict<'where', A, B>,
  RefusePending<'where', X, 'condition'>,
  MessageIn<PendingOfTwo<'where', L, PendingOf<A>, R, PendingOf<B>, 'together'>>,
  MeetsCut<'where', PendingOf<A>, C, 'left', 'condition'>,
  CutConflict<'where', C, L, 'condition', 'left'>,
  CutConflict<'where', C, R, 'condition', 'right'>,
  CutConflict<'where', L, R>,
  CutTwice<'where', Broadcast<Broadcast<C, L>, R>, [['left', L], ['right', R]]>
>
