import { call, type Expression, index, integer, real } from '#lib/kernel/expression.ts'
import { generator } from '#lib/language/generate.ts'
import type { SpecForm } from '#lib/language/rules/form.ts'
import type { Accept, AnyTensor, Tensor } from '#lib/language/tensor.ts'
import type { Shape } from '#lib/layout/layout.ts'

/** The row-major number of an element in the whole tensor: what makes the numbers the same for every layout. */
const elementNumber = (shape: Shape): Expression =>
  shape.dims.reduce<Expression>((number, { size }, i) => call('add', call('multiply', number, integer(size)), index(i)), integer(0))

const uniformAt = (seed: number, counter: Expression): Expression => call('uniform', integer(seed), counter)

const uniformOp = generator<{ readonly seed: number }>('uniform', 'f32', (shape, { seed }) => uniformAt(seed | 0, elementNumber(shape)))

/**
 * Numbers in [0, 1) from a counter-based generator (Threefry-2x32: Salmon et al., SC 2011): element n is a function of
 * the seed and n alone, so that every layout and every backend sees the same numbers. At most 2³¹ elements.
 */
export const uniform = <const S extends string>(spec: Accept<S, SpecForm<'uniform', S>>, { seed }: { readonly seed: number }): Tensor<S> =>
  uniformOp(spec, { seed }) as Tensor<S> & AnyTensor

const normalOp = generator<{ readonly seed: number }>('normal', 'f32', (shape, { seed }) => {
  const counter = elementNumber(shape)
  // 1 - u lies in (0, 1], so that its logarithm is finite; the second stream has a seed of its own.
  const radius = call('squareRoot', call('multiply', real(-2), call('logarithm', call('subtract', real(1), uniformAt(seed | 0, counter)))))
  const angle = call('multiply', real(2 * Math.PI), uniformAt((seed ^ 0x5851f42d) | 0, counter))
  return call('multiply', radius, call('cosine', angle))
})

/** Standard normal numbers by the Box-Muller transform of two streams of `uniform`. */
export const normal = <const S extends string>(spec: Accept<S, SpecForm<'normal', S>>, { seed }: { readonly seed: number }): Tensor<S> =>
  normalOp(spec, { seed }) as Tensor<S> & AnyTensor
