import type { Add, AtMost, Divides, Known, Multiply } from '../arithmetic.ts'
import type { CutAcross, DimExists, OutOfRange, SplitSize } from '../messages.ts'
import type { At, Axes, AxesIn, Dim, Join, Names, RanksOf, Remove, RemoveAll, Replace, Size, SizeIn } from '../spec.ts'
import type { AnyTensor, MeshOf, MeshOfEither, PendingOf, Rule, SpecOf, Tensor, TypeOf, WithSpec } from '../tensor.ts'
import type { DimsWhole } from './along.ts'
import type { BinaryMessage, Broadcast, CutConflict, CutTwice, Extra, SizeConflict, TypeConflict } from './binary.ts'
import type { NeedsType, NoDimOn } from '../messages.ts'
import type { DimsExist, First, RefuseExtremes, RefusePending } from './unary.ts'

type IsFree<Op extends string, S extends string, D extends string> = Dim<S, D> extends '' ? '' : DimExists<Op, D, Names<S>>
type AreFree<Op extends string, S extends string, Parts extends string> = Parts extends `${infer Head} ${infer Rest}`
  ? First<AreFree<Op, S, Head>, AreFree<Op, S, Rest>> : Parts extends `${infer D}:${string}` ? IsFree<Op, S, D> : ''

/** Ranks along `a+b` of a mesh. */
type RanksOfAll<M extends string, A extends string> = A extends `${infer One}+${infer Rest}` ? Multiply<RanksOf<M, One>, RanksOfAll<M, Rest>> : RanksOf<M, A>

/** A cut of the product of dims falls on the major one only if the ranks divide it. */
type CutAlong<Op extends string, D extends string, A extends string, M extends string, Major extends string, MajorSize extends string, MinorSize extends string> =
  A extends '' | '?' ? '' : MinorSize extends '1' ? ''
    : RanksOfAll<M, A> extends infer N extends string
      ? Divides<N, MajorSize> extends true ? '' : CutAcross<Op, D, A, N, Major, MajorSize> : never

// ---- split and merge -----------------------------------------------------------------------------------------------

type ProductOf<Parts extends string> = Parts extends `${infer Head} ${infer Rest}` ? Multiply<SizeOfPart<Head>, ProductOf<Rest>> : SizeOfPart<Parts>
type SizeOfPart<Part extends string> = Part extends `${string}:${infer N}` ? N : '1'
type WrittenProduct<Parts extends string> = Parts extends `${infer Head} ${infer Rest}` ? `${Head} × ${WrittenProduct<Rest>}` : Parts
type Differ<A extends string, B extends string> = [Known<A>, Known<B>] extends [true, true] ? (A extends B ? false : true) : false
type SplitParts<Parts extends string, A extends string> = Parts extends `${infer Head} ${infer Rest}` ? `${Head}${At<A>} ${Rest}` : `${Parts}${At<A>}`
type Minor<Parts extends string> = Parts extends `${string} ${infer Rest}` ? ProductOf<Rest> : '1'

/** One dim becomes several, major first; a cut stays on the major one. */
export interface Split<D extends string, Parts extends string> extends Rule {
  readonly message: First<
    DimsExist<'split', SpecOf<this['input']>, D>, First<
      AreFree<'split', Remove<SpecOf<this['input']>, D>, Parts>, First<
        Differ<ProductOf<Parts>, Size<SpecOf<this['input']>, D>> extends true
          ? SplitSize<'split', D, Size<SpecOf<this['input']>, D>, WrittenProduct<Parts>, ProductOf<Parts>> : '',
        Parts extends `${infer Major}:${infer MajorSize} ${string}`
          ? CutAlong<'split', D, Axes<SpecOf<this['input']>, D>, MeshOf<this['input']>, Major, MajorSize, Minor<Parts>> : ''
      >
    >
  >
  readonly output: WithSpec<
    this['input'], Replace<SpecOf<this['input']>, D, SplitParts<Parts, Axes<SpecOf<this['input']>, D>>>
  >
}

type MergedSize<S extends string, Ds extends string> = Ds extends `${infer D} ${infer Rest}` ? Multiply<Size<S, D>, MergedSize<S, Rest>> : Size<S, Ds>
type Head<Ds extends string> = Ds extends `${infer D} ${string}` ? D : Ds
type Tail<Ds extends string> = Ds extends `${string} ${infer Rest}` ? Rest : ''

/** Several dims become one, the first being major; a cut may lie on the major one only. */
export interface Merge<Ds extends string, To extends string> extends Rule {
  readonly message: First<
    DimsExist<'merge', SpecOf<this['input']>, Ds>, First<
      IsFree<'merge', RemoveAll<SpecOf<this['input']>, Ds>, To>,
      Tail<Ds> extends '' ? '' : First<
        DimsWhole<'merge', SpecOf<this['input']>, Tail<Ds>>,
        CutAlong<
          'merge', Head<Ds>, Axes<SpecOf<this['input']>, Head<Ds>>, MeshOf<this['input']>, Head<Ds>,
          Size<SpecOf<this['input']>, Head<Ds>>, MergedSize<SpecOf<this['input']>, Tail<Ds>>
        >
      >
    >
  >
  readonly output: WithSpec<
    this['input'],
    Replace<
      Tail<Ds> extends '' ? SpecOf<this['input']> : RemoveAll<SpecOf<this['input']>, Tail<Ds>>, Head<Ds>,
      `${To}:${MergedSize<SpecOf<this['input']>, Ds>}${At<Axes<SpecOf<this['input']>, Head<Ds>>>}`
    >
  >
}

// ---- names and order -----------------------------------------------------------------------------------------------

/** Dim D gets another name. */
export interface Rename<D extends string, To extends string> extends Rule {
  readonly message: First<DimsExist<'rename', SpecOf<this['input']>, D>, IsFree<'rename', Remove<SpecOf<this['input']>, D>, To>>
  readonly output: WithSpec<this['input'], Replace<SpecOf<this['input']>, D, `${To}:${Dim<SpecOf<this['input']>, D>}`>>
}

type Ordered<S extends string, Ds extends string> = Ds extends `${infer D} ${infer Rest}` ? `${D}:${Dim<S, D>} ${Ordered<S, Rest>}` : `${Ds}:${Dim<S, Ds>}`
type Missing<S extends string, Ds extends string> = RemoveAll<S, Ds> extends `${infer D}:${string}` ? D : ''

/** Other memory order, same dims. */
export interface Reorder<Ds extends string> extends Rule {
  readonly message: First<
    DimsExist<'reorder', SpecOf<this['input']>, Ds>,
    Missing<SpecOf<this['input']>, Ds> extends infer D extends string ? (D extends '' ? '' : `reorder: dim '${D}' is missing in '${Ds}'`) : never
  >
  readonly output: WithSpec<this['input'], Ordered<SpecOf<this['input']>, Ds>>
}

// ---- extents -------------------------------------------------------------------------------------------------------

type Positions<Op extends string, X, D extends string, End extends string, What extends string> = First<
  DimsExist<Op, SpecOf<X>, D>, First<
    AtMost<End, Size<SpecOf<X>, D>> extends true ? '' : OutOfRange<Op, D, Size<SpecOf<X>, D>, What>,
    DimsWhole<Op, SpecOf<X>, D>
  >
>

/** `count` positions of D starting at `from`. */
export interface Slice<D extends string, From extends string, Count extends string> extends Rule {
  readonly message: Positions<'slice', this['input'], D, Add<From, Count>, `${From} … ${Add<From, Count>}`>
  readonly output: WithSpec<this['input'], Replace<SpecOf<this['input']>, D, `${D}:${Count}`>>
}

/** One position of D, which goes away. */
export interface Select<D extends string, At extends string> extends Rule {
  readonly message: Positions<'select', this['input'], D, Add<At, '1'>, At>
  readonly output: WithSpec<this['input'], Remove<SpecOf<this['input']>, D>>
}

type Copies<X, N extends string, T extends readonly unknown[] = []> = `${T['length']}` extends N ? T
  : T['length'] extends 64 ? readonly X[] : Copies<X, N, [...T, X]>

/** All positions of D, each a tensor without D. */
export interface Unstack<D extends string> extends Rule {
  readonly message: First<DimsExist<'unstack', SpecOf<this['input']>, D>, DimsWhole<'unstack', SpecOf<this['input']>, D>>
  readonly output: Known<Size<SpecOf<this['input']>, D>> extends true
    ? Copies<WithSpec<this['input'], Remove<SpecOf<this['input']>, D>>, Size<SpecOf<this['input']>, D>>
    : readonly WithSpec<this['input'], Remove<SpecOf<this['input']>, D>>[]
}

/** A constant before and after the positions of D. */
export interface Pad<D extends string, Before extends string, After extends string> extends Rule {
  readonly message: First<
    DimsExist<'pad', SpecOf<this['input']>, D>, First<RefusePending<'pad', this['input']>, DimsWhole<'pad', SpecOf<this['input']>, D>>
  >
  readonly output: WithSpec<
    this['input'], Replace<SpecOf<this['input']>, D, `${D}:${Add<Add<Before, Size<SpecOf<this['input']>, D>>, After>}`>
  >
}

/** The positions of D of two tensors, one after the other. */
export interface Concat<D extends string, Y extends AnyTensor> extends Rule {
  readonly message: string extends SpecOf<Y> ? '' : First<
    DimsExist<'concat', SpecOf<this['input']>, D>, First<
      SameDims<'concat', SpecOf<this['input']>, SpecOf<Y>>, First<
        BinaryMessage<'concat', ForConcat<this['input'], D>, ForConcat<Y, D>, 'together'>, First<
          DimsWhole<'concat', SpecOf<this['input']>, D>, DimsWhole<'concat', SpecOf<Y>, D>
        >
      >
    >
  >
  readonly output: WithSpec<
    this['input'],
    Replace<
      Broadcast<SpecOf<this['input']>, SpecOf<Y>>, D,
      `${D}:${Add<Size<SpecOf<this['input']>, D>, Size<SpecOf<Y>, D>>}`
    >
  >
}
type ForConcat<X, D extends string> = Tensor<Remove<SpecOf<X>, D>, PendingOf<X>, MeshOf<X>, TypeOf<X>>
type SameDims<Op extends string, S extends string, U extends string> =
  Extra<U, S> extends `${infer D}:${string}` ? NoDimOn<Op, D, 'left', Names<S>>
    : Extra<S, U> extends `${infer D}:${string}` ? NoDimOn<Op, D, 'right', Names<U>> : ''

/** A new major dim along which everything repeats. */
export interface Repeat<Part extends string> extends Rule {
  readonly message: AreFree<'repeat', SpecOf<this['input']>, Part>
  readonly output: WithSpec<this['input'], Join<Part, SpecOf<this['input']>>>
}

// ---- gather --------------------------------------------------------------------------------------------------------

type Gathered<S extends string, D extends string, U extends string> = Replace<WithAxes<S, U>, D, Extra<U, S>>
type WithAxes<S extends string, U extends string> = import('./binary.ts').WithAxesOf<S, U>

/** Looks the positions named by `ids` up along D, which the dims of `ids` replace. */
export interface Gather<D extends string, Ids extends AnyTensor> extends Rule {
  readonly message: string extends SpecOf<Ids> ? '' : First<
    DimsExist<'gather', SpecOf<this['input']>, D>, First<
      Dim<SpecOf<Ids>, D> extends '' ? '' : DimExists<'gather', D, Names<SpecOf<Ids>>>, First<
        SizeConflict<'gather', SpecOf<this['input']>, SpecOf<Ids>>, First<
          TypeOf<Ids> extends 'i32' ? '' : NeedsType<'gather', 'i32', TypeOf<Ids>>, First<
            RefusePending<'gather', Ids>, First<
              RefuseExtremes<'gather', this['input']>, First<
                DimsWhole<'gather', SpecOf<this['input']>, D>, First<
                  CutConflict<'gather', SpecOf<this['input']>, SpecOf<Ids>>,
                  CutTwice<'gather', Gathered<SpecOf<this['input']>, D, SpecOf<Ids>>>
                >
              >
            >
          >
        >
      >
    >
  >
  readonly output: string extends SpecOf<Ids> ? Tensor<string, string, MeshOfEither<this['input'], Ids>, TypeOf<this['input']>>
    : Tensor<Gathered<SpecOf<this['input']>, D, SpecOf<Ids>>, PendingOf<this['input']>, MeshOfEither<this['input'], Ids>, TypeOf<this['input']>>
}
