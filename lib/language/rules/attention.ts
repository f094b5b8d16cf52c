import type { NeedsWhole, NoDimOn } from '../messages.ts'
import type { Axes, Dim, FixByMoving, Names, Remove } from '../spec.ts'
import type { AnyTensor, MeshOf, Message, Output, Rule, SpecOf, Tensor, WithSpec } from '../tensor.ts'
import type { Unstack } from './reshape.ts'
import type { CutConflict, CutTwice, Extra, SizeConflict, WithAxesOf } from './binary.ts'
import type { First, NeedsReal, RefusePending } from './unary.ts'

/** What attention folds over (`over`, a dim of keys and values), and the dim of the dot products (`features`). */
export interface AttentionDims {
  readonly over: string
  readonly features: string
  readonly heads?: string
  readonly mask?: AnyTensor
  readonly maskKeys?: string
}

type ExistsOn<S extends string, D extends string, Side extends string> =
  Dim<S, D> extends '' ? NoDimOn<'attention', D, Side, Names<S>> : ''
type WholeIn<S extends string, D extends string> =
  Axes<S, D> extends infer A extends string ? (A extends '' | '?' ? '' : NeedsWhole<'attention', D, A, FixByMoving<S, D, A>>) : never
type NoExtra<U extends string, S extends string, Side extends string> =
  Extra<U, S> extends `${infer D}:${string}` ? NoDimOn<'attention', D, Side, Names<S>> : ''
type Real<X> = First<NeedsReal<'attention', X>, RefusePending<'attention', X>>

/** Attention of queries (the input) over keys K and values V. */
export interface Attention<K extends AnyTensor, V extends AnyTensor, O extends AttentionDims> extends Rule {
  readonly message: string extends SpecOf<K> | SpecOf<V> ? ''
    : AttentionMessage<this['input'], K, V, SpecOf<this['input']>, SpecOf<K>, SpecOf<V>, O>
  readonly output: string extends SpecOf<K> ? Tensor<string, '', MeshOf<this['input']>>
    : Tensor<WithAxesOf<SpecOf<this['input']>, Remove<SpecOf<K>, O['over']>>, '', MeshOf<this['input']>>
}

type AttentionMessage<X, K, V, Q extends string, KS extends string, VS extends string, O extends AttentionDims> = First<
  ExistsOn<Q, O['features'], 'queries'>, First<
    ExistsOn<KS, O['over'], 'keys'>, First<
      ExistsOn<KS, O['features'], 'keys'>, First<
        O['heads'] extends string ? ExistsOn<Q, O['heads'], 'queries'> : '', First<
          NoExtra<Remove<KS, O['over']>, Q, 'queries'>, First<
            NoExtra<VS, KS, 'keys'>, First<
              NoExtra<KS, VS, 'values'>, First<
                SizeConflict<'attention', Q, Remove<KS, O['over']>>, First<
                  SizeConflict<'attention', KS, VS>, First<
                    MaskFits<Q, KS, O>, First<
                      Real<X>, First<
                        Real<K>, First<
                          Real<V>, First<
                            WholeIn<Q, O['features']>, First<
                              WholeIn<KS, O['over']>, First<
                                WholeIn<VS, O['over']>, First<
                                  CutConflict<'attention', Q, Remove<KS, O['over']>>, First<
                                    CutConflict<'attention', KS, VS>,
                                    CutTwice<'attention', WithAxesOf<Q, Remove<KS, O['over']>>>
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
              >
            >
          >
        >
      >
    >
  >
>

/** The name that a mask gives to the key dim: `maskKeys`, or `over` where the queries don't have that dim. */
type MaskKeys<O extends AttentionDims> = O['maskKeys'] extends string ? O['maskKeys'] : O['over']
type MaskFits<Q extends string, KS extends string, O extends AttentionDims> = O['mask'] extends AnyTensor
  ? string extends SpecOf<O['mask']> ? '' : First<
    ExistsOn<SpecOf<O['mask']>, MaskKeys<O>, 'mask'>, First<
      NoExtra<Remove<SpecOf<O['mask']>, MaskKeys<O>>, Q, 'queries'>,
      SizeConflict<'attention', Q, Remove<SpecOf<O['mask']>, MaskKeys<O>>>
    >
  > : ''

/** Attention of queries, keys and values that lie along one dim of the input. */
export interface SelfAttention<O extends AttentionDims & { readonly parts: string }> extends Rule {
  readonly message: First<
    Message<Unstack<O['parts']>, this['input']>,
    Message<Attention<Part<this['input'], O['parts']>, Part<this['input'], O['parts']>, O>, Part<this['input'], O['parts']>>
  >
  readonly output: Output<Attention<Part<this['input'], O['parts']>, Part<this['input'], O['parts']>, O>, Part<this['input'], O['parts']>>
}
type Part<X, D extends string> = WithSpec<X, Remove<SpecOf<X>, D>>
