import { index, integer, real } from '#lib/kernel/expression.ts'
import { generator } from '#lib/language/generate.ts'
import { refuse } from '#lib/language/refusal.ts'
import * as say from '#lib/language/messages.ts'
import { namesOf, positionOf } from '#lib/layout/layout.ts'
import type { AnyTensor, Tensor } from '#lib/language/tensor.ts'

const fillOp = generator<{ readonly value: number }>('fill', 'f32', (_, { value }) => real(value))

/** Every element the same: `fill('t:16 e:4', 0.5)`. */
export const fill = <const S extends string>(spec: S, value: number): Tensor<S> => fillOp(spec, { value }) as Tensor<S> & AnyTensor

/** Every element 0. */
export const zeros = <const S extends string>(spec: S): Tensor<S> => fill(spec, 0)
/** Every element 1. */
export const ones = <const S extends string>(spec: S): Tensor<S> => fill(spec, 1)

const iotaOp = generator<{ readonly dim: string }>('iota', 'i32', (shape, { dim }) =>
  positionOf(shape, dim) < 0 ? refuse(say.noDim('iota', dim, namesOf(shape))) : shape.dims.length === 0 ? integer(0) : index(positionOf(shape, dim)))

/** The position along one dim, as i32: `iota('t:16', 't')` is 0 … 15. */
export const iota = <const S extends string, const D extends string>(spec: S, dim: D): Tensor<S, '', string, 'i32'> =>
  iotaOp(spec, { dim }) as Tensor<S, '', string, 'i32'> & AnyTensor
