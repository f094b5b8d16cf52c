import { type AnyTensor, checkpoint, type Declaration, grad, input, layout, mesh, type Program, program, type Tensor } from '#lib/mod.ts'
import { attention, multiply, negate, sum } from '#ops/mod.ts'
import { type Apply, namesIn, stage } from '../ops/law.ts'

/** Attention with and without a ring, as programs that give the result and all gradients. */
export interface Case {
  readonly mesh: string
  /** Specs of queries, keys, values (where they don't lie like the keys) and perhaps of a mask. */
  readonly q: string
  readonly k: string
  readonly v?: string
  readonly mask?: readonly [spec: string, type: 'bool' | 'f32']
  readonly over: string
  readonly features: string
  readonly maskKeys?: string
  readonly ring?: string
  /** What it is made of is made anew for the backward pass, and it with that. */
  readonly recomputed?: boolean
  /** Keys and values are declared whole before they are met. */
  readonly gathered?: boolean
  /** The result alone. */
  readonly forward?: boolean
}

/** The same attention on one rank, without a ring. */
export const alone = ({ q, k, v, mask, over, features, maskKeys }: Case): Case => {
  const whole = (spec: string): string => spec.replace(/@[\w+]+/g, '')
  return {
    mesh: 'one=1',
    q: whole(q),
    k: whole(k),
    over,
    features,
    ...(v === undefined ? {} : { v: whole(v) }),
    ...(mask === undefined ? {} : { mask: [whole(mask[0]), mask[1]] }),
    ...(maskKeys === undefined ? {} : { maskKeys }),
  }
}

type Given = { readonly [name: string]: Tensor }

/** A case's attention of its queries, keys, values and mask. */
export const attending = ({ mask, over, features, maskKeys, ring, recomputed, gathered }: Case) => (given: Given): Tensor => {
  const options = {
    over,
    features,
    ...(mask === undefined ? {} : { mask: given['mask']! }),
    ...(maskKeys === undefined ? {} : { maskKeys }),
    ...(ring === undefined ? {} : { ring }),
  }
  const met = (x: Tensor): Tensor => gathered === true ? stage(layout(''))(x) as Tensor : x
  const attend = ({ q, k, v }: Given): AnyTensor => stage(attention(options)(met(k!), met(v!)))(q!)
  // Scores are the same if queries and keys change their signs, and the result if the values change theirs twice.
  const attendAnew = ({ q, k, v }: Given): AnyTensor =>
    attend({ q: negate(q!) as Tensor, k: negate(k!) as Tensor, v: negate(negate(v!)) as Tensor })
  return (recomputed === true ? checkpoint(attendAnew) : attend)(given) as Tensor
}

/** Σ c · x, with a number c for each element, so that no two elements' gradients look alike. */
export const weighted = (x: Tensor, c: Tensor): Tensor => {
  const total: Apply = stage(sum(namesIn(x.spec).join(' ')))
  return total(multiply(c)(x) as Tensor) as Tensor
}

export const ringProgram = (given: Case): Program => {
  const { mesh: on, q, k, v = k, mask, forward } = given
  const inputs: Record<string, Declaration> = { q: input(q), k: input(k), v: input(v), c: input(q) }
  if (mask !== undefined) inputs['mask'] = input(mask[0], mask[1])
  return program('ring', mesh(on), inputs, (tensors) => {
    const all = tensors as unknown as Given
    const attend = (real: Given): Tensor => attending(given)({ ...all, ...real })
    const real = { q: all['q']!, k: all['k']!, v: all['v']! }
    const out = attend(real)
    return forward === true ? { out } : { out, by: grad((real: Given) => weighted(attend(real), all['c']!))(real) }
  })
}
