import type { DType } from '#lib/dtype.ts'
import type { AnyTensor, Tensor } from '#lib/mod.ts'

/** A position by dim names. */
export type At = Readonly<Record<string, number>>
/** An input as a function of the position; dims that it lacks are ignored. */
export type Field = (at: At) => number

/** An input of a law. `range` gives its values where not every number will do. */
export interface LawInput {
  readonly dims: string
  readonly type?: DType
  readonly range?: readonly [number, number]
}

/**
 * What the laws hold an op to: inputs, how to apply it, and what each element of the result must be, written as a formula
 * of its own. The formula says the gradients too.
 */
export interface Law {
  readonly inputs: Readonly<Record<string, LawInput>>
  readonly apply: (inputs: Readonly<Record<string, Tensor>>) => AnyTensor
  readonly result: (inputs: Readonly<Record<string, Field>>, at: At) => number
  /** Dims of the result, in memory order. */
  readonly dims: string
  /** Why the result has no gradient by any input, where it has none. */
  readonly flat?: string
}

/** Laws by the names of the files in `ops/`. */
export type Laws = Readonly<Record<string, readonly Law[]>>

/** The sizes of the dims that laws speak of. */
export interface Sizes {
  readonly t: number
  readonly s: number
  readonly e: number
  readonly f: number
  /** Rows of a table, and ids of them. */
  readonly v: number
  readonly n: number
  /** Keys, heads and features of attention. */
  readonly k: number
  readonly h: number
  readonly d: number
}
/** Sizes that differ from one another where it matters, and that two or three ranks mostly don't divide. */
export const usualSizes: Sizes = { t: 5, s: 4, e: 6, f: 3, v: 7, n: 5, k: 4, h: 2, d: 3 }

/** Writes specs: `t s` with the sizes that are given. */
export const specs = (sizes: Sizes) => (dims: string, others: Readonly<Record<string, number>> = {}): string =>
  dims.split(' ').map((name) => `${name}:${others[name] ?? sizes[name as keyof Sizes]}`).join(' ')

export const namesIn = (dims: string): readonly string[] => dims.split(' ').map((part) => part.split(':')[0]!)
export const sizesIn = (dims: string): readonly number[] => dims.split(' ').map((part) => Number(part.split(':')[1]))
export const countIn = (dims: string): number => sizesIn(dims).reduce((product, size) => product * size, 1)

/** The number of a position in memory order. */
export const numberOf = (dims: string): (at: At) => number => {
  const [names, sizes] = [namesIn(dims), sizesIn(dims)]
  return (at) => names.reduce((number, name, i) => number * sizes[i]! + at[name]!, 0)
}

/** All positions in memory order. */
export const positions = (dims: string): readonly At[] =>
  namesIn(dims).reduce<readonly At[]>(
    (all, name, i) => all.flatMap((at) => Array.from({ length: sizesIn(dims)[i]! }, (_, position) => ({ ...at, [name]: position }))),
    [{}],
  )

// ---- writing formulas ----------------------------------------------------------------------------------------------

export const total = (size: number, of: (i: number) => number): number => {
  let sum = 0
  for (let i = 0; i < size; i++) sum += of(i)
  return sum
}
export const largest = (size: number, of: (i: number) => number): number => Math.max(...Array.from({ length: size }, (_, i) => of(i)))
export const mean = (size: number, of: (i: number) => number): number => total(size, of) / size
export const softmaxAt = (size: number, of: (i: number) => number, i: number): number =>
  Math.exp(of(i)) / total(size, (j) => Math.exp(of(j)))

export type Apply = (x: Tensor) => AnyTensor
/** Types of ops speak of specs that laws make up as they go; here only the values matter. */
export const stage = (of: unknown): Apply => of as Apply
