import type { DimTwice, NoDim, PartsCount, RingAlone, RingNeeds, SizesDiffer } from '../messages.ts'
import type { Known } from '../arithmetic.ts'
import type { At, Axes, CutByAny, Dim, HasAxis, LayoutWithCut, Names, Remove, Size } from '../spec.ts'
import type { AnyTensor, MeshOf, Message, PendingOf, Rule, SpecOf, Tensor, TypeOf } from '../tensor.ts'
import type { CutConflict, Extra, SizeConflict, WithAxesOf } from './binary.ts'
import type { AxesExist } from './layout.ts'
import type { AllExist, Exists, First, Needs, RefusePending } from './unary.ts'
import type { AllWhole, CutTwice } from './whole.ts'

/** What attention folds over (`over`, a dim of keys and values), and the dim of the dot products (`features`). */
export interface AttentionDims {
  readonly over: string
  readonly features: string
  readonly heads?: string
  readonly mask?: AnyTensor
  readonly maskKeys?: string
  /**
   * The mesh axis round which keys and values go: each rank keeps its own queries and meets every piece of the others' keys and
   * values (Ring Attention, arXiv 2310.01889). `over` is then cut over it, in queries, keys and values.
   */
  readonly ring?: string
}

/** The names of those options. */
export type AttentionOptions = ['over', 'features', 'heads', 'mask', 'maskKeys', 'ring']

type NoExtra<U extends string, S extends string, Side extends string> = Extra<U, S> extends `${infer D}:${string}`
  ? NoDim<'attention', D, Side, Names<S>>
  : ''

/** The mask's spec, '' where there is none or its dims are not known; and the name it gives to the key dim. */
type MaskSpec<O extends AttentionDims> = O['mask'] extends AnyTensor ? (string extends SpecOf<O['mask']> ? '' : SpecOf<O['mask']>) : ''
type MaskKeys<O extends AttentionDims> = O['maskKeys'] extends string ? O['maskKeys'] : O['over']
type MaskPart<O extends AttentionDims> = MaskSpec<O> extends '' ? [] : [['mask', MaskSpec<O>]]

/** Attention of queries (the input) over keys K and values V. */
export interface Attention<K extends AnyTensor, V extends AnyTensor, O extends AttentionDims> extends Rule {
  readonly given: `${O['over']} ${O['features']} ${MaskKeys<O>}`
  readonly message: string extends SpecOf<K> | SpecOf<V> ? ''
    : AttentionMessage<this['input'], K, V, SpecOf<this['input']>, SpecOf<K>, SpecOf<V>, O>
  readonly output: string extends SpecOf<K> | SpecOf<V> ? Tensor<string, '', MeshOf<this['input']>>
    : Tensor<Attended<SpecOf<this['input']>, SpecOf<K>, SpecOf<V>, O>, '', MeshOf<this['input']>>
}

/** The queries' dims, cut where any operand is. */
type Attended<Q extends string, KS extends string, VS extends string, O extends AttentionDims> = Masked<
  WithAxesOf<WithAxesOf<Q, Remove<KS, O['over']>>, Remove<VS, O['over']>>,
  Remove<MaskSpec<O>, MaskKeys<O>>
>
type Masked<S extends string, M extends string> = M extends '' ? S : WithAxesOf<S, M>

type AttentionMessage<X, K, V, Q extends string, KS extends string, VS extends string, O extends AttentionDims> = First<
  DimsMessage<Q, KS, VS, O>,
  TypesMessage<X, K, V, O>,
  RefusePending<'attention', X, 'query'>,
  RefusePending<'attention', K, 'key'>,
  RefusePending<'attention', V, 'value'>,
  O['mask'] extends AnyTensor ? RefusePending<'attention', O['mask'], 'mask'> : '',
  WholeMessage<Q, KS, VS, O, MeshOf<X>>,
  CutsMessage<Q, KS, VS, O>
>

type DimsMessage<Q extends string, KS extends string, VS extends string, O extends AttentionDims> = First<
  O['over'] extends O['features'] ? DimTwice<'attention', O['over']> : '',
  Exists<'attention', Q, O['features'], 'query'>,
  Exists<'attention', KS, O['over'], 'key'>,
  Exists<'attention', KS, O['features'], 'key'>,
  O['heads'] extends string ? Exists<'attention', Q, O['heads'], 'query'> : '',
  NoExtra<Remove<KS, O['over']>, Q, 'query'>,
  NoExtra<VS, KS, 'key'>,
  NoExtra<KS, VS, 'value'>,
  SizeConflict<'attention', Q, Remove<KS, O['over']>, 'query', 'key'>,
  SizeConflict<'attention', KS, VS, 'key', 'value'>,
  MaskSpec<O> extends '' ? '' : MaskMessage<Q, KS, MaskSpec<O>, MaskKeys<O>, O>
>
type MaskMessage<Q extends string, KS extends string, M extends string, Keys extends string, O extends AttentionDims> = First<
  Exists<'attention', M, Keys, 'mask'>,
  NoExtra<Remove<M, Keys>, Remove<Q, O['features']>, 'scores'>,
  SizeConflict<'attention', Q, Remove<M, Keys>, 'query', 'mask'>,
  [Known<Size<KS, O['over']>>, Known<Size<M, Keys>>] extends [true, true] ? Size<M, Keys> extends Size<KS, O['over']> ? ''
    : SizesDiffer<'attention', O['over'], Size<KS, O['over']>, 'key', Size<M, Keys>, 'mask'>
    : ''
>
type TypesMessage<X, K, V, O extends AttentionDims> = First<
  Needs<'attention', X, 'real', 'query'>,
  Needs<'attention', K, 'real', 'key'>,
  Needs<'attention', V, 'real', 'value'>,
  O['mask'] extends AnyTensor ? Needs<'attention', O['mask'], 'mask', 'mask'> : ''
>
type WholeMessage<Q extends string, KS extends string, VS extends string, O extends AttentionDims, M extends string> = Operands<
  Q,
  KS,
  VS,
  O
> extends infer All extends readonly (readonly [string, string])[] ? First<
    AllWhole<'attention', O['features'], [['query', Q], ['key', KS], ['value', VS]], All, O['over']>,
    O['ring'] extends string ? RingMessage<'attention', O['ring'], O['over'], Q, KS, VS, M>
      : AllWhole<'attention', O['over'], [['key', KS], ['value', VS]], All, O['features']>,
    MaskSpec<O> extends '' ? '' : AllWhole<'attention', MaskKeys<O>, [['mask', MaskSpec<O>]], All>
  >
  : never
/** Keys, values and queries are cut over the axis that keys and values go round. */
type RingMessage<
  Op extends string,
  A extends string,
  D extends string,
  Q extends string,
  KS extends string,
  VS extends string,
  M extends string,
> = string extends A ? '' : First<
  AxesExist<Op, A, D, M>,
  RingCut<Op, A, D, KS, 'key'>,
  RingCut<Op, A, D, VS, 'value'>,
  Dim<Q, D> extends '' ? (CutByAny<Q, A> extends true ? '' : RingAlone<Op, A, 'query'>)
    : HasAxis<Axes<Q, D>, A | '?'> extends false ? RingCut<Op, A, D, Q, 'query'>
    : ''
>
type RingCut<Op extends string, A extends string, D extends string, S extends string, Side extends string> = Axes<S, D> extends A | '?' ? ''
  : RingNeeds<Op, A, D, Axes<S, D> extends '' ? 'whole' : At<Axes<S, D>>, Side, `layout('${LayoutWithCut<S, D, A>}')`>
type Operands<Q extends string, KS extends string, VS extends string, O extends AttentionDims> = [
  ['query', Q],
  ['key', KS],
  ['value', VS],
  ...MaskPart<O>,
]

type CutsMessage<Q extends string, KS extends string, VS extends string, O extends AttentionDims> = First<
  CutConflict<'attention', Q, Remove<KS, O['over']>, 'query', 'key'>,
  CutConflict<'attention', Q, Remove<VS, O['over']>, 'query', 'value'>,
  MaskCuts<Q, MaskSpec<O>, MaskKeys<O>, 'query'>,
  CutConflict<'attention', Remove<KS, O['over']>, Remove<VS, O['over']>, 'key', 'value'>,
  MaskCuts<Remove<KS, O['over']>, MaskSpec<O>, MaskKeys<O>, 'key'>,
  MaskCuts<Remove<VS, O['over']>, MaskSpec<O>, MaskKeys<O>, 'value'>,
  CutTwice<'attention', Attended<Q, KS, VS, O>, Operands<Q, KS, VS, O>>
>
type MaskCuts<S extends string, M extends string, Keys extends string, Side extends string> = M extends '' ? ''
  : CutConflict<'attention', S, Remove<M, Keys>, Side, 'mask'>

/** Attention of queries, keys and values that lie along one dim of the input. */
export interface SelfAttention<O extends AttentionDims & { readonly parts: string }> extends Rule {
  readonly given: `${O['parts']} ${O['over']} ${O['features']} ${MaskKeys<O>}`
  readonly message: First<
    SelfMessage<'selfAttention', this['input'], SpecOf<this['input']>, O>,
    O['mask'] extends AnyTensor
      ? Message<Attention<One<this['input'], O['parts']>, One<this['input'], O['parts']>, O>, One<this['input'], O['parts']>>
      : ''
  >
  readonly output: Tensor<
    Masked<Remove<SpecOf<this['input']>, O['parts']>, Remove<MaskSpec<O>, MaskKeys<O>>>,
    '',
    MeshOf<this['input']>
  >
}
type One<X, D extends string> = Tensor<Remove<SpecOf<X>, D>, PendingOf<X>, MeshOf<X>, TypeOf<X>>
type SelfMessage<Op extends string, X, S extends string, O extends AttentionDims & { readonly parts: string }> = First<
  AllExist<Op, S, `${O['parts']} ${O['over']} ${O['features']}`>,
  Known<Size<S, O['parts']>> extends true ? (Size<S, O['parts']> extends '3' ? '' : PartsCount<Op, O['parts'], '3', Size<S, O['parts']>>)
    : '',
  O['heads'] extends string ? Exists<Op, S, O['heads']> : '',
  Needs<Op, X, 'real'>,
  RefusePending<Op, X>,
  AllWhole<Op, O['parts'], [['input', S]], [['input', S]], `${O['over']} ${O['features']}`>,
  O['ring'] extends string ? SelfRing<Op, O['ring'], O['over'], S, MeshOf<X>>
    : AllWhole<Op, O['over'], [['input', S]], [['input', S]], `${O['parts']} ${O['features']}`>,
  AllWhole<Op, O['features'], [['input', S]], [['input', S]], `${O['parts']} ${O['over']}`>
>
type SelfRing<Op extends string, A extends string, D extends string, S extends string, M extends string> = string extends A ? ''
  : First<AxesExist<Op, A, D, M>, RingCut<Op, A, D, S, 'input'>>
