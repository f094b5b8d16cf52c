import type { AxisRepeated, BecomesOther, BecomesPending, DimTwice, NoAxis, NotOfForm, NotPending, Unexpected } from '../messages.ts'
import type { At, AxesOfMesh, Dim, HasAxis, LayoutIn, MeshHas, Replace, SizeIn, Whole } from '../spec.ts'
import type { MeshOf, PendingOf, Rule, SpecOf, TypeOf, WithSpec } from '../tensor.ts'
import type { SpecForm } from './form.ts'
import type { AxesOfPending, Exists, First, KindOfPending } from './unary.ts'
import type { CutTwice } from './whole.ts'

/** The spec S with the layout text L ('s@sp e@tp') and every other dim whole. */
export type LaidOut<S extends string, L extends string> = Put<Whole<S>, L>
type Put<S extends string, L extends string> = L extends `${infer Head} ${infer Rest}` ? Put<PutOne<S, Head>, Rest> : PutOne<S, L>
type PutOne<S extends string, Text extends string> = Text extends `${infer D}@${infer A}`
  ? Replace<S, D, `${D}:${SizeIn<Dim<S, D>>}${At<A>}`>
  : S

/** Each axis must be of the mesh, and cut the dim once. */
export type AxesExist<Op extends string, A extends string, D extends string, M extends string> = string extends M ? '' : A extends '?' ? ''
: A extends `${infer One}+${infer Rest}`
  ? HasAxis<Rest, One> extends true ? AxisRepeated<Op, One, D> : First<AxisExists<Op, One, M>, AxesExist<Op, Rest, D, M>>
: AxisExists<Op, A, M>
type AxisExists<Op extends string, A extends string, M extends string> = MeshHas<M, A> extends true ? '' : NoAxis<Op, A, AxesOfMesh<M>>

type Tokens<L extends string, S extends string, M extends string> = L extends `${infer Head} ${infer Rest}`
  ? First<Token<Head, S, M, Rest>, Tokens<Rest, S, M>>
  : Token<L, S, M, ''>
type Token<Text extends string, S extends string, M extends string, Rest extends string> = Text extends '' ? ''
  : Text extends `@${string}` | `${string}@` ? NotOfForm<'layout', Text, 'dim@axis'>
  : Text extends `${infer D}@${infer A}` ? First<
      Exists<'layout', S, D>,
      ` ${Rest}` extends `${string} ${D}@${string}` ? DimTwice<'layout', D> : '',
      AxesExist<'layout', A, D, M>
    >
  : NotOfForm<'layout', Text, 'dim@axis'>

/** From here on the dims lie as L says, every other dim is whole and nothing is pending. */
export interface Layout<L extends string> extends Rule {
  readonly given: L
  readonly message: First<Tokens<L, SpecOf<this['input']>, MeshOf<this['input']>>, CutTwice<'layout', LaidOut<SpecOf<this['input']>, L>>>
  readonly output: WithSpec<this['input'], LaidOut<SpecOf<this['input']>, L>, ''>
}

type Without<P extends string, A extends string> = P extends `${infer Head}+${infer Rest}`
  ? Head extends A ? Rest : Without<Rest, A> extends infer R extends string ? (R extends '' ? Head : `${Head}+${R}`) : never
  : P extends A ? ''
  : P

/** Finishes a pending sum over one axis: the result is whole over it. */
export interface SumOver<A extends string> extends Rule {
  readonly given: A
  readonly message: HasAxis<PendingOf<this['input']>, A> extends true ? '' : NotPending<'sumOver', A>
  readonly output: WithSpec<this['input'], SpecOf<this['input']>, Without<PendingOf<this['input']>, A>>
}

/** What is wrong with X as the next value of parameter P: '' or one sentence. */
export type Becomes<P, X> = string extends SpecOf<P> ? '' : string extends SpecOf<X> ? '' : First<
  PendingOf<X> extends '' ? ''
    : BecomesPending<KindOfPending<PendingOf<X>>, AxesOfPending<PendingOf<X>>, `layout('${LayoutIn<SpecOf<P>>}')`>,
  SpecOf<X> extends SpecOf<P> ? ''
    : BecomesOther<
      SpecOf<P>,
      SpecOf<X>,
      Whole<SpecOf<X>> extends Whole<SpecOf<P>> ? `; fix: layout('${LayoutIn<SpecOf<P>>}') before it` : ''
    >,
  TypeOf<X> extends TypeOf<P> ? '' : BecomesOther<TypeOf<P>, TypeOf<X>, `; fix: cast('${TypeOf<P>}') before it`>
>

/** States what a tensor is, where the types have lost it; where they know, they must agree. */
export interface Expect<S extends string> extends Rule {
  readonly states: S
  readonly message: First<
    SpecForm<'expect', S>,
    PendingOf<this['input']> extends ''
      ? SpecOf<this['input']> extends S ? '' : S extends SpecOf<this['input']> ? '' : Unexpected<S, SpecOf<this['input']>>
      : Unexpected<S, `${SpecOf<this['input']>}, pending over ${PendingOf<this['input']>}`>
  >
  readonly output: WithSpec<this['input'], S, ''>
}
