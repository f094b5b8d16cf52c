import type { DType } from '../dtype.ts'

/** Any tensor of any layout. */
export interface AnyTensor {
  /** Dims in memory order with sizes and axes: `b:2 t:16@sp s:1024`. */
  readonly spec: string
  /** Axes over which the value is still to be reduced: '' or `tp` (a sum), `tp:max`, joined with `+`. */
  readonly pending: string
  /** The mesh the program runs on: `sp=4 tp=2`. */
  readonly mesh: string
  readonly type: DType
}

/**
 * A tensor whose type says how it lies over the mesh. It is a symbol in a program that is being traced: it holds no
 * numbers.
 */
export interface Tensor<
  Spec extends string = string,
  Pending extends string = '',
  Mesh extends string = string,
  Type extends DType = 'f32',
> extends AnyTensor {
  readonly spec: Spec
  readonly pending: Pending
  readonly mesh: Mesh
  readonly type: Type
}

export type SpecOf<X> = X extends { readonly spec: infer S extends string } ? S : string
export type PendingOf<X> = X extends { readonly pending: infer P extends string } ? P : string
export type MeshOf<X> = X extends { readonly mesh: infer M extends string } ? M : string
export type TypeOf<X> = X extends { readonly type: infer T extends DType } ? T : DType

/**
 * The same tensor with another spec, and with other pending reductions where given. By way of a property, because the
 * compiler would print a plain alias of `Tensor` by the alias's name, and make a new type each time it meets it.
 */
export type WithSpec<X, S extends string, P extends string = PendingOf<X>> = Respecified<X, S, P>['tensor']
interface Respecified<X, S extends string, P extends string> {
  readonly tensor: Tensor<S, P, MeshOf<X>, TypeOf<X>>
}

/** The more precise of two meshes. */
export type MeshOfEither<X, Y> = string extends MeshOf<X> ? MeshOf<Y> : MeshOf<X>

/**
 * The type rule of an op, a function in the type system: `input` goes in (through an intersection, see `Message`), a
 * message ('' if all is well) and the output come out. Being data, rules can be applied to a tensor later: that is
 * what `seq` and `residual` do.
 */
export interface Rule {
  readonly input: unknown
  readonly message: string
  readonly output: unknown
  /** The names of dims and axes that the stage was made with, where there are any. */
  readonly given?: string
}

/** Whether the names that a rule is given are each known to the types, and not just as `string` or as one of several. */
type KnowsNames<R extends Rule> = R extends { readonly given: infer G extends string } ? (string extends G ? false : IsOne<G>) : true
type IsOne<G, All = G> = G extends G ? ([All] extends [G] ? true : false) : never

/** What rule R says against tensor X: '' or one sentence. Nothing is said where the dims are not known to the types. */
export type Message<R extends Rule, X> = string extends SpecOf<X> ? ''
  : KnowsNames<R> extends true ? (R & { readonly input: X })['message']
  : ''

/**
 * What rule R makes of tensor X. Of a tensor whose dims are not known to the types, neither are those of the result
 * (unless the rule states them).
 */
export type Output<R extends Rule, X> = string extends SpecOf<X>
  ? R extends { readonly states: string } ? (R & { readonly input: X })['output'] : Opaque<(R & { readonly input: X })['output']>
  : KnowsNames<R> extends true ? (R & { readonly input: X })['output']
  : Opaque<(R & { readonly input: X })['output']>
type Opaque<Y> = Y extends readonly (infer One)[] ? readonly Opaque<One>[] : WithSpec<Y, string, ''>

/** The parameter type of a checked function: X itself, or the message, to which nothing can be assigned. */
export type Accept<X, M> = M extends '' ? X : NoInfer<M>

declare const rule: unique symbol

/** A function from tensor to tensor, checked when it meets its tensor: in `pipe`, in a call, or inside `seq`. */
export interface Stage<R extends Rule> extends AnyStage {
  <X extends AnyTensor>(x: Accept<X, Message<R, X>>): Output<R, X>
  readonly [rule]: R
}
export interface AnyStage {
  readonly [rule]: Rule
}
export type RuleOf<S> = S extends { readonly [rule]: infer R extends Rule } ? R : never

/** Declares the types of a stage's plain function; the only place where the two meet. */
export const stage = <R extends Rule>(apply: (x: AnyTensor) => AnyTensor | readonly AnyTensor[]): Stage<R> => apply as unknown as Stage<R>

/** The plain function of a stage, for layers that apply stages themselves. */
export const applied = (s: AnyStage): (x: AnyTensor) => AnyTensor => s as unknown as (x: AnyTensor) => AnyTensor
