import type { DType } from '../dtype.ts'
import type { Change } from './becomes.ts'
import type { Initialiser } from './initialiser.ts'
import type { Declared, NotGiven } from './messages.ts'
import type { Mesh } from './mesh.ts'
import { knownOptions } from './options.ts'
import type { SpecForm } from './rules/form.ts'
import type { AxesExist } from './rules/layout.ts'
import type { AxesOfPending, First, KindOfPending } from './rules/unary.ts'
import type { CutTwice } from './rules/whole.ts'
import type { LayoutIn, Whole } from './spec.ts'
import type { AnyTensor, PendingOf, SpecOf, Tensor, TypeOf } from './tensor.ts'

/** An input, parameter or output of a program, as declared. */
export interface Declaration<Spec extends string = string, Type extends DType = DType> {
  readonly role: 'input' | 'parameter' | 'output'
  readonly spec: Spec
  readonly type: Type
  /** How a parameter starts, where the program says it. */
  readonly init?: Initialiser
  /** Of a parameter that a training leaves as it is. */
  readonly trained?: false
}

const declare =
  (role: Declaration['role']) => <const S extends string, const T extends DType = 'f32'>(spec: S, type?: T): Declaration<S, T> => ({
    role,
    spec,
    type: type ?? ('f32' as T),
  })

/** A tensor that comes with every run: `input('t:16@sp s:1024')`, `input('n:7', 'i32')`. */
export const input = declare('input')

/** What else is said of a parameter. */
export interface ParameterOptions {
  /** Whether a training changes it: yes, unless said. What is not trained is a constant of the loss, of any element type. */
  readonly trained?: boolean
}

interface DeclareParameter {
  <const S extends string>(spec: S, init?: Initialiser, options?: ParameterOptions): Declaration<S, 'f32'>
  <const S extends string>(spec: S, options: ParameterOptions): Declaration<S, 'f32'>
  <const S extends string, const T extends DType>(spec: S, type: T, init?: Initialiser, options?: ParameterOptions): Declaration<S, T>
  <const S extends string, const T extends DType>(spec: S, type: T, options: ParameterOptions): Declaration<S, T>
}
/**
 * A tensor that is given once and stays on the ranks from run to run, perhaps with the way it starts: `parameter('e:48')`,
 * `parameter('f:192 e:48', xavier())`, `parameter('', 'i32', zeros)`, and perhaps left as it is by a training:
 * `parameter('n:7', 'i32', zeros, { trained: false })`.
 */
export const parameter: DeclareParameter = (
  spec: string,
  ...rest: readonly (DType | Initialiser | ParameterOptions | undefined)[]
): Declaration<never, never> => {
  const [type, more] = typeof rest[0] === 'string' ? [rest[0], rest.slice(1)] : ['f32', rest]
  const init = more.find(isInitialiser)
  const options = more.find((one): one is ParameterOptions => typeof one === 'object' && one !== null && !isInitialiser(one)) ?? {}
  knownOptions(`parameter '${spec}'`, options, ['trained'])
  const { trained = true } = options
  const given = { ...(init === undefined ? {} : { init }), ...(trained ? {} : { trained }) }
  return { role: 'parameter', spec, type, ...given } as Declaration<never, never>
}

const isInitialiser = (given: unknown): given is Initialiser => typeof given === 'object' && given !== null && 'kind' in given

/** A result with the layout that it must have. */
export const output = declare('output')

/** Declarations by name, nested as records and arrays. */
export type Declarations = { readonly [name: string]: DeclarationTree }
export type DeclarationTree = Declaration | Declarations | readonly DeclarationTree[]

/** Whether a part of a tree of declarations is one of them. */
export const isDeclaration = (tree: DeclarationTree): tree is Declaration => 'role' in tree && typeof tree.spec === 'string'

/** All declarations of a tree, named by their places in it: `blocks.0.weight`. */
export function* walkDeclarations(
  tree: DeclarationTree,
  path: readonly string[] = [],
): Generator<{ readonly name: string; readonly declaration: Declaration }> {
  if (isDeclaration(tree)) yield { name: path.join('.'), declaration: tree }
  else for (const [key, part] of Object.entries(tree)) yield* walkDeclarations(part, [...path, key])
}

/** The tensors that a program's body receives for its declarations. */
export type Tensors<I, M extends string> = I extends Declaration<infer S, infer T> ? Tensor<S, '', M, T>
  : { readonly [K in keyof I]: Tensors<I[K], M> }

/** What a body may give back: a tensor (named `output`), or tensors and changes of parameters by name, nested as records and arrays. */
export type Results = AnyTensor | Change | { readonly [name: string]: Results } | readonly Results[]

/** A program: what it takes, what it gives, and the body that says how. It does nothing until it is traced. */
export interface Program {
  readonly name: string
  readonly mesh: Mesh
  readonly inputs: Declarations
  readonly outputs: { readonly [name: string]: Declaration } | undefined
  readonly body: (inputs: never) => unknown
}

/** What is wrong with a declared spec in itself. */
type SpecMessage<Name extends string, S extends string, M extends string> = string extends S ? ''
  : First<SpecForm<Name, S>, SpecAxes<Name, S, M>, CutTwice<Name, S>>
type SpecAxes<Name extends string, S extends string, M extends string> = S extends `${infer Head} ${infer Rest}`
  ? First<DimAxes<Name, Head, M>, SpecAxes<Name, Rest, M>>
  : DimAxes<Name, S, M>
type DimAxes<Name extends string, Text extends string, M extends string> = Text extends `${infer D}:${string}@${infer A}`
  ? AxesExist<Name, A, D, M>
  : ''

/** The declarations, or a message in the place of each one that is wrong in itself or does not fit the mesh. */
export type Checked<I, M extends string, Role extends string> = {
  readonly [K in keyof I]: I[K] extends Declaration<infer S>
    ? SpecMessage<`${Role} '${K & string}'`, S, M> extends infer Said extends string ? (Said extends '' ? I[K] : Said) : never
    : Checked<I[K], M, Role>
}

/** What is wrong with a result that is declared to lie as S. */
type OutputMessage<Name extends string, X, S extends string, T extends DType> = First<
  string extends SpecOf<X> ? ''
    : PendingOf<X> extends '' ? SpecOf<X> extends S ? '' : S extends SpecOf<X> ? '' : Declared<Name, S, SpecOf<X>, FixAtEnd<SpecOf<X>, S>>
    : Declared<Name, S, `a pending ${KindOfPending<PendingOf<X>>} over '${AxesOfPending<PendingOf<X>>}'`, FixAtEnd<SpecOf<X>, S>>,
  TypeOf<X> extends T ? '' : Declared<Name, T, TypeOf<X>, `; fix: cast('${T}') at the end`>
>
type FixAtEnd<Got extends string, Want extends string> = Whole<Got> extends Whole<Want> ? `; fix: layout('${LayoutIn<Want>}') at the end`
  : ''

/** The results, or the message about the first one that is not as declared. */
export type CheckedOutputs<R, O> = keyof O extends keyof R ? {
    readonly [K in keyof R]: K extends keyof O
      ? O[K] extends Declaration<infer S, infer T>
        ? OutputMessage<K & string, R[K], S, T> extends infer Said extends string ? (Said extends '' ? R[K] : Said) : R[K]
      : R[K]
      : R[K]
  }
  : unknown extends R ? unknown
  : Missing<Exclude<keyof O, keyof R>, O>
type Missing<K extends keyof O, O> = K extends string ? (O[K] extends Declaration<infer S> ? NotGiven<K, S> : never) : never

/** What a body with a faulty stage gives back is unknown: nothing more is said about that. */
type CheckedResults<R> = unknown extends R ? unknown : Results

// `I extends Declarations` would be truer, but makes the compiler unfold that recursive type without end; the trace decides.
interface MakeProgram {
  /** A program whose outputs lie as the body leaves them. */
  <const M extends string, const I extends object, R>(
    name: string,
    mesh: Mesh<M>,
    inputs: I & NoInfer<Checked<I, M, 'input'>>,
    body: (inputs: Tensors<I, M>) => R & CheckedResults<R>,
  ): Program
  /** A program whose outputs must lie as declared. */
  <const M extends string, const I extends object, const O extends { readonly [name: string]: Declaration }, R>(
    name: string,
    mesh: Mesh<M>,
    inputs: I & NoInfer<Checked<I, M, 'input'>>,
    outputs: O & NoInfer<Checked<O, M, 'output'>>,
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
