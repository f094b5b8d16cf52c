import { numberToJson } from '../codec.ts'
import type { Attributes, Op } from '../op.ts'
import { isUndecided, type Layout, printCuts, printPending, type Shape } from '../layout/layout.ts'
import { makeNode, type Node } from '../language/record.ts'
import type { Phase } from '../language/scope.ts'
import type { Traced } from '../language/trace.ts'
import type { Mesh } from '../language/mesh.ts'

/** An operand: which value, and the layout declared for it (by `layout` or `sumOver`) between its making and this use. */
export interface Use {
  readonly value: number
  readonly pin: { readonly layout: Layout; readonly where: string } | undefined
}

/** One operation; its number is its place in the graph's list and the number of the value it makes. */
export interface GraphNode {
  readonly op: Op
  readonly attributes: Attributes
  readonly operands: readonly Use[]
  readonly shape: Shape
  /** The layout that the program declares for the value, written out or implied; dims may be undecided. */
  readonly declared: Layout
  readonly where: string
  readonly phase: Phase
}

/**
 * A program as a list of operations in order: no declarations any more (they are pins on uses), nothing twice
 * (equal operations on equal operands are one), nothing that no output needs, except inputs.
 */
export interface Graph {
  readonly name: string
  readonly mesh: Mesh
  readonly nodes: readonly GraphNode[]
  /** The names of the dims of at most one position that a declared layout cuts. */
  readonly cutSingles: ReadonlySet<string>
  readonly outputs: readonly { readonly name: string; readonly use: Use; readonly declared: Layout }[]
  /** Parameters that have another value after a run: the number of the parameter's own node, and of its next value. */
  readonly changes: readonly { readonly parameter: number; readonly use: Use }[]
}

export const isInput = (node: GraphNode): boolean => node.op.role === 'input'

/** Makes the graph of a traced program: its operations in the order in which they were written. */
export const buildGraph = (traced: Traced): Graph => {
  const nodes: GraphNode[] = []
  const made = new Map<Node, Use>()
  const known = new Map<string, number>()
  const opNumbers = new Map<Op, number>()
  const numberOf = (op: Op): number => {
    if (!opNumbers.has(op)) opNumbers.set(op, opNumbers.size)
    return opNumbers.get(op)!
  }

  const results = [...traced.outputs.map(({ node }) => node), ...traced.changes.map(({ value }) => value)]
  const ordered = inOrder(traced.inputs, results)
  const around = largerOnes(ordered)

  const add = (node: Node): Use => {
    const larger = around(node)
    if (larger !== undefined) {
      const { where, phase, replay, layout } = node
      const whole = makeNode({ ...larger.node, where, layout })
      made.set(whole, add({ ...whole, phase, replay }))
      made.set(larger.node, made.get(whole)!)
      const part = makeNode({ ...larger.part, operands: [whole], shape: node.shape, layout, mesh: node.mesh, where })
      return add({ ...part, phase, replay })
    }
    const uses = node.operands.map((operand) => made.get(operand)!)
    if (node.op.role === 'declaration') return { value: uses[0]!.value, pin: { layout: node.layout, where: node.where } }
    const key = `${node.replay} ${numberOf(node.op)} ${printAttributes(node.attributes)} ${uses.map(printUse).join(' ')}`
    const value = known.get(key) ?? nodes.length
    if (value === nodes.length) {
      known.set(key, value)
      const { op, attributes, shape, layout: declared, where, phase } = node
      nodes.push({ op, attributes, operands: uses, shape, declared, where, phase })
    }
    return { value, pin: undefined }
  }
  const printUse = ({ value, pin }: Use): string =>
    pin === undefined ? `${value}` : `${value}[${printCuts(nodes[value]!.shape, pin.layout)}|${printPending(pin.layout.pending)}]`

  for (const node of ordered) if (!made.has(node)) made.set(node, add(node))
  return {
    name: traced.name,
    mesh: traced.mesh,
    nodes,
    cutSingles: cutSinglesOf(made.keys()),
    outputs: traced.outputs.map(({ name, node }) => ({ name, use: made.get(node)!, declared: node.layout })),
    changes: traced.changes.map(({ parameter, value }) => ({ parameter: made.get(parameter)!.value, use: made.get(value)! })),
  }
}

/** Inputs, then all that the results are made of, as it was written: operands come before what is made of them. */
const inOrder = (inputs: readonly Node[], results: readonly Node[]): readonly Node[] => {
  const needed = new Set(results)
  // The set grows while it is walked.
  for (const node of needed) for (const operand of node.operands) needed.add(operand)
  for (const node of inputs) needed.delete(node)
  return [...inputs, ...[...needed].sort((a, b) => a.serial - b.serial)]
}

/** Finds, for an operation, a later one that gives the same and more. */
const largerOnes = (nodes: readonly Node[]) => {
  const byOp = new Map<Op, Node[]>()
  for (const node of nodes) if (node.op.within !== undefined) byOp.set(node.op, [...byOp.get(node.op) ?? [], node])
  return ({ op, attributes, operands, shape }: Node) => {
    const within = op.within?.(shape, attributes)
    if (within === undefined) return undefined
    const wanted = printAttributes(within.attributes)
    const node = byOp.get(op)!.find((other) =>
      printAttributes(other.attributes) === wanted && other.operands.every((operand, i) => operand === operands[i])
    )
    return node === undefined ? undefined : { node, part: within.part }
  }
}

/** Numbers that differ must not look alike, whatever JSON makes of them. */
const printAttributes = (attributes: Attributes): string =>
  JSON.stringify(attributes, (_, value: unknown) => typeof value === 'number' ? numberToJson(value) : value)

const cutSinglesOf = (nodes: Iterable<Node>): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const { shape, layout } of nodes) {
    shape.dims.forEach(({ name, size }, i) => {
      if (size <= 1 && layout.cuts[i]!.length > 0 && !isUndecided(layout.cuts[i]!)) names.add(name)
    })
  }
  return names
}
