import type { DType } from '../dtype.ts'
import type { Declared } from './messages.ts'
import type { Mesh } from './mesh.ts'
import type { CutTwice } from './rules/binary.ts'
import type { AxesExist } from './rules/layout.ts'
import type { First } from './rules/unary.ts'
import type { LayoutIn, Whole } from './spec.ts'
import type { AnyTensor, PendingOf, SpecOf, Tensor } from './tensor.ts'

/** An input, parameter or output of a program, as declared. */
export interface Declaration<Spec extends string = string, Type extends DType = DType> {
  readonly role: 'input' | 'parameter' | 'output'
  readonly spec: Spec
  readonly type: Type
}

const declare = (role: Declaration['role']) =>
  <const S extends string, const T extends DType = 'f32'>(spec: S, type?: T): Declaration<S, T> =>
    ({ role, spec, type: type ?? ('f32' as T) })

/** A tensor that comes with every run: `input('t:16@sp s:1024')`, `input('n:7', 'i32')`. */
export const input = declare('input')
/** A tensor that is given once and stays on the ranks from run to run. */
export const parameter = declare('parameter')
/** A result with the layout that it must have. */
export const output = declare('output')

/** Declarations by name, nested as records and arrays. */
export type Declarations = { readonly [name: string]: DeclarationTree }
export type DeclarationTree = Declaration | Declarations | readonly DeclarationTree[]

/** The tensors that a program's body receives for its declarations. */
export type Tensors<I, M extends string> = I extends Declaration<infer S, infer T> ? Tensor<S, '', M, T>
  : { readonly [K in keyof I]: Tensors<I[K], M> }

/** What a body may give back: a tensor (named `output`), or tensors by name, nested as records and arrays. */
export type Results = AnyTensor | { readonly [name: string]: Results } | readonly Results[]

/** A program: what it takes, what it gives, and the body that says how. It does nothing until it is traced. */
export interface Program {
  readonly name: string
  readonly mesh: Mesh
  readonly inputs: Declarations
  readonly outputs: { readonly [name: string]: Declaration } | undefined
  readonly body: (inputs: never) => unknown
}

type SpecMessage<Name extends string, S extends string, M extends string> = string extends S | M ? ''
  : First<SpecAxes<Name, S, M>, CutTwice<Name, S>>
type SpecAxes<Name extends string, S extends string, M extends string> = S extends `${infer Head} ${infer Rest}`
  ? First<DimAxes<Name, Head, M>, SpecAxes<Name, Rest, M>> : DimAxes<Name, S, M>
type DimAxes<Name extends string, Text extends string, M extends string> =
  Text extends `${infer D}:${string}@${infer A}` ? AxesExist<Name, A, D, M> : ''

/** The declarations, or a message in the place of each one that does not fit the mesh. */
export type CheckedInputs<I, M extends string> = {
  readonly [K in keyof I]: I[K] extends Declaration<infer S>
    ? SpecMessage<`input '${K & string}'`, S, M> extends infer Said extends string ? (Said extends '' ? I[K] : Said) : never
    : CheckedInputs<I[K], M>
}

type OutputMessage<Name extends string, X, S extends string> = string extends SpecOf<X> ? ''
  : PendingOf<X> extends '' ? SpecOf<X> extends S ? '' : S extends SpecOf<X> ? ''
    : Declared<'output', Name, S, SpecOf<X>, Whole<S> extends Whole<SpecOf<X>> ? `; fix: layout('${LayoutIn<S>}') at the end` : ''>
  : Declared<'output', Name, S, `a pending sum over '${PendingOf<X>}'`, `; fix: layout('${LayoutIn<S>}') at the end`>

/** The results, or the message about the first one that is not as declared. */
export type CheckedOutputs<R, O> = { readonly [K in keyof R]: K extends keyof O
  ? O[K] extends Declaration<infer S>
    ? OutputMessage<K & string, R[K], S> extends infer Said extends string ? (Said extends '' ? R[K] : Said) : R[K]
    : R[K]
  : R[K] }

// `I extends Declarations` would be truer, but makes the compiler unfold that recursive type without end; the trace decides.
interface MakeProgram {
  /** A program whose outputs lie as the body leaves them. */
  <const M extends string, const I extends object, R extends Results>(
    name: string, mesh: Mesh<M>, inputs: I & NoInfer<CheckedInputs<I, M>>, body: (inputs: Tensors<I, M>) => R,
  ): Program
  /** A program whose outputs must lie as declared. */
  <const M extends string, const I extends object, const O extends { readonly [name: string]: Declaration }, R extends { readonly [K in keyof O]: AnyTensor }>(
    name: string, mesh: Mesh<M>, inputs: I & NoInfer<CheckedInputs<I, M>>, outputs: O,
    body: (inputs: Tensors<I, M>) => R & CheckedOutputs<R, O>,
  ): Program
}

/**
 * Declares a program: a name, a mesh, what comes in, (what goes out,) and a body from tensors to tensors.
 *
 *     program('two stages', mesh('sp=4'), { x: input('t:16@sp s:1024 e:384') }, ({ x }) => pipe(x, softmax('s'), …))
 */
export const program: MakeProgram = (name: string, mesh: Mesh, inputs: Declarations, ...rest: readonly unknown[]): Program => {
  const [outputs, body] = rest.length === 1 ? [undefined, rest[0]] : rest
  return { name, mesh, inputs, outputs: outputs as Program['outputs'], body: body as Program['body'] }
}

export const isProgram = (value: unknown): value is Program =>
  typeof value === 'object' && value !== null && 'body' in value && typeof value.body === 'function' && 'mesh' in value && 'inputs' in value
