import { threefry } from '#lib/kernel/threefry.ts'
import { type AnyTensor, grad, layout, type Tensor } from '#lib/mod.ts'
import { cast, multiply, sum, uniform } from '#ops/mod.ts'
import { type Law, namesIn, positions } from './law.ts'
import { fieldsFor } from './run-law.ts'

/**
 * What the laws' gradients are gradients of, as a program and as a formula: Σ c · result with a number c for each position,
 * so that no element's share is lost among the others'.
 */
const seed = 11
const weightOf = (number: number): number => (threefry(seed, number) >>> 8) * 2 ** -24

/** In the layout that the op leaves: a sum stays pending, an extreme is finished. */
const weighted = (result: AnyTensor): AnyTensor => {
  const { type, spec } = result
  const real: AnyTensor = type === 'f32' ? result : cast('f32')(result)
  const finished: AnyTensor = real.pending.includes(':') ? layout(cutsIn(spec))(real) : real
  return sum(namesIn(spec).join(' '))(multiply(uniform(spec, { seed }))(finished))
}
const cutsIn = (spec: string): string =>
  spec.split(' ').filter((part) => part.includes('@')).map((part) => part.replace(/:\d+/, '')).join(' ')

export const realInputs = ({ inputs }: Law): readonly string[] =>
  Object.keys(inputs).filter((name) => (inputs[name]!.type ?? 'f32') === 'f32')

export type Given = Readonly<Record<string, Tensor>>

/** The gradients by a law's real inputs, by their names, of the real inputs; the others are as given. */
export const lawGradients = (law: Law, given: Given) => (real: Given): Given =>
  grad((real: Given) => weighted(law.apply({ ...given, ...real })))(real)

/** A law's real inputs. */
export const realOf = (law: Law, given: Given): Given => Object.fromEntries(realInputs(law).map((name) => [name, given[name]!]))

/** The formula; it reads the values anew each time. */
export const lossOf = (law: Law, values: Readonly<Record<string, ArrayLike<number>>>): () => number => {
  const fields = fieldsFor(law, values)
  const all = positions(law.dims)
  return () => all.reduce((sum, at, number) => sum + weightOf(number) * law.result(fields, at), 0)
}

/** What a function of nothing does when one element changes by each of some steps: its values there. */
export const around = (elements: Float64Array, i: number, steps: readonly number[], f: () => number): readonly number[] => {
  const element = elements[i]!
  const values = steps.map((step) => {
    elements[i] = element + step
    return f()
  })
  elements[i] = element
  return values
}
