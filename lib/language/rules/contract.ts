import type { BiasOnPending, CutOnOneSide, CutsDiffer, NoDimOn } from '../messages.ts'
import type { Axes, Dim, Join, Names, RemoveAll } from '../spec.ts'
import type { AnyTensor, MeshOfEither, PendingOf, Rule, SpecOf, Tensor } from '../tensor.ts'
import type { AddPendingOf } from './along.ts'
import type {
  CutConflict, CutTwice, Extra, MessageIn, PendingIn, PendingOfTwo, SizeConflict, TypeConflict, WithAxesOf,
} from './binary.ts'
import type { First, FirstPending, NeedsReal } from './unary.ts'

/** The dims of both operands but the summed ones: the left's in order, then the right's own. */
export type Contracted<S extends string, U extends string, Ds extends string> =
  Join<WithAxesOf<RemoveAll<S, Ds>, U>, Extra<RemoveAll<U, Ds>, S>>

type ExistOn<Op extends string, S extends string, Ds extends string, Side extends string> = Ds extends `${infer D} ${infer Rest}`
  ? First<ExistsOn<Op, S, D, Side>, ExistOn<Op, S, Rest, Side>> : ExistsOn<Op, S, Ds, Side>
type ExistsOn<Op extends string, S extends string, D extends string, Side extends string> =
  Dim<S, D> extends '' ? NoDimOn<Op, D, Side, Names<S>> : ''

/** A summed dim must be cut by the same axes on both sides, or by none. */
type SummedCuts<Op extends string, S extends string, U extends string, Ds extends string> = Ds extends `${infer D} ${infer Rest}`
  ? First<SummedCut<Op, D, Axes<S, D>, Axes<U, D>>, SummedCuts<Op, S, U, Rest>> : SummedCut<Op, Ds, Axes<S, Ds>, Axes<U, Ds>>
type SummedCut<Op extends string, D extends string, A extends string, B extends string> =
  A extends '?' | B ? '' : B extends '?' ? ''
    : A extends '' ? CutOnOneSide<Op, D, B, 'right'> : B extends '' ? CutOnOneSide<Op, D, A, 'left'> : CutsDiffer<Op, D, A, B>

export type ContractMessage<Op extends string, X, W, Ds extends string> = string extends SpecOf<W> ? '' : First<
  ExistOn<Op, SpecOf<X>, Ds, 'left'>, First<
    ExistOn<Op, SpecOf<W>, Ds, 'right'>, First<
      SizeConflict<Op, SpecOf<X>, SpecOf<W>>, First<
        NeedsReal<Op, X>, First<
          TypeConflict<Op, X, W>, First<
            MessageIn<PendingOfTwo<Op, SpecOf<X>, PendingOf<X>, SpecOf<W>, PendingOf<W>, 'either'>>, First<
              SummedCuts<Op, SpecOf<X>, SpecOf<W>, Ds>, First<
                CutConflict<Op, RemoveAll<SpecOf<X>, Ds>, SpecOf<W>>,
                CutTwice<Op, Contracted<SpecOf<X>, SpecOf<W>, Ds>>
              >
            >
          >
        >
      >
    >
  >
>

export type ContractOutput<X, W, Ds extends string> = string extends SpecOf<W> ? Tensor<string, string, MeshOfEither<X, W>> : Tensor<
  Contracted<SpecOf<X>, SpecOf<W>, Ds>,
  AddPendingOf<PendingIn<PendingOfTwo<'contract', SpecOf<X>, PendingOf<X>, SpecOf<W>, PendingOf<W>, 'either'>>, SpecOf<X>, Ds, ''>,
  MeshOfEither<X, W>
>

/** Sums products over the blank-separated dims: cut on both sides alike, the result is a pending sum. */
export interface Contract<W extends AnyTensor, Ds extends string> extends Rule {
  readonly message: ContractMessage<'contract', this['input'], W, Ds>
  readonly output: ContractOutput<this['input'], W, Ds>
}

/** contract followed by adding a bias, which a pending sum refuses. */
export interface LinearLayer<W extends AnyTensor, B extends AnyTensor | undefined, Ds extends string> extends Rule {
  readonly message: First<
    ContractMessage<'linear', this['input'], W, Ds>,
    B extends AnyTensor ? BiasMessage<ContractOutput<this['input'], W, Ds>, B, Ds> : ''
  >
  readonly output: ContractOutput<this['input'], W, Ds>
}
type BiasMessage<Y, B, Ds extends string> = string extends SpecOf<B> | SpecOf<Y> ? '' : First<
  Extra<SpecOf<B>, SpecOf<Y>> extends `${infer D}:${string}` ? NoDimOn<'linear', D, 'left', Names<SpecOf<Y>>> : '', First<
    SizeConflict<'linear', SpecOf<Y>, SpecOf<B>>, First<
      PendingOf<Y> extends '' ? '' : BiasOnPending<'linear', FirstPending<PendingOf<Y>>, Ds>,
      CutConflict<'linear', SpecOf<Y>, SpecOf<B>>
    >
  >
>
