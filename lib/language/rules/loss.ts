import type { NoDim, OptionIs } from '../messages.ts'
import type { Names, Remove } from '../spec.ts'
import type { AnyTensor, Rule, SpecOf, WithSpec } from '../tensor.ts'
import type { CutConflict, Extra, SizeConflict, WithAxesOf } from './binary.ts'
import type { IntegerFits } from './literal.ts'
import type { Exists, First, IsFree, Needs, RefusePending } from './unary.ts'
import type { AllWhole, CutTwice } from './whole.ts'

/** How targets are read. */
export interface CrossEntropyDims {
  /** The label of positions that don't count. */
  readonly ignore?: number
  /** The share of a target that goes to all positions of the dim alike. */
  readonly smoothing?: number
}
export type CrossEntropyOptions = ['ignore', 'smoothing']

/** Logits (the input) along D against labels Y, which name a position of D each. */
export interface CrossEntropy<D extends string, Y extends AnyTensor, O extends CrossEntropyDims> extends Rule {
  readonly given: D
  readonly message: First<
    OptionsMessage<O>,
    string extends SpecOf<Y> ? '' : CrossEntropyMessage<this['input'], Y, SpecOf<this['input']>, SpecOf<Y>, D>
  >
  readonly output: string extends SpecOf<Y> ? WithSpec<this['input'], string, ''>
    : WithSpec<this['input'], Remove<WithAxesOf<SpecOf<this['input']>, SpecOf<Y>>, D>>
}

type OptionsMessage<O extends CrossEntropyDims> = First<
  O['ignore'] extends number
    ? IntegerFits<'', `${O['ignore']}`> extends '' ? '' : OptionIs<'crossEntropy', 'ignore', `${O['ignore']}`, 'a whole number of i32'>
    : '',
  O['smoothing'] extends number ? IsShare<`${O['smoothing']}`> extends true ? ''
    : OptionIs<'crossEntropy', 'smoothing', `${O['smoothing']}`, 'a number from 0 to less than 1'>
    : ''
>
type IsShare<N extends string> = `${number}` extends N ? true
  : N extends `-${string}` ? false
  : N extends '0' | `0.${string}` | `${string}e-${string}` ? true
  : false

type CrossEntropyMessage<X, Y, S extends string, U extends string, D extends string> = First<
  Exists<'crossEntropy', S, D, 'logits'>,
  IsFree<'crossEntropy', U, D, 'labels'>,
  Extra<U, S> extends `${infer E}:${string}` ? NoDim<'crossEntropy', E, 'logits', Names<S>> : '',
  SizeConflict<'crossEntropy', S, U, 'logits', 'labels'>,
  Needs<'crossEntropy', X, 'real', 'logits'>,
  Needs<'crossEntropy', Y, 'index', 'labels'>,
  RefusePending<'crossEntropy', X, 'logits'>,
  RefusePending<'crossEntropy', Y, 'labels'>,
  AllWhole<'crossEntropy', D, [['logits', S]], [['logits', S], ['labels', U]]>,
  CutConflict<'crossEntropy', S, U, 'logits', 'labels'>,
  CutTwice<'crossEntropy', WithAxesOf<S, U>, [['logits', S], ['labels', U]]>
>
