import type { BiasOnPending, CutsDiffer, NoDim, NotFinished, On } from '../messages.ts'
import type { At, Axes, HasWord, Join, LayoutWithCut, Names, RemoveAll } from '../spec.ts'
import type { AnyTensor, MeshOfEither, PendingOf, Rule, SpecOf, Tensor } from '../tensor.ts'
import type { AddPendingOf } from './along.ts'
import type { CutConflict, Extra, MessageIn, PendingIn, PendingOfTwo, SizeConflict, TypeConflict, WithAxesOf } from './binary.ts'
import type { AllExist, AxesOfPending, First, FixPending, KindOfPending, Needs } from './unary.ts'
import type { CutTwice } from './whole.ts'

/** The dims of both operands but the summed ones: the left's in order, then the right's own. */
export type Contracted<S extends string, U extends string, Ds extends string> = Join<
  WithAxesOf<RemoveAll<S, Ds>, U>,
  Extra<RemoveAll<U, Ds>, S>
>

/** A summed dim must be cut by the same axes on both sides, or by none. */
export type SummedCuts<Op extends string, S extends string, U extends string, Ds extends string, A extends string, B extends string> =
  Ds extends `${string} ${string}` ? SummedInOrder<Op, S, U, Ds, A, B> : SummedCut<Op, Ds, S, U, A, B>
type SummedInOrder<
  Op extends string,
  S extends string,
  U extends string,
  Ds extends string,
  A extends string,
  B extends string,
  Left extends string = S,
> = Left extends `${infer Head} ${infer Rest}` ? First<SummedCutAt<Op, Head, S, U, Ds, A, B>, SummedInOrder<Op, S, U, Ds, A, B, Rest>>
  : SummedCutAt<Op, Left, S, U, Ds, A, B>
type SummedCutAt<
  Op extends string,
  Head extends string,
  S extends string,
  U extends string,
  Ds extends string,
  A extends string,
  B extends string,
> = Head extends `${infer D}:${string}` ? (HasWord<Ds, D> extends true ? SummedCut<Op, D, S, U, A, B> : '') : ''
type SummedCut<Op extends string, D extends string, S extends string, U extends string, A extends string, B extends string> =
  Axes<S, D> extends '?' | Axes<U, D> ? '' : Axes<U, D> extends '?' ? ''
  : CutsDiffer<
    Op,
    D,
    Lies<Axes<S, D>>,
    A,
    Lies<Axes<U, D>>,
    B,
    Axes<S, D> extends '' ? `layout('${LayoutWithCut<S, D, Axes<U, D>>}')${On<A>}` : `layout('${LayoutWithCut<U, D, Axes<S, D>>}')${On<B>}`
  >
type Lies<Axes extends string> = Axes extends '' ? 'whole' : At<Axes>

type ContractMessage<Op extends string, X, W, Ds extends string, A extends string, B extends string> = First<
  AllExist<Op, SpecOf<X>, Ds, A>,
  AllExist<Op, SpecOf<W>, Ds, B>,
  SizeConflict<Op, SpecOf<X>, SpecOf<W>, A, B>,
  Needs<Op, X, 'real', A>,
  TypeConflict<Op, X, W, A, B>,
  MessageIn<PendingOfTwo<Op, SpecOf<X>, PendingOf<X>, SpecOf<W>, PendingOf<W>, 'either', A, B>>,
  SummedCuts<Op, SpecOf<X>, SpecOf<W>, Ds, A, B>,
  CutConflict<Op, RemoveAll<SpecOf<X>, Ds>, SpecOf<W>, A, B>,
  CutTwice<Op, Contracted<SpecOf<X>, SpecOf<W>, Ds>, [[B, RemoveAll<SpecOf<W>, Ds>]]>
>

type ContractOutput<X, W, Ds extends string> = ContractedTensor<X, W, Ds>['tensor']
interface ContractedTensor<X, W, Ds extends string> {
  readonly tensor: Tensor<
    Contracted<SpecOf<X>, SpecOf<W>, Ds>,
    AddPendingOf<
      PendingIn<PendingOfTwo<'contract', SpecOf<X>, PendingOf<X>, SpecOf<W>, PendingOf<W>, 'either'>>,
      SummedInPart<SpecOf<X>, SpecOf<W>, Ds>,
      Ds,
      '',
      MeshOfEither<X, W>
    >,
    MeshOfEither<X, W>
  >
}
/** The left's dims, without the cuts of those that the right leaves to the planner. */
export type SummedInPart<S extends string, U extends string, Ds extends string> = U extends `${string}@?${string}` ? WithAxesOf<S, U> : S

/** Sums products over the blank-separated dims: cut on both sides alike, the result is a pending sum. */
export interface Contract<W extends AnyTensor, Ds extends string> extends Rule {
  readonly given: Ds
  readonly message: string extends SpecOf<W> ? '' : ContractMessage<'contract', this['input'], W, Ds, 'left', 'right'>
  readonly output: string extends SpecOf<W> ? Tensor<string, string, MeshOfEither<this['input'], W>> : ContractOutput<this['input'], W, Ds>
}

/** contract followed by adding a bias, which a pending sum refuses. */
export interface LinearLayer<W extends AnyTensor, B extends AnyTensor | undefined, Ds extends string> extends Rule {
  readonly given: Ds
  readonly message: string extends SpecOf<W> ? ''
    : First<
      ContractMessage<'linear', this['input'], W, Ds, 'input', 'weight'>,
      B extends AnyTensor ? BiasMessage<ContractOutput<this['input'], W, Ds>, B, Ds> : ''
    >
  readonly output: string extends SpecOf<W> ? Tensor<string, string, MeshOfEither<this['input'], W>>
    : B extends AnyTensor ? Tensor<
        WithAxesOf<Contracted<SpecOf<this['input']>, SpecOf<W>, Ds>, SpecOf<B>>,
        '',
        MeshOfEither<this['input'], W>
      >
    : ContractOutput<this['input'], W, Ds>
}
/** Said in other words than elsewhere: a layer called linear is linear in all but its bias. */
type BiasFinished<B> = PendingOf<B> extends '' ? ''
  : NotFinished<'linear', 'bias', KindOfPending<PendingOf<B>>, AxesOfPending<PendingOf<B>>, FixPending<SpecOf<B>, PendingOf<B>>>
type BiasMessage<Y extends AnyTensor, B, Ds extends string> = string extends SpecOf<B> ? ''
  : First<
    Extra<SpecOf<B>, SpecOf<Y>> extends `${infer D}:${string}` ? NoDim<'linear', D, 'result', Names<SpecOf<Y>>> : '',
    SizeConflict<'linear', SpecOf<Y>, SpecOf<B>, 'result', 'bias'>,
    TypeConflict<'linear', Y, B, 'result', 'bias'>,
    PendingOf<Y> extends '' ? '' : BiasOnPending<'linear', PendingOf<Y>, Ds, FixPending<SpecOf<Y>, PendingOf<Y>>>,
    BiasFinished<B>,
    CutConflict<'linear', SpecOf<Y>, SpecOf<B>, 'result', 'bias'>,
    CutTwice<'linear', WithAxesOf<SpecOf<Y>, SpecOf<B>>, [['bias', SpecOf<B>]]>
  >
