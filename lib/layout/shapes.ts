import type { DType } from '../dtype.ts'
import * as say from '../language/messages.ts'
import { refuse } from '../language/refusal.ts'
import type { Kind } from '../language/rules/unary.ts'
import { type Dim, namesOf, type Shape, sizeOf } from './layout.ts'

/** Shape rules that several ops share. All of them refuse with the sentences of `messages.ts`. */

/** The blank-separated names of a list that is not empty. */
export const words = (text: string): readonly string[] => text.split(' ')

// ---- dims ----------------------------------------------------------------------------------------------------------

/** Refuses unless the dim is there. */
export const needDim = (op: string, shape: Shape, dim: string, side = 'input'): void => {
  if (sizeOf(shape, dim) === undefined) refuse(say.noDim(op, dim, side, namesOf(shape)))
}

/** Refuses unless all of the dims are there, each named once. */
export const needDims = (op: string, shape: Shape, dims: readonly string[], side = 'input'): void =>
  dims.forEach((dim, i) => {
    needDim(op, shape, dim, side)
    if (dims.includes(dim, i + 1)) refuse(say.dimTwice(op, dim))
  })

/** Refuses if a dim of that name is there already. */
export const needFree = (op: string, shape: Shape, dim: string, side = 'input'): void => {
  if (sizeOf(shape, dim) !== undefined) refuse(say.dimExists(op, dim, side, namesOf(shape)))
}

/** Refuses dims of u that s lacks. */
export const noExtra = (op: string, u: Shape, s: Shape, side: string): void => {
  const extra = extraDims(u, s)[0]
  if (extra !== undefined) refuse(say.noDim(op, extra.name, side, namesOf(s)))
}

/** Refuses dims of one name and two sizes. */
export const sameSizes = (op: string, a: Shape, b: Shape, sideA = 'left', sideB = 'right'): void => {
  for (const { name, size } of b.dims) {
    const other = sizeOf(a, name)
    if (other !== undefined && other !== size) refuse(say.sizesDiffer(op, name, other, sideA, size, sideB))
  }
}

// ---- element types -------------------------------------------------------------------------------------------------

/** What an op may ask of an operand's elements, kept like `Kinds` in language/rules/unary.ts. */
const kinds: { readonly [kind in Kind]: readonly DType[] } = {
  real: ['f32'],
  number: ['f32', 'i32'],
  truth: ['bool'],
  index: ['i32'],
  mask: ['f32', 'bool'],
  any: ['f32', 'i32', 'bool'],
}

/** Refuses elements that are not of the kind. */
export const needKind = (op: string, shape: Shape, kind: Kind, side = 'input'): void => {
  const types = kinds[kind]
  if (!types.includes(shape.type)) refuse(say.needsType(op, types.join(' or '), side, shape.type, types[0]!))
}

export const sameType = (op: string, a: Shape, b: Shape, sideA = 'left', sideB = 'right'): void => {
  if (a.type !== b.type) refuse(say.typesDiffer(op, a.type, sideA, b.type, sideB))
}

// ---- results -------------------------------------------------------------------------------------------------------

export const without = (shape: Shape, dims: readonly string[]): Shape => ({
  ...shape,
  dims: shape.dims.filter(({ name }) => !dims.includes(name)),
})

/** The shape with one dim replaced by others, in its place. */
export const replaced = (shape: Shape, dim: string, by: readonly Dim[]): Shape => ({
  ...shape,
  dims: shape.dims.flatMap((one) => one.name === dim ? by : [one]),
})

/** Dims that b has and a lacks. */
export const extraDims = (b: Shape, a: Shape): readonly Dim[] => b.dims.filter(({ name }) => sizeOf(a, name) === undefined)

/** Broadcasting by name: the first operand's dims in their order, with those that only the second has in front. */
export const broadcast = (a: Shape, b: Shape): Shape => ({ ...a, dims: [...extraDims(b, a), ...a.dims] })
