import type { NoDim } from '../messages.ts'
import type { Axes, Names, Remove, RemoveAll } from '../spec.ts'
import type { AnyTensor, MeshOf, PendingOf, Rule, SpecOf, Tensor, TypeOf, WithSpec } from '../tensor.ts'
import type { CutConflict, Extra, SizeConflict, TypeConflict, WithAxesOf } from './binary.ts'
import type { AllExist, AxisOfPending, Exists, First, Needs, RefuseExtremes, RefusePending } from './unary.ts'
import type { AllWhole, CutTwice, Part } from './whole.ts'

/** Needs all positions of a dim at once and keeps it: softmax. */
export interface Along<Op extends string, D extends string> extends Rule {
  readonly given: D
  readonly message: AlongMessage<Op, this['input'], D>
  readonly output: this['input']
}

/** Needs all positions of a dim at once and folds it away: variance, logSumExp. */
export interface AlongAway<Op extends string, D extends string> extends Rule {
  readonly given: D
  readonly message: AlongMessage<Op, this['input'], D>
  readonly output: WithSpec<this['input'], Remove<SpecOf<this['input']>, D>>
}

type AlongMessage<Op extends string, X, D extends string> = First<
  Exists<Op, SpecOf<X>, D>,
  Needs<Op, X, 'real'>,
  RefusePending<Op, X>,
  AllWhole<Op, D, [['input', SpecOf<X>]]>
>

/** A tensor among an op's operands, and the part it plays. */
export type Given = readonly [side: string, tensor: AnyTensor]

/** As `Along`, with scale and shift tensors whose dims are among the input's. */
export interface AlongAffine<Op extends string, D extends string, Parameters extends readonly Given[]> extends Rule {
  readonly given: D
  readonly message: First<
    Exists<Op, SpecOf<this['input']>, D>,
    ParametersFit<Op, this['input'], Parameters>,
    Needs<Op, this['input'], 'real'>,
    RefusePending<Op, this['input']>,
    ParametersFinished<Op, Parameters>,
    AllWhole<Op, D, Parts<this['input'], Parameters>>,
    ParametersLie<Op, ['input', SpecOf<this['input']>], Parameters>,
    CutTwice<Op, WithAxesOfAll<SpecOf<this['input']>, Parameters>, Parts<this['input'], Parameters>>
  >
  readonly output: Parameters extends readonly [] ? this['input']
    : WithSpec<this['input'], WithAxesOfAll<SpecOf<this['input']>, Parameters>>
}
type Parts<X, Ps extends readonly Given[]> = [['input', SpecOf<X>], ...PartsOf<Ps>]
type PartsOf<Ps extends readonly Given[]> = Ps extends readonly [infer P extends Given, ...infer Rest extends readonly Given[]]
  ? [[P[0], SpecOf<P[1]>], ...PartsOf<Rest>]
  : []
type ParametersFit<Op extends string, X, Ps extends readonly Given[]> = Ps extends
  readonly [infer P extends Given, ...infer Rest extends readonly Given[]]
  ? First<string extends SpecOf<P[1]> ? '' : ParameterFits<Op, X, P[1], P[0]>, ParametersFit<Op, X, Rest>>
  : ''
type ParameterFits<Op extends string, X, P, Side extends string> = First<
  Extra<SpecOf<P>, SpecOf<X>> extends `${infer D}:${string}` ? NoDim<Op, D, 'input', Names<SpecOf<X>>> : '',
  SizeConflict<Op, SpecOf<X>, SpecOf<P>, 'input', Side>,
  TypeConflict<Op, X, P, 'input', Side>
>
type ParametersFinished<Op extends string, Ps extends readonly Given[]> = Ps extends
  readonly [infer P extends Given, ...infer Rest extends readonly Given[]]
  ? First<RefusePending<Op, P[1], P[0]>, ParametersFinished<Op, Rest>>
  : ''
/** The first parameter must agree with the input, the second with both. */
type ParametersLie<Op extends string, First_ extends Part, Ps extends readonly Given[]> = Ps extends
  readonly [infer P extends Given, ...infer Rest extends readonly Given[]] ? First<
    CutConflict<Op, First_[1], SpecOf<P[1]>, First_[0], P[0]>,
    ParametersLie<Op, First_, Rest>,
    ParametersLie<Op, [P[0], SpecOf<P[1]>], Rest>
  >
  : ''
type WithAxesOfAll<S extends string, Ps extends readonly Given[]> = Ps extends
  readonly [infer P extends Given, ...infer Rest extends readonly Given[]] ? WithAxesOfAll<WithAxesOf<S, SpecOf<P[1]>>, Rest> : S

// ---- folds ---------------------------------------------------------------------------------------------------------

/** Folds dims by a sum or an extreme: a cut dim leaves the result pending over its axes. */
export interface Fold<Op extends string, Ds extends string, Kind extends 'sum' | 'max' | 'min'> extends Rule {
  readonly given: Ds
  readonly message: First<
    AllExist<Op, SpecOf<this['input']>, Ds>,
    Needs<Op, this['input'], 'real'>,
    Kind extends 'sum' ? RefuseExtremes<Op, this['input']> : RefusePending<Op, this['input']>
  >
  readonly output: Tensor<
    RemoveAll<SpecOf<this['input']>, Ds>,
    AddPendingOf<PendingOf<this['input']>, SpecOf<this['input']>, Ds, Kind extends 'sum' ? '' : `:${Kind}`, MeshOf<this['input']>>,
    MeshOf<this['input']>,
    TypeOf<this['input']>
  >
}

/** The pending reductions P and those of the axes that cut the blank-separated dims, in the order of the mesh. */
export type AddPendingOf<P extends string, S extends string, Ds extends string, Suffix extends string, M extends string> =
  PendingList<P, S, Ds, Suffix> extends infer All extends string ? (All extends `${string}+${string}` ? InMeshOrder<All, M> : All) : never
type PendingList<P extends string, S extends string, Ds extends string, Suffix extends string> = Ds extends `${infer D} ${infer Rest}`
  ? PendingList<AddPending<P, Axes<S, D>, Suffix>, S, Rest, Suffix>
  : AddPending<P, Axes<S, Ds>, Suffix>
type AddPending<P extends string, A extends string, Suffix extends string> = A extends '' | '?' ? P
  : A extends `${infer One}+${infer Rest}` ? AddPending<JoinPending<P, `${One}${Suffix}`>, Rest, Suffix>
  : JoinPending<P, `${A}${Suffix}`>
type JoinPending<P extends string, A extends string> = P extends '' ? A : A extends '' ? P : `${P}+${A}`

/** Nothing is said by the order in which reductions became pending, so that tensors reduced in any order are alike. */
type InMeshOrder<P extends string, M extends string> = string extends M ? P
  : M extends `${infer A}=${string} ${infer Rest}` ? JoinPending<PendingOver<P, A>, InMeshOrder<P, Rest>>
  : M extends `${infer A}=${string}` ? PendingOver<P, A>
  : P
type PendingOver<P extends string, A extends string> = P extends `${infer Head}+${infer Rest}`
  ? AxisOfPending<Head> extends A ? Head : PendingOver<Rest, A>
  : AxisOfPending<P> extends A ? P
  : ''
