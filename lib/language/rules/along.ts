import type { NeedsWhole, NoDim } from '../messages.ts'
import type { Axes, Axes as AxesOfDim, FixByMoving, Names, RemoveAll } from '../spec.ts'
import type { AnyTensor, PendingOf, Rule, SpecOf, WithSpec } from '../tensor.ts'
import type { CutConflict, Extra, SizeConflict, TypeConflict } from './binary.ts'
import type { DimsExist, First, NeedsReal, RefuseExtremes, RefusePending } from './unary.ts'

/** Refuses unless each of the blank-separated dims is whole. */
export type DimsWhole<Op extends string, S extends string, Ds extends string> = Ds extends `${infer D} ${infer Rest}`
  ? First<DimWhole<Op, S, D>, DimsWhole<Op, S, Rest>> : DimWhole<Op, S, Ds>
type DimWhole<Op extends string, S extends string, D extends string> =
  Axes<S, D> extends infer A extends string ? (A extends '' | '?' ? '' : NeedsWhole<Op, D, A, FixByMoving<S, D, A>>) : never

/** Needs all positions of the dims at once and keeps them: softmax, norms. */
export interface Along<Op extends string, Ds extends string> extends Rule {
  readonly message: AlongMessage<Op, this['input'], Ds>
  readonly output: this['input']
}

/** Needs all positions of the dims at once and folds them away: variance, logSumExp. */
export interface AlongAway<Op extends string, Ds extends string> extends Rule {
  readonly message: AlongMessage<Op, this['input'], Ds>
  readonly output: WithSpec<this['input'], RemoveAll<SpecOf<this['input']>, Ds>>
}

type AlongMessage<Op extends string, X, Ds extends string> = First<
  DimsExist<Op, SpecOf<X>, Ds>, First<NeedsReal<Op, X>, First<RefusePending<Op, X>, DimsWhole<Op, SpecOf<X>, Ds>>>
>

/** As `Along`, with scale and shift tensors whose dims are among the input's. */
export interface AlongAffine<Op extends string, Ds extends string, Parameters extends readonly AnyTensor[]> extends Rule {
  readonly message: First<
    DimsExist<Op, SpecOf<this['input']>, Ds>, First<
      ParametersFit<Op, this['input'], Parameters>, First<
        NeedsReal<Op, this['input']>, First<
          RefusePending<Op, this['input']>, First<
            DimsWhole<Op, SpecOf<this['input']>, Ds>, ParametersLie<Op, this['input'], Parameters>
          >
        >
      >
    >
  >
  readonly output: this['input']
}
type ParametersFit<Op extends string, X, Ps extends readonly AnyTensor[]> = Ps extends readonly [infer P, ...infer Rest extends readonly AnyTensor[]]
  ? First<string extends SpecOf<P> ? '' : ParameterFits<Op, X, P>, ParametersFit<Op, X, Rest>> : ''
type ParameterFits<Op extends string, X, P> = First<
  Extra<SpecOf<P>, SpecOf<X>> extends `${infer D}:${string}` ? NoDim<Op, D, Names<SpecOf<X>>> : '',
  First<SizeConflict<Op, SpecOf<X>, SpecOf<P>>, TypeConflict<Op, X, P>>
>
type ParametersLie<Op extends string, X, Ps extends readonly AnyTensor[]> = Ps extends readonly [infer P, ...infer Rest extends readonly AnyTensor[]]
  ? First<string extends SpecOf<P> ? '' : CutConflict<Op, SpecOf<X>, SpecOf<P>>, ParametersLie<Op, X, Rest>> : ''

/** Folds dims by a sum or an extreme: a cut dim leaves the result pending over its axes. */
export interface Fold<Op extends string, Ds extends string, Kind extends 'sum' | 'max' | 'min'> extends Rule {
  readonly message: First<
    DimsExist<Op, SpecOf<this['input']>, Ds>, First<
      NeedsReal<Op, this['input']>,
      Kind extends 'sum' ? RefuseExtremes<Op, this['input']> : RefusePending<Op, this['input']>
    >
  >
  readonly output: WithSpec<
    this['input'], RemoveAll<SpecOf<this['input']>, Ds>,
    AddPendingOf<PendingOf<this['input']>, SpecOf<this['input']>, Ds, Kind extends 'sum' ? '' : `:${Kind}`>
  >
}

/** The pending reductions P and those of the axes that cut the blank-separated dims. */
export type AddPendingOf<P extends string, S extends string, Ds extends string, Suffix extends string> = Ds extends `${infer D} ${infer Rest}`
  ? AddPendingOf<AddPending<P, AxesOfDim<S, D>, Suffix>, S, Rest, Suffix> : AddPending<P, AxesOfDim<S, Ds>, Suffix>
type AddPending<P extends string, A extends string, Suffix extends string> = A extends '' | '?' ? P
  : A extends `${infer One}+${infer Rest}` ? AddPending<JoinPending<P, `${One}${Suffix}`>, Rest, Suffix> : JoinPending<P, `${A}${Suffix}`>
type JoinPending<P extends string, A extends string> = P extends '' ? A : `${P}+${A}`
