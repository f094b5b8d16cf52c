import type { Add, AtMost, Divides, Known, Multiply } from '../arithmetic.ts'
import type { CutAcross, DimMissing, NoDim, NotCount, NotOfForm, OutOfRange, SplitSize } from '../messages.ts'
import type { At, Axes, Dim, FixByMoving, Join, Names, RanksOf, Remove, RemoveAll, Replace, Size } from '../spec.ts'
import type { AnyTensor, MeshOf, MeshOfEither, PendingOf, Rule, SpecOf, Tensor, TypeOf, WithSpec } from '../tensor.ts'
import type { CutConflict, Extra, MessageIn, PendingOfTwo, SizeConflict, TypeConflict, WithAxesOf } from './binary.ts'
import type { IsSize, PartsForm } from './form.ts'
import type { LiteralFits } from './literal.ts'
import type { AllExist, Exists, First, IsFree, RefuseExtremes, RefusePending } from './unary.ts'
import type { AllWhole, CutTwice } from './whole.ts'

/** One operand, whole along D; `Skip` are dims that its axes cannot cut instead. */
type Whole<Op extends string, S extends string, D extends string, Skip extends string = ''> = AllWhole<
  Op,
  D,
  [['input', S]],
  [['input', S]],
  Skip
>

// ---- split and merge -----------------------------------------------------------------------------------------------

/** Ranks along `a+b` of a mesh. */
type RanksOfAll<M extends string, A extends string> = A extends `${infer One}+${infer Rest}`
  ? Multiply<RanksOf<M, One>, RanksOfAll<M, Rest>>
  : RanksOf<M, A>

/** A cut of the product of dims falls on the major one only if the ranks divide it. */
type CutAlong<
  Op extends string,
  S extends string,
  D extends string,
  M extends string,
  Major extends string,
  MajorSize extends string,
  MinorSize extends string,
  Skip extends string,
> = Axes<S, D> extends infer A extends string ? A extends '' | '?' ? '' : MinorSize extends '1' ? ''
  : RanksOfAll<M, A> extends infer N extends string
    ? Divides<N, MajorSize> extends true ? '' : CutAcross<Op, D, A, N, Major, MajorSize, FixByMoving<S, D, A, Skip>>
  : never
  : never

type ProductOf<Parts extends string> = Parts extends `${infer Head} ${infer Rest}` ? Multiply<SizeOfPart<Head>, ProductOf<Rest>>
  : SizeOfPart<Parts>
type SizeOfPart<Part extends string> = Part extends `${string}:${infer N}` ? N : '1'
type WrittenProduct<Parts extends string> = Parts extends `${infer Head} ${infer Rest}` ? `${Head} × ${WrittenProduct<Rest>}` : Parts
type Differ<A extends string, B extends string> = [Known<A>, Known<B>] extends [true, true] ? (A extends B ? false : true) : false
type SplitParts<Parts extends string, A extends string> = Parts extends `${infer Head} ${infer Rest}` ? `${Head}${At<A>} ${Rest}`
  : `${Parts}${At<A>}`
type Minor<Parts extends string> = Parts extends `${string} ${infer Rest}` ? ProductOf<Rest> : '1'
type AreFree<Op extends string, S extends string, Parts extends string> = Parts extends `${infer Head} ${infer Rest}`
  ? First<AreFree<Op, S, Head>, AreFree<Op, S, Rest>>
  : Parts extends `${infer D}:${string}` ? IsFree<Op, S, D>
  : ''

/** One dim becomes several, major first; a cut stays on the major one. */
export interface Split<D extends string, Parts extends string> extends Rule {
  readonly given: `${D} ${Parts}`
  readonly message: First<
    PartsForm<'split', Parts>,
    Exists<'split', SpecOf<this['input']>, D>,
    AreFree<'split', Remove<SpecOf<this['input']>, D>, Parts>,
    Differ<ProductOf<Parts>, Size<SpecOf<this['input']>, D>> extends true
      ? SplitSize<D, Size<SpecOf<this['input']>, D>, WrittenProduct<Parts>, ProductOf<Parts>>
      : '',
    RefuseExtremes<'split', this['input']>,
    Parts extends `${infer Major}:${infer MajorSize} ${string}`
      ? CutAlong<'split', SpecOf<this['input']>, D, MeshOf<this['input']>, Major, MajorSize, Minor<Parts>, ''>
      : ''
  >
  readonly output: WithSpec<
    this['input'],
    Replace<SpecOf<this['input']>, D, SplitParts<Parts, Axes<SpecOf<this['input']>, D>>>
  >
}

type MergedSize<S extends string, Ds extends string> = Ds extends `${infer D} ${infer Rest}` ? Multiply<Size<S, D>, MergedSize<S, Rest>>
  : Size<S, Ds>
type Head<Ds extends string> = Ds extends `${infer D} ${string}` ? D : Ds
type Tail<Ds extends string> = Ds extends `${string} ${infer Rest}` ? Rest : ''
type EachWhole<Op extends string, S extends string, Ds extends string, Skip extends string> = Ds extends `${infer D} ${infer Rest}`
  ? First<Whole<Op, S, D, Skip>, EachWhole<Op, S, Rest, Skip>>
  : Whole<Op, S, Ds, Skip>

/** Several dims become one, the first being major; a cut may lie on the major one only. */
export interface Merge<Ds extends string, To extends string> extends Rule {
  readonly given: `${Ds} ${To}`
  readonly message: First<
    AllExist<'merge', SpecOf<this['input']>, Ds>,
    IsFree<'merge', RemoveAll<SpecOf<this['input']>, Ds>, To>,
    RefuseExtremes<'merge', this['input']>,
    Tail<Ds> extends '' ? ''
      : First<
        EachWhole<'merge', SpecOf<this['input']>, Tail<Ds>, MergedSize<SpecOf<this['input']>, Tail<Ds>> extends '1' ? Tail<Ds> : Ds>,
        CutAlong<
          'merge',
          SpecOf<this['input']>,
          Head<Ds>,
          MeshOf<this['input']>,
          Head<Ds>,
          Size<SpecOf<this['input']>, Head<Ds>>,
          MergedSize<SpecOf<this['input']>, Tail<Ds>>,
          Ds
        >
      >
  >
  readonly output: WithSpec<
    this['input'],
    Replace<
      Tail<Ds> extends '' ? SpecOf<this['input']> : RemoveAll<SpecOf<this['input']>, Tail<Ds>>,
      Head<Ds>,
      `${To}:${MergedSize<SpecOf<this['input']>, Ds>}${At<Axes<SpecOf<this['input']>, Head<Ds>>>}`
    >
  >
}

// ---- names and order -----------------------------------------------------------------------------------------------

/** Dim D gets another name. */
export interface Rename<D extends string, To extends string> extends Rule {
  readonly given: `${D} ${To}`
  readonly message: First<
    Exists<'rename', SpecOf<this['input']>, D>,
    IsFree<'rename', Remove<SpecOf<this['input']>, D>, To>,
    RefuseExtremes<'rename', this['input']>
  >
  readonly output: WithSpec<this['input'], Replace<SpecOf<this['input']>, D, `${To}:${Dim<SpecOf<this['input']>, D>}`>>
}

type Ordered<S extends string, Ds extends string> = Ds extends `${infer D} ${infer Rest}` ? `${D}:${Dim<S, D>} ${Ordered<S, Rest>}`
  : `${Ds}:${Dim<S, Ds>}`
type Missing<S extends string, Ds extends string> = RemoveAll<S, Ds> extends `${infer D}:${string}` ? D : ''

/** Other memory order, same dims. */
export interface Reorder<Ds extends string> extends Rule {
  readonly given: Ds
  readonly message: First<
    AllExist<'reorder', SpecOf<this['input']>, Ds>,
    Missing<SpecOf<this['input']>, Ds> extends infer D extends string ? (D extends '' ? '' : DimMissing<'reorder', D, Ds>) : never,
    RefuseExtremes<'reorder', this['input']>
  >
  readonly output: WithSpec<this['input'], Ordered<SpecOf<this['input']>, Ds>>
}

/** What is left to the planner stays so, where an op needs the dim whole. */
type Free<S extends string, D extends string> = Axes<S, D> extends '?' ? '@?' : ''

// ---- extents -------------------------------------------------------------------------------------------------------

/** Positions up to `End` must be there, and D whole. */
type Positions<Op extends string, X, D extends string, Counts extends string, End extends string, What extends string> = First<
  Exists<Op, SpecOf<X>, D>,
  AreSizes<Counts> extends true ? (AtMost<End, Size<SpecOf<X>, D>> extends true ? '' : OutOfRange<Op, D, Size<SpecOf<X>, D>, What>)
    : OutOfRange<Op, D, Size<SpecOf<X>, D>, What>,
  RefuseExtremes<Op, X>,
  Whole<Op, SpecOf<X>, D>
>
type AreSizes<Counts extends string> = Counts extends `${infer Head} ${infer Rest}` ? IsSize<Head> extends true ? AreSizes<Rest> : false
  : IsSize<Counts>

/** `count` positions of D starting at `from`. */
export interface Slice<D extends string, From extends string, Count extends string> extends Rule {
  readonly given: D
  readonly message: Positions<
    'slice',
    this['input'],
    D,
    `${From} ${Count}`,
    AreSizes<`${From} ${Count}`> extends true ? Add<From, Count> : '0',
    `{ from: ${From}, count: ${Count} }`
  >
  readonly output: WithSpec<this['input'], Replace<SpecOf<this['input']>, D, `${D}:${Count}${Free<SpecOf<this['input']>, D>}`>>
}

/** One position of D, which goes away. */
export interface Select<D extends string, At extends string> extends Rule {
  readonly given: D
  readonly message: Positions<'select', this['input'], D, At, IsSize<At> extends true ? Add<At, '1'> : '0', `position ${At}`>
  readonly output: WithSpec<this['input'], Remove<SpecOf<this['input']>, D>>
}

type Copies<X, N extends string, T extends readonly unknown[] = []> = `${T['length']}` extends N ? T
  : T['length'] extends 64 ? readonly X[]
  : Copies<X, N, [...T, X]>

/** All positions of D, each a tensor without D. */
export interface Unstack<D extends string> extends Rule {
  readonly given: D
  readonly message: First<
    Exists<'unstack', SpecOf<this['input']>, D>,
    RefuseExtremes<'unstack', this['input']>,
    Whole<'unstack', SpecOf<this['input']>, D>
  >
  readonly output: Known<Size<SpecOf<this['input']>, D>> extends true
    ? Copies<WithSpec<this['input'], Remove<SpecOf<this['input']>, D>>, Size<SpecOf<this['input']>, D>>
    : readonly WithSpec<this['input'], Remove<SpecOf<this['input']>, D>>[]
}

/** A constant before and after the positions of D. */
export interface Pad<D extends string, Before extends string, After extends string, Value extends number | boolean> extends Rule {
  readonly given: D
  readonly message: First<
    Exists<'pad', SpecOf<this['input']>, D>,
    IsSize<Before> extends true ? '' : NotCount<'pad', 'before', Before>,
    IsSize<After> extends true ? '' : NotCount<'pad', 'after', After>,
    LiteralFits<'pad', this['input'], Value>,
    RefusePending<'pad', this['input']>,
    Whole<'pad', SpecOf<this['input']>, D>
  >
  readonly output: WithSpec<
    this['input'],
    Replace<SpecOf<this['input']>, D, `${D}:${Add<Add<Before, Size<SpecOf<this['input']>, D>>, After>}${Free<SpecOf<this['input']>, D>}`>
  >
}

/** The positions of D of two tensors, one after the other. */
export interface Concat<D extends string, Y extends AnyTensor> extends Rule {
  readonly given: D
  readonly message: string extends SpecOf<Y> ? '' : ConcatMessage<this['input'], Y, SpecOf<this['input']>, SpecOf<Y>, D>
  readonly output: string extends SpecOf<Y> ? Tensor<string, string, MeshOfEither<this['input'], Y>, TypeOf<this['input']>> : Tensor<
    Concatenated<WithAxesOf<SpecOf<this['input']>, SpecOf<Y>>, D, Add<Size<SpecOf<this['input']>, D>, Size<SpecOf<Y>, D>>>,
    PendingOf<this['input']>,
    MeshOfEither<this['input'], Y>,
    TypeOf<this['input']>
  >
}
type Concatenated<S extends string, D extends string, N extends string> = Replace<S, D, `${D}:${N}${Free<S, D>}`>
type ConcatMessage<X, Y, S extends string, U extends string, D extends string> = First<
  Exists<'concat', S, D, 'left'>,
  SameDims<'concat', S, U>,
  SizeConflict<'concat', Remove<S, D>, Remove<U, D>>,
  TypeConflict<'concat', X, Y>,
  MessageIn<PendingOfTwo<'concat', S, PendingOf<X>, U, PendingOf<Y>, 'together'>>,
  AllWhole<'concat', D, [['left', S], ['right', U]]>,
  CutConflict<'concat', S, U>,
  CutTwice<'concat', WithAxesOf<S, U>, [['right', U]]>
>
type SameDims<Op extends string, S extends string, U extends string> = Extra<U, S> extends `${infer D}:${string}`
  ? NoDim<Op, D, 'left', Names<S>>
  : Extra<S, U> extends `${infer D}:${string}` ? NoDim<Op, D, 'right', Names<U>>
  : ''

/** A new major dim along which everything repeats. */
export interface Repeat<Part extends string> extends Rule {
  readonly given: Part
  readonly message: First<
    Part extends `${string} ${string}` ? NotOfForm<'repeat', Part, 'dim:size'> : PartsForm<'repeat', Part>,
    AreFree<'repeat', SpecOf<this['input']>, Part>,
    RefuseExtremes<'repeat', this['input']>
  >
  readonly output: WithSpec<this['input'], Join<Part, SpecOf<this['input']>>>
}
