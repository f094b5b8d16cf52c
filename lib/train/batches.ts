import { pipe } from 'fp-ts/lib/function.js'
import { accumulate, complete } from '../grad/cotangent.ts'
import { gradientsOf, sourcesOf } from '../grad/gradient.ts'
import { mapLeaves, type TensorTree } from '../grad/grad.ts'
import { isSymbolic, makeNode, type Node, nodeOf, tensorOf } from '../language/record.ts'
import { within } from '../language/scope.ts'
import { type AnyTensor, applied, type Tensor } from '../language/tensor.ts'
import { multiply, select } from '#ops/mod.ts'
import { type Folded, foldedBy } from './whole-batch.ts'

/** The loss of a step, and its gradients. */
interface LossAndGradients {
  readonly loss: Tensor<''>
  /** In the order of the targets. */
  readonly gradients: readonly Tensor[]
}

interface Given {
  readonly loss: (inputs: unknown) => AnyTensor
  readonly inputs: unknown
  /** The parameters that gradients are taken by. */
  readonly targets: readonly AnyTensor[]
  /** How many batches the inputs hold, and along which dim where there are several. */
  readonly batches: { readonly dim: string; readonly count: number }
}

/** The loss and its gradients for one batch that holds the examples of all. */
export const lossAndGradients = (given: Given): LossAndGradients => {
  const { loss, inputs, targets, batches: { count } } = given
  if (count === 1) return differentiated(loss(inputs), targets)
  let totals: ReadonlyMap<number, Node> | undefined
  const round = (i: number): LossAndGradients => {
    const folded = foldedIn(given, i)
    const rebuild = rebuilding(folded, count, (place) => totals?.get(place))
    // The statistics of all batches, before the first of them is differentiated. What is recorded for them alone is little:
    // each batch is recorded again in its turn, so that no batch's activations are held while another is worked on.
    totals ??= folded.statistics.length === 0 ? new Map() : totalsOf(given, folded)
    const part = within({ where: folded.loss.where }, () => pipe(tensorOf(rebuild()) as Tensor, multiply(1 / count)))
    return differentiated(part, targets)
  }
  return Array.from({ length: count - 1 }, (_, i) => i + 1).reduce((sum, i) => both(sum, round(i)), round(0))
}

const both = (one: LossAndGradients, other: LossAndGradients): LossAndGradients => ({
  loss: addUp([one.loss, other.loss]) as Tensor<''>,
  gradients: one.gradients.map((gradient, i) => addUp([gradient, other.gradients[i]!])),
})

/** A value, no longer pending, and its gradients. */
const differentiated = (value: AnyTensor, targets: readonly AnyTensor[]): LossAndGradients => {
  const gradients = gradientsOf(value, targets) as readonly Tensor[]
  // Told at the line of the value, not of whoever asks for gradients.
  return { loss: within({ where: nodeOf(value).where }, () => complete(value)) as Tensor<''>, gradients }
}

/** A sum of tensors that lie alike once they are complete; those pending over the same axes are completed together. */
const addUp = (parts: readonly AnyTensor[]): Tensor => accumulate(parts, nodeOf(parts[0]!).layout.cuts) as Tensor

/** The loss of one of the batches, as it is recorded now. */
const foldedIn = ({ loss, inputs, targets, batches: { dim, count } }: Given, at: number): Folded => {
  const batch = mapLeaves(inputs as TensorTree, (x) => applied(select(dim, at))(x))
  return foldedBy(nodeOf(loss(batch)), leavesOf(batch), targets.map(nodeOf), count)
}

const leavesOf = (tree: TensorTree): readonly Node[] => isSymbolic(tree) ? [nodeOf(tree)] : Object.values(tree as object).flatMap(leavesOf)

/** The statistics of all batches together, by their places among those of one: sums added up, means averaged. */
const totalsOf = (given: Given, first: Folded): ReadonlyMap<number, Node> => {
  const { count } = given.batches
  const totals = new Map<number, Node>()
  const batches = Array.from({ length: count }, (_, i) => i === 0 ? first : foldedIn(given, i))
  // A statistic may be made of others, which are in their places by then.
  const rebuilds = batches.map((folded) => ({ folded, rebuild: rebuilding(folded, count, (place) => totals.get(place)) }))
  first.statistics.forEach(({ op, where }, place) => {
    const parts = rebuilds.map(({ folded, rebuild }) => tensorOf(rebuild(folded.statistics[place]!)))
    const total = within({ where }, () => op.averages === true ? pipe(addUp(parts), multiply(1 / count)) : addUp(parts))
    totals.set(place, nodeOf(total))
  })
  return totals
}

/**
 * Makes the loss, or what it is made of, once more, with statistics in their places and each sum taken as many times as there
 * are batches. It goes on from where it stopped, as it is asked for later and later nodes; a node asked for is made before its
 * own total is known.
 */
const rebuilding = ({ loss, ancestors, statistics, sums }: Folded, batches: number, totalAt: (place: number) => Node | undefined) => {
  const places = new Map(statistics.map((node, place) => [node, place]))
  const copies = new Map<Node, Node>()
  const copied = (node: Node): Node => copies.get(node) ?? node
  const remade = (node: Node): Node => {
    if (sourcesOf(node).every((source) => copied(source) === source)) return node
    const pullback = node.pullback === undefined ? {} : { pullback: { ...node.pullback, of: node.pullback.of.map(copied) } }
    const { phase, region, replay } = node
    return within({ phase, region, replay }, () => makeNode({ ...node, operands: node.operands.map(copied), ...pullback }))
  }
  const many = (node: Node): Node =>
    nodeOf(within({ where: node.where }, () => pipe(tensorOf(node) as Tensor, multiply(batches)) as AnyTensor))
  const made = (node: Node): Node => {
    const place = places.get(node)
    const total = place === undefined ? undefined : totalAt(place)
    return total ?? (sums.has(node) ? many(remade(node)) : remade(node))
  }
  let at = 0
  return (until: Node = loss): Node => {
    for (; at < ancestors.length && ancestors[at]!.serial < until.serial; at++) {
      const node = ancestors[at]!
      const copy = made(node)
      if (copy !== node) copies.set(node, copy)
    }
    return made(until)
  }
}
