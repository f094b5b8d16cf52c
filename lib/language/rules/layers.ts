import type { DimsChange } from '../messages.ts'
import type { Names } from '../spec.ts'
import type { AnyStage, AnyTensor, Message, Output, Rule, RuleOf, SpecOf, WithSpec } from '../tensor.ts'
import type { BinaryMessage, Extra, WithAxesOf } from './binary.ts'
import type { First } from './unary.ts'

/** Stages one after another, checked when they meet a tensor. */
export interface Sequence<Stages extends readonly AnyStage[]> extends Rule {
  readonly message: SequenceMessage<Stages, this['input']>
  readonly output: SequenceOutput<Stages, this['input']>
}

type SequenceMessage<Stages extends readonly AnyStage[], X> = Stages extends readonly [infer S, ...infer Rest extends readonly AnyStage[]]
  ? Message<RuleOf<S>, X> extends infer M extends string ? (M extends '' ? SequenceMessage<Rest, Output<RuleOf<S>, X>> : M) : never
  : ''
type SequenceOutput<Stages extends readonly AnyStage[], X> = Stages extends readonly [infer S, ...infer Rest extends readonly AnyStage[]]
  ? SequenceOutput<Rest, Output<RuleOf<S>, X>>
  : X

/** x + stages(x). */
export interface Residual<Stages extends readonly AnyStage[]> extends Rule {
  readonly message: SequenceMessage<Stages, this['input']> extends infer M extends string
    ? M extends '' ? ResidualMessage<this['input'], SequenceOutput<Stages, this['input']>> : M
    : never
  readonly output: SequenceOutput<Stages, this['input']> extends infer Y ? (string extends SpecOf<Y> ? this['input']
      : WithSpec<this['input'], WithAxesOf<SpecOf<this['input']>, SpecOf<Y>>>)
    : never
}
type ResidualMessage<X, Y> = Y extends AnyTensor ? string extends SpecOf<Y> ? ''
  : First<SameNames<SpecOf<X>, SpecOf<Y>>, BinaryMessage<'residual', X, Y, 'together', 'number', 'input', 'result'>>
  : never
type SameNames<S extends string, U extends string> = `${Extra<U, S>}${Extra<S, U>}` extends '' ? ''
  : DimsChange<'residual', Names<S>, Names<U>>
