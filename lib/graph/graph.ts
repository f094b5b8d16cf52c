import type { Attributes, Op } from '../op.ts'
import { isUndecided, type Layout, printCuts, printPending, type Shape } from '../layout/layout.ts'
import type { Node } from '../language/record.ts'
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
}

export const isInput = (node: GraphNode): boolean => node.op.role === 'input'

/** Makes the graph of a traced program. Iterative: depth is not limited by the stack. */
export const buildGraph = (traced: Traced): Graph => {
  const nodes: GraphNode[] = []
  const made = new Map<Node, Use>()
  const known = new Map<string, number>()
  const opNumbers = new Map<Op, number>()
  const numberOf = (op: Op): number => {
    if (!opNumbers.has(op)) opNumbers.set(op, opNumbers.size)
    return opNumbers.get(op)!
  }

  const add = (node: Node): Use => {
    const uses = node.operands.map((operand) => made.get(operand)!)
    if (node.op.role === 'declaration') return { value: uses[0]!.value, pin: { layout: node.layout, where: node.where } }
    const key = `${numberOf(node.op)} ${JSON.stringify(node.attributes)} ${uses.map(printUse).join(' ')}`
    const value = known.get(key) ?? nodes.length
    if (value === nodes.length) {
      known.set(key, value)
      nodes.push({ op: node.op, attributes: node.attributes, operands: uses, shape: node.shape, declared: node.layout, where: node.where })
    }
    return { value, pin: undefined }
  }
  const printUse = ({ value, pin }: Use): string =>
    pin === undefined ? `${value}` : `${value}[${printCuts(nodes[value]!.shape, pin.layout)}|${printPending(pin.layout.pending)}]`

  const walk = (root: Node): Use => {
    const stack = [root]
    while (stack.length > 0) {
      const node = stack.at(-1)!
      const waiting = made.has(node) ? [] : node.operands.filter((operand) => !made.has(operand))
      if (waiting.length > 0) stack.push(...waiting.reverse())
      else {
        stack.pop()
        if (!made.has(node)) made.set(node, add(node))
      }
    }
    return made.get(root)!
  }

  for (const node of traced.inputs) walk(node)
  const outputs = traced.outputs.map(({ name, node }) => ({ name, use: walk(node), declared: node.layout }))
  return { name: traced.name, mesh: traced.mesh, nodes, cutSingles: cutSinglesOf(made.keys()), outputs }
}

const cutSinglesOf = (nodes: Iterable<Node>): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const { shape, layout } of nodes) {
    shape.dims.forEach(({ name, size }, i) => {
      if (size <= 1 && layout.cuts[i]!.length > 0 && !isUndecided(layout.cuts[i]!)) names.add(name)
    })
  }
  return names
}
