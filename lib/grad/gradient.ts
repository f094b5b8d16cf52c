import { real } from '../kernel/expression.ts'
import * as say from '../language/messages.ts'
import { makeNode, type Node, nodeOf, tensorOf } from '../language/record.ts'
import { atLine, refuse } from '../language/refusal.ts'
import { type Region, scope, within } from '../language/scope.ts'
import { sourceLine } from '../language/source.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { axesOf } from '../layout/cross.ts'
import { finish } from '../layout/fixes.ts'
import { printSpec } from '../layout/layout.ts'
import { accumulate, conform, declared } from './cotangent.ts'
import { fused } from './fused.ts'
import { templateGradient } from './template.ts'

/**
 * Reverse-mode differentiation, as more operations of the program that is being traced: the planner sees forward and
 * backward together. Every gradient lies as its primal; sums over ranks stay pending as long as they can, so a replicated
 * parameter's gradient is completed once, however often the parameter is used.
 */
export const gradientsOf = (value: AnyTensor, targets: readonly AnyTensor[]): readonly AnyTensor[] =>
  found(value, targets, (found) =>
    targets.map((target) => {
      const leaf = nodeOf(target)
      return within({ where: 'gradients' }, () => {
        const gradient = found.get(leaf) ?? fused({ name: 'zeros', operands: [], result: leaf.shape, expression: real(0) })
        return declared(gradient, { cuts: leaf.layout.cuts, pending: [] })
      })
    }))

/**
 * Whether a gradient of the value arrives at each of the targets. It does not where the value is made without the target, or
 * depends on it only in ways that gradients don't know of: behind `stopGradient`, whole numbers and conditions.
 */
export const reachedBy = (value: AnyTensor, targets: readonly AnyTensor[]): readonly boolean[] =>
  found(value, targets, (found) => targets.map((target) => found.has(nodeOf(target))))

/** Takes the gradients of a value that arrive at targets, as a part of the backward pass; refuses what has none. */
const found = <A>(value: AnyTensor, targets: readonly AnyTensor[], take: (found: ReadonlyMap<Node, AnyTensor>) => A): A => {
  const where = sourceLine()
  const root = nodeOf(value)
  atLine(where, () => {
    const { dims, type } = root.shape
    if (type !== 'f32') refuse(say.scalarOnly(type, `; fix: cast('f32') at the end`))
    if (dims.length > 0) {
      const fix = `; fix: mean('${dims.map(({ name }) => name).join(' ')}') at the end`
      refuse(say.scalarOnly(printSpec(root.shape, root.layout), fix))
    }
  })
  for (const { layout, shape } of targets.map(nodeOf)) {
    const [first] = layout.pending
    if (first === undefined) continue
    const fix = finish({ layout, shape }, layout.pending)
    atLine(where, () => refuse(say.notFinished('grad', 'input', first.combine, axesOf(layout.pending), fix)))
  }
  return within({ phase: 'backward' }, () => {
    const leaves = new Map(targets.map((target): [Node, Node] => [nodeOf(target), nodeOf(target)]))
    return take(backward(root, leaves))
  })
}

/** The gradients that reach the leaves. */
const backward = (root: Node, leaves: Map<Node, Node>): ReadonlyMap<Node, AnyTensor> => {
  const ambient = scope().region
  const ancestors = ancestorsOf(root)
  const active = activeAmong(ancestors, leaves)
  const stack = ancestors.filter((node) => active.has(node))
  const cotangents = new Map<Node, AnyTensor[]>()
  const gradients = new Map<Node, AnyTensor>()
  const give = (node: Node, cotangent: AnyTensor): void => {
    if (active.has(node)) cotangents.set(node, [...cotangents.get(node) ?? [], cotangent])
  }

  /** Puts new nodes of the same operations in the place of a region's, whose results were not kept. */
  const replay = (root: Region): void => {
    const members = ancestors.filter((node) => outermost(node.region, ambient) === root)
    const copies = copyOf(members, root, ambient)
    for (const [node, copy] of copies) {
      const leaf = leaves.get(node)
      if (leaf !== undefined) leaves.set(copy, leaf)
      if (active.has(node)) active.add(copy)
      const given = cotangents.get(node)
      if (given !== undefined) cotangents.set(copy, given)
    }
    while (stack.length > 0 && outermost(stack.at(-1)!.region, ambient) === root) stack.pop()
    stack.push(...[...copies].flatMap(([node, copy]) => active.has(node) ? [copy] : []))
    ancestors.push(...copies.values())
  }

  const regionOnTop = (): Region | undefined => outermost(stack.at(-1)!.region, ambient)

  give(root, within({ where: root.where }, () => fused({ name: 'ones', operands: [], result: root.shape, expression: real(1) })))
  while (stack.length > 0) {
    // A region inside of one that was just replayed is a region still.
    for (let region = regionOnTop(); region !== undefined; region = regionOnTop()) replay(region)
    const node = stack.pop()!
    const given = cotangents.get(node)
    if (given === undefined) continue
    within({ where: node.where }, () =>
      atLine(node.where, () => {
        const leaf = leaves.get(node)
        if (leaf !== undefined) {
          gradients.set(leaf, accumulate([...gradients.has(leaf) ? [gradients.get(leaf)!] : [], ...given], node.layout.cuts))
        } else pull(node, conform(accumulate(given, node.layout.cuts), node), (operand) => active.has(operand), give)
      }))
  }
  return gradients
}

/** Gives the operands of a node that ask for it what its cotangent comes to for each of them. */
const pull = (
  node: Node,
  cotangent: AnyTensor,
  asks: (operand: Node) => boolean,
  give: (node: Node, cotangent: AnyTensor) => void,
): void => {
  const { op, attributes, operands, shape, pullback } = node
  const [result, given] = [tensorOf(node), operands.map(tensorOf)]
  if (pullback !== undefined) {
    const gradients = pullback.gradients({ cotangent, inputs: pullback.of.map(tensorOf), output: result })
    pullback.of.forEach((of, i) => {
      const gradient = gradients[i]
      if (gradient !== undefined) give(of, gradient)
    })
    return
  }
  if (op.role === 'declaration') {
    return give(operands[0]!, declared(cotangent, { cuts: operands[0]!.layout.cuts, pending: [] }))
  }
  const rules = op.gradient?.({ operands: given, result, cotangent, attributes })
  const template = rules === undefined ? op.kernel(operands.map((operand) => operand.shape), shape, attributes) : undefined
  operands.forEach((operand, i) => {
    if (operand.shape.type !== 'f32' || !asks(operand)) return
    if (rules !== undefined) {
      const gradient = rules[i]?.()
      if (gradient !== undefined) give(operand, gradient)
    } else if (template?.family === 'map' || template?.family === 'row') {
      const gradient = templateGradient(op, template, given, shape, cotangent, i)
      if (gradient !== null) give(operand, gradient)
    } else refuse(`${op.name} has no gradient; fix: stopGradient before it`)
  })
}

/** All nodes that a node is made of, and itself, as they were recorded. */
export const ancestorsOf = (root: Node): Node[] => {
  const found = new Set([root])
  // The set grows while it is walked.
  for (const node of found) for (const source of sourcesOf(node)) found.add(source)
  return [...found].sort((a, b) => a.serial - b.serial)
}

export const sourcesOf = ({ operands, pullback }: Node): readonly Node[] =>
  pullback === undefined ? operands : [...operands, ...pullback.of]

/** The nodes that depend on a leaf in a way that gradients know of. */
const activeAmong = (ancestors: readonly Node[], leaves: ReadonlyMap<Node, Node>): Set<Node> => {
  const active = new Set<Node>()
  for (const node of ancestors) {
    const depends = node.shape.type === 'f32' && node.op.constant !== true && sourcesOf(node).some((source) => active.has(source))
    if (leaves.has(node) || depends) active.add(node)
  }
  return active
}

/** The outermost region around a node that is not around all that is being recorded. */
const outermost = (region: Region | undefined, ambient: Region | undefined): Region | undefined => {
  if (region === undefined || region === ambient) return undefined
  const around = outermost(region.within, ambient)
  return around ?? region
}

/** New nodes like those of a region; regions inside of it stay regions. */
const copyOf = (members: readonly Node[], root: Region, ambient: Region | undefined): ReadonlyMap<Node, Node> => {
  const regions = new Map<Region, Region | undefined>([[root, ambient]])
  const regionFor = (region: Region): Region | undefined => {
    if (!regions.has(region)) regions.set(region, { within: regionFor(region.within!) })
    return regions.get(region)
  }
  const copies = new Map<Node, Node>()
  const copied = (node: Node): Node => copies.get(node) ?? node
  for (const node of members) {
    const change = { phase: 'recompute', region: regionFor(node.region!), replay: node.replay + 1 } as const
    const pullback = node.pullback === undefined ? {} : { pullback: { ...node.pullback, of: node.pullback.of.map(copied) } }
    copies.set(node, within(change, () => makeNode({ ...node, operands: node.operands.map(copied), ...pullback })))
  }
  return copies
}
