import type { DType } from '../../dtype.ts'
import type { Known } from '../arithmetic.ts'
import type {
  CutsDiffer, CutsTwo, NotLinear, PendingMeetsCut, PendingOnBothSides, PendingOnOneSide, SizesDiffer, TypesDiffer,
} from '../messages.ts'
import type { At, AxesIn, AxisTwice, Dim, DimWithAxis, Join, SizeIn } from '../spec.ts'
import type { AnyTensor, MeshOfEither, PendingOf, Rule, SpecOf, Tensor, TypeOf } from '../tensor.ts'
import type { AxisOfPending, First, FirstPending, FixPending, KindOfPending, RefusePending } from './unary.ts'

/** Dims that both sides have must be of one size. */
export type SizeConflict<Op extends string, S extends string, U extends string> = S extends U ? ''
  : S extends `${infer Head} ${infer Rest}` ? First<SizeConflictAt<Op, Head, U>, SizeConflict<Op, Rest, U>>
  : SizeConflictAt<Op, S, U>
type SizeConflictAt<Op extends string, Head extends string, U extends string> =
  Head extends `${infer D}:${infer Text}` ? SizesOf<Op, D, SizeIn<Text>, SizeIn<Dim<U, D>>> : ''
type SizesOf<Op extends string, D extends string, A extends string, B extends string> =
  B extends '' | A ? '' : [Known<A>, Known<B>] extends [true, true] ? SizesDiffer<Op, D, A, B> : ''

/** Dims that both sides cut must be cut by the same axes. */
export type CutConflict<Op extends string, S extends string, U extends string> = S extends U ? ''
  : S extends `${infer Head} ${infer Rest}` ? First<CutConflictAt<Op, Head, U>, CutConflict<Op, Rest, U>>
  : CutConflictAt<Op, S, U>
type CutConflictAt<Op extends string, Head extends string, U extends string> =
  Head extends `${infer D}:${string}@${infer A}` ? CutsOf<Op, D, A, AxesIn<Dim<U, D>>> : ''
type CutsOf<Op extends string, D extends string, A extends string, B extends string> =
  B extends '' | '?' | A ? '' : A extends '?' ? '' : CutsDiffer<Op, D, A, B>

/** No axis may cut two dims of the result. */
export type CutTwice<Op extends string, S extends string> =
  AxisTwice<S> extends `${infer A} ${infer D1} ${infer D2}` ? CutsTwo<Op, A, D1, D2> : ''

/** The dims of U that S lacks. */
export type Extra<U extends string, S extends string> = U extends `${infer Head} ${infer Rest}` ? Join<ExtraAt<Head, S>, Extra<Rest, S>> : ExtraAt<U, S>
type ExtraAt<Head extends string, S extends string> = Head extends `${infer D}:${string}` ? (Dim<S, D> extends '' ? Head : '') : ''

/** S with the axes of U where S is whole. */
export type WithAxesOf<S extends string, U extends string> = S extends `${infer Head} ${infer Rest}` ? `${WithAxesAt<Head, U>} ${WithAxesOf<Rest, U>}` : WithAxesAt<S, U>
type WithAxesAt<Head extends string, U extends string> = Head extends `${string}@${string}` ? Head
  : Head extends `${infer D}:${string}` ? `${Head}${At<AxesIn<Dim<U, D>>>}` : Head

/** Broadcasting by name: the dims of S in their order, with those that only U has in front. */
export type Broadcast<S extends string, U extends string> = S extends U ? S : Join<Extra<U, S>, WithAxesOf<S, U>>

/**
 * What a function of two elements does to pending sums: it keeps them when both are pending (`together`: add), when
 * one is (`either`: multiply), when the left is (`left`: divide), or never.
 */
export type Linearity = 'together' | 'either' | 'left' | 'never'

/** What becomes of pending reductions of two operands: a message, or the result's as `= tp`. */
export type PendingOfTwo<Op extends string, S1 extends string, P1 extends string, S2 extends string, P2 extends string, L extends Linearity> =
  [P1, P2] extends ['', ''] ? '= '
    : P1 extends `${string}:${string}` ? NotLinear<Op, KindOfPending<FirstPending<P1>>, AxisOfPending<FirstPending<P1>>, FixPending<S1, FirstPending<P1>>>
    : P2 extends `${string}:${string}` ? NotLinear<Op, KindOfPending<FirstPending<P2>>, AxisOfPending<FirstPending<P2>>, FixPending<S2, FirstPending<P2>>>
    : L extends 'together' ? (P1 extends P2 ? `= ${P1}` : P1 extends '' ? OneSide<Op, 'right', S2, P2> : OneSide<Op, 'left', S1, P1>)
    : L extends 'never' ? (P1 extends '' ? NotLinear<Op, 'sum', FirstPending<P2>, FixPending<S2, FirstPending<P2>>> : NotLinear<Op, 'sum', FirstPending<P1>, FixPending<S1, FirstPending<P1>>>)
    : P2 extends '' ? Meets<Op, P1, S2>
    : L extends 'left' ? NotLinear<Op, 'sum', FirstPending<P2>, FixPending<S2, FirstPending<P2>>>
    : P1 extends '' ? Meets<Op, P2, S1> : PendingOnBothSides<Op, FirstPending<P1>>
type OneSide<Op extends string, Side extends string, S extends string, P extends string> =
  PendingOnOneSide<Op, Side, 'sum', FirstPending<P>, FixPending<S, FirstPending<P>>>
type Meets<Op extends string, P extends string, Other extends string, All extends string = P> = P extends `${infer A}+${infer Rest}`
  ? MeetsAt<Op, A, Other> extends infer M extends string ? (M extends '' ? Meets<Op, Rest, Other, All> : M) : never
  : MeetsAt<Op, P, Other> extends infer M extends string ? (M extends '' ? `= ${All}` : M) : never
type MeetsAt<Op extends string, A extends string, Other extends string> =
  DimWithAxis<Other, A> extends infer D extends string ? (D extends '' ? '' : PendingMeetsCut<Op, A, D>) : never

export type MessageIn<P extends string> = P extends `= ${string}` ? '' : P
export type PendingIn<P extends string> = P extends `= ${infer Kept}` ? Kept : ''

export type TypeConflict<Op extends string, X, Y> = TypeOf<Y> extends TypeOf<X> ? '' : TypesDiffer<Op, TypeOf<X>, TypeOf<Y>>

/** A function of two elements, broadcast by name. `To` is the result's type where it differs from the operands'. */
export interface Binary<Op extends string, Y extends AnyTensor, L extends Linearity, To extends DType | 'same'> extends Rule {
  readonly message: string extends SpecOf<Y> ? '' : BinaryMessage<Op, this['input'], Y, L>
  readonly output: string extends SpecOf<Y> ? Tensor<string, string, MeshOfEither<this['input'], Y>, ResultType<this['input'], To>>
    : Tensor<
      Broadcast<SpecOf<this['input']>, SpecOf<Y>>,
      PendingIn<PendingOfTwo<Op, SpecOf<this['input']>, PendingOf<this['input']>, SpecOf<Y>, PendingOf<Y>, L>>,
      MeshOfEither<this['input'], Y>, ResultType<this['input'], To>
    >
}
type ResultType<X, To extends DType | 'same'> = To extends DType ? To : TypeOf<X>

export type BinaryMessage<Op extends string, X, Y, L extends Linearity> = First<
  SizeConflict<Op, SpecOf<X>, SpecOf<Y>>, First<
    TypeConflict<Op, X, Y>, First<
      MessageIn<PendingOfTwo<Op, SpecOf<X>, PendingOf<X>, SpecOf<Y>, PendingOf<Y>, L>>, First<
        CutConflict<Op, SpecOf<X>, SpecOf<Y>>,
        CutTwice<Op, Broadcast<SpecOf<X>, SpecOf<Y>>>
      >
    >
  >
>

/** where(a, b) of a bool tensor. */
export interface Where<A extends AnyTensor, B extends AnyTensor> extends Rule {
  readonly message: string extends SpecOf<A> | SpecOf<B> ? '' : First<
    SizeConflict<'where', SpecOf<this['input']>, SpecOf<A>>, First<
      SizeConflict<'where', SpecOf<this['input']>, SpecOf<B>>, First<
        SizeConflict<'where', SpecOf<A>, SpecOf<B>>, First<
          TypeOf<this['input']> extends 'bool' ? '' : import('../messages.ts').NeedsType<'where', 'bool', TypeOf<this['input']>>, First<
            TypeConflict<'where', A, B>, First<
              RefusePending<'where', this['input']>, First<
                MessageIn<PendingOfTwo<'where', SpecOf<A>, PendingOf<A>, SpecOf<B>, PendingOf<B>, 'together'>>, First<
                  CutConflict<'where', SpecOf<this['input']>, SpecOf<A>>, First<
                    CutConflict<'where', SpecOf<this['input']>, SpecOf<B>>, First<
                      CutConflict<'where', SpecOf<A>, SpecOf<B>>,
                      CutTwice<'where', Broadcast<Broadcast<SpecOf<this['input']>, SpecOf<A>>, SpecOf<B>>>
                    >
                  >
                >
              >
            >
          >
        >
      >
    >
  >
  readonly output: string extends SpecOf<A> | SpecOf<B> ? Tensor<string, string, MeshOfEither<this['input'], A>, TypeOf<A>> : Tensor<
    Broadcast<Broadcast<SpecOf<this['input']>, SpecOf<A>>, SpecOf<B>>,
    PendingIn<PendingOfTwo<'where', SpecOf<A>, PendingOf<A>, SpecOf<B>, PendingOf<B>, 'together'>>,
    MeshOfEither<this['input'], A>, TypeOf<A>
  >
}
