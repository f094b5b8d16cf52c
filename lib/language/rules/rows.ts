import type { NoDim, NotOfForm } from '../messages.ts'
import type { HasWord, Join, Names, RemoveAll, Replace } from '../spec.ts'
import type { AnyTensor, MeshOfEither, PendingOf, Rule, SpecOf, Tensor, TypeOf } from '../tensor.ts'
import type { AddPendingOf } from './along.ts'
import type { CutConflict, Extra, MessageIn, PendingIn, PendingOfTwo, SizeConflict, WithAxesOf } from './binary.ts'
import type { SummedCuts, SummedInPart } from './contract.ts'
import type { PartsForm } from './form.ts'
import type { AllExist, Exists, First, IsFree, Needs } from './unary.ts'
import type { AllWhole, CutTwice } from './whole.ts'

// ---- looking rows up -----------------------------------------------------------------------------------------------

type Gathered<S extends string, D extends string, U extends string> = Replace<WithAxesOf<S, U>, D, Extra<U, S>>
type PendingOfGather<X, Ids> = PendingOfTwo<'gather', SpecOf<X>, PendingOf<X>, SpecOf<Ids>, PendingOf<Ids>, 'left', 'table', 'index'>

/** Looks the positions named by `ids` up along D, which the dims of `ids` replace. */
export interface Gather<D extends string, Ids extends AnyTensor> extends Rule {
  readonly given: D
  readonly message: string extends SpecOf<Ids> ? '' : GatherMessage<this['input'], Ids, SpecOf<this['input']>, SpecOf<Ids>, D>
  readonly output: string extends SpecOf<Ids> ? Tensor<string, string, MeshOfEither<this['input'], Ids>, TypeOf<this['input']>>
    : Tensor<
      Gathered<SpecOf<this['input']>, D, SpecOf<Ids>>,
      PendingOf<this['input']>,
      MeshOfEither<this['input'], Ids>,
      TypeOf<this['input']>
    >
}
type GatherMessage<X, Ids, S extends string, U extends string, D extends string> = First<
  Exists<'gather', S, D, 'table'>,
  IsFree<'gather', U, D, 'index'>,
  SizeConflict<'gather', S, U, 'table', 'index'>,
  Needs<'gather', Ids, 'index', 'index'>,
  MessageIn<PendingOfGather<X, Ids>>,
  AllWhole<'gather', D, [['table', S]], [['table', S], ['index', U]]>,
  CutConflict<'gather', S, U, 'table', 'index'>,
  CutTwice<'gather', Gathered<S, D, U>, [['index', U]]>
>

// ---- adding to rows ------------------------------------------------------------------------------------------------

/** The names of the dims of U that are not among the blank-separated ones. */
type NamesBut<U extends string, Keep extends string> = U extends `${infer Head} ${infer Rest}`
  ? Join<NameBut<Head, Keep>, NamesBut<Rest, Keep>>
  : NameBut<U, Keep>
type NameBut<Head extends string, Keep extends string> = Head extends `${infer D}:${string}` ? (HasWord<Keep, D> extends true ? '' : D) : ''

/** S with the first of the blank-separated dims replaced by the rows, and without the others. */
type Scattered<S extends string, Part extends string, Folded extends string> = Folded extends '' ? Join<Part, S>
  : RemoveAll<Replace<S, FirstOf<S, Folded>, Part>, Folded>
type FirstOf<S extends string, Ds extends string> = S extends `${infer D}:${string} ${infer Rest}`
  ? HasWord<Ds, D> extends true ? D : FirstOf<Rest, Ds>
  : S extends `${infer D}:${string}` ? D
  : ''
type NameIn<Part extends string> = Part extends `${infer D}:${string}` ? D : Part
type RowsForm<Part extends string> = Part extends `${string} ${string}` ? NotOfForm<'scatterAdd', Part, 'dim:size'>
  : PartsForm<'scatterAdd', Part>

/** Adds values up in the rows named by `ids`, whose dims but those of `Keep` are folded into them. */
export interface ScatterAdd<Part extends string, Ids extends AnyTensor, Keep extends string> extends Rule {
  readonly given: `${Part} ${Keep}`
  readonly message: string extends SpecOf<Ids> ? ''
    : ScatterMessage<this['input'], Ids, SpecOf<this['input']>, SpecOf<Ids>, Part, Keep, NamesBut<SpecOf<Ids>, Keep>>
  readonly output: string extends SpecOf<Ids> ? Tensor<string, string, MeshOfEither<this['input'], Ids>, TypeOf<this['input']>>
    : ScatterOutput<this['input'], Ids, SpecOf<this['input']>, SpecOf<Ids>, Part, NamesBut<SpecOf<Ids>, Keep>>['tensor']
}
type ScatterMessage<X, Ids, S extends string, U extends string, Part extends string, Keep extends string, Folded extends string> = First<
  RowsForm<Part>,
  Keep extends '' ? '' : AllExist<'scatterAdd', U, Keep, 'index'>,
  Extra<U, S> extends `${infer D}:${string}` ? NoDim<'scatterAdd', D, 'input', Names<S>> : '',
  IsFree<'scatterAdd', S, NameIn<Part>>,
  SizeConflict<'scatterAdd', S, U, 'input', 'index'>,
  Needs<'scatterAdd', X, 'number'>,
  Needs<'scatterAdd', Ids, 'index', 'index'>,
  MessageIn<PendingOfScatter<X, Ids>>,
  Folded extends '' ? '' : SummedCuts<'scatterAdd', S, U, Folded, 'input', 'index'>,
  CutConflict<'scatterAdd', RemoveAll<S, Folded>, U, 'input', 'index'>,
  CutTwice<'scatterAdd', Scattered<WithAxesOf<S, U>, Part, Folded>, [['input', S], ['index', U]]>
>
type PendingOfScatter<X, Ids> = PendingOfTwo<'scatterAdd', SpecOf<X>, PendingOf<X>, SpecOf<Ids>, PendingOf<Ids>, 'left', 'input', 'index'>
interface ScatterOutput<X, Ids, S extends string, U extends string, Part extends string, Folded extends string> {
  readonly tensor: Tensor<
    Scattered<WithAxesOf<S, U>, Part, Folded>,
    AddPendingOf<PendingIn<PendingOfScatter<X, Ids>>, SummedInPart<S, U, Folded>, Folded, '', MeshOfEither<X, Ids>>,
    MeshOfEither<X, Ids>,
    TypeOf<X>
  >
}
