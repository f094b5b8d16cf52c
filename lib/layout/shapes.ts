import type { DType } from '../dtype.ts'
import * as say from '../language/messages.ts'
import { refuse } from '../language/refusal.ts'
import { type Dim, namesOf, type Shape, sizeOf } from './layout.ts'

/** Shape rules that several ops share. All of them refuse with the sentences of `messages.ts`. */

export const words = (text: string): readonly string[] => text.trim() === '' ? [] : text.trim().split(/\s+/)

/** Refuses unless all of the dims are there. */
export const needDims = (op: string, shape: Shape, dims: readonly string[]): void => {
  for (const dim of dims) if (sizeOf(shape, dim) === undefined) refuse(say.noDim(op, dim, namesOf(shape)))
}

export const needDimsOn = (op: string, shape: Shape, dims: readonly string[], side: string): void => {
  for (const dim of dims) if (sizeOf(shape, dim) === undefined) refuse(say.noDimOn(op, dim, side, namesOf(shape)))
}

/** Refuses if a dim of that name is there already. */
export const needFree = (op: string, shape: Shape, dim: string): void => {
  if (sizeOf(shape, dim) !== undefined) refuse(say.dimExists(op, dim, namesOf(shape)))
}

export const needType = (op: string, shape: Shape, type: DType): void => {
  if (shape.type !== type) refuse(say.needsType(op, type, shape.type))
}

export const sameType = (op: string, a: Shape, b: Shape): void => {
  if (a.type !== b.type) refuse(say.typesDiffer(op, a.type, b.type))
}

/** Refuses dims of one name and two sizes. */
export const sameSizes = (op: string, a: Shape, b: Shape): void => {
  for (const { name, size } of a.dims) {
    const other = sizeOf(b, name)
    if (other !== undefined && other !== size) refuse(say.sizesDiffer(op, name, size, other))
  }
}

export const without = (shape: Shape, dims: readonly string[]): Shape => ({ ...shape, dims: shape.dims.filter(({ name }) => !dims.includes(name)) })

/** The shape with one dim replaced by others, in its place. */
export const replaced = (shape: Shape, dim: string, by: readonly Dim[]): Shape => ({
  ...shape, dims: shape.dims.flatMap((one) => one.name === dim ? by : [one]),
})

/** Dims that b has and a lacks. */
export const extraDims = (b: Shape, a: Shape): readonly Dim[] => b.dims.filter(({ name }) => sizeOf(a, name) === undefined)

/** Broadcasting by name: the first operand's dims in their order, with those that only later ones have in front. */
export const broadcast = (op: string, [first, ...rest]: readonly Shape[]): Shape =>
  rest.reduce((result, shape) => {
    sameSizes(op, result, shape)
    sameType(op, result, shape)
    return { ...result, dims: [...extraDims(shape, result), ...result.dims] }
  }, first!)
