import { index, literal } from '#lib/kernel/expression.ts'
import { generator } from '#lib/language/generate.ts'
import * as say from '#lib/language/messages.ts'
import { refuse } from '#lib/language/refusal.ts'
import type { SpecForm } from '#lib/language/rules/form.ts'
import type { Exists } from '#lib/language/rules/unary.ts'
import type { Accept, AnyTensor, Tensor } from '#lib/language/tensor.ts'
import { positionOf } from '#lib/layout/layout.ts'
import { needDim } from '#lib/layout/shapes.ts'

const fillOp = generator<{ readonly value: number }>('fill', 'f32', (_, { value }) => literal(value, 'f32'), (_, { value }) => {
  if (typeof value !== 'number') refuse(say.optionIs('fill', 'value', value, 'a number'))
})

/** Every element the same, the float32 nearest to the value (1e300 is ∞; ±∞, NaN and -0 are themselves): `fill('t:16 e:4', 0.5)`. */
export const fill = <const S extends string>(spec: Accept<S, SpecForm<'fill', S>>, value: number): Tensor<S> =>
  fillOp(spec, { value }) as Tensor<S> & AnyTensor

/** Every element 0. */
export const zeros = <const S extends string>(spec: Accept<S, SpecForm<'fill', S>>): Tensor<S> => fill(spec, 0)
/** Every element 1. */
export const ones = <const S extends string>(spec: Accept<S, SpecForm<'fill', S>>): Tensor<S> => fill(spec, 1)

const iotaOp = generator<{ readonly dim: string }>(
  'iota',
  'i32',
  (shape, { dim }) => index(positionOf(shape, dim)),
  (shape, { dim }) => needDim('iota', shape, dim),
)

/** The position along one dim, as i32: `iota('t:16', 't')` is 0 … 15. */
export const iota = <const S extends string, const D extends string>(
  spec: Accept<S, SpecForm<'iota', S>>,
  dim: Accept<D, string extends S ? '' : Exists<'iota', S, D>>,
): Tensor<S, '', string, 'i32'> => iotaOp(spec, { dim }) as Tensor<S, '', string, 'i32'> & AnyTensor
