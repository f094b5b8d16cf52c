import { isSymbolic, nodeOf } from '../language/record.ts'
import { atLine, refuse } from '../language/refusal.ts'
import { within } from '../language/scope.ts'
import { sourceLine } from '../language/source.ts'
import type { AnyTensor, SpecOf, WithSpec } from '../language/tensor.ts'
import { complete } from './cotangent.ts'
import { gradientsOf } from './gradient.ts'

/** Tensors by name, nested as records and arrays: what gradients are taken by. */
export type TensorTree = AnyTensor | { readonly [name: string]: TensorTree } | readonly TensorTree[]

/** The leaves of a tree, in order. */
const leavesOf = (tree: TensorTree): readonly AnyTensor[] =>
  isSymbolic(tree)
    ? [tree]
    : typeof tree === 'object' && tree !== null
    ? Object.values(tree as Readonly<Record<string, TensorTree>>).flatMap(leavesOf)
    : refuse('grad takes the tensors of the program, by name, nested as records and arrays')

/** The same tree with each leaf changed, in order. */
export const mapLeaves = (tree: TensorTree, change: (leaf: AnyTensor) => AnyTensor): TensorTree =>
  isSymbolic(tree) ? change(tree) : Array.isArray(tree) ? tree.map((part: TensorTree) => mapLeaves(part, change)) : Object.fromEntries(
    Object.entries(tree as Readonly<Record<string, TensorTree>>).map(([name, part]) => [name, mapLeaves(part, change)]),
  )

/** A value, no longer pending, and the gradients, which lie as what they are gradients of. */
type Valued<L, P> = readonly [WithSpec<L, SpecOf<L>, ''>, P]

/**
 * A function's value and its gradients by the given tensors. The value must be a single number, like a mean; where it is a
 * pending sum, it is completed. What the function uses besides the given tensors is constant.
 *
 *     const [loss, gradients] = valueAndGrad((w) => pipe(x, linear(w, 'e'), square, mean('t f')))(weights)
 */
export const valueAndGrad = <const P extends TensorTree, L extends AnyTensor>(f: (parameters: P) => L) => (parameters: P): Valued<L, P> => {
  const leaves = atLine(sourceLine(), () => leavesOf(parameters))
  const value = f(parameters)
  const gradients = gradientsOf(value, leaves).values()
  const tree = mapLeaves(parameters, () => gradients.next().value!)
  // Told at the line of the value, not of whoever asks for gradients.
  return [within({ where: nodeOf(value).where }, () => complete(value)), tree] as unknown as Valued<L, P>
}

/** The gradients of a function whose value is a single number, by the given tensors. */
export const grad = <const P extends TensorTree, L extends AnyTensor>(f: (parameters: P) => L) => (parameters: P): P =>
  valueAndGrad(f)(parameters)[1]
