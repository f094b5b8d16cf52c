import type { Graph, GraphNode } from '../graph/graph.ts'
import type { Layout } from '../layout/layout.ts'

/** Why an op reads an operand in another layout than the one it was made in: for reports. */
export type Reasons = (consumer: number, operand: number, made: Layout, wanted: Layout) => string

/** Prepares to give reasons for a graph. */
export const reasonsIn = (graph: Graph): Reasons => {
  const readers: { readonly node: number; readonly operand: number }[][] = graph.nodes.map(() => [])
  graph.nodes.forEach(({ operands }, node) => operands.forEach(({ value }, operand) => readers[value]!.push({ node, operand })))

  /** The nearest op at or after a use of a value that needs one of its dims whole; dims are followed by name through maps. */
  const blocking = (consumer: number, operand: number, dims: readonly string[]): string | undefined => {
    const seen = new Set<string>()
    let front = dims.map((dim) => ({ node: consumer, operand, dim }))
    while (front.length > 0) {
      const next: typeof front = []
      for (const { node, operand, dim } of front) {
        const key = `${node} ${operand} ${dim}`
        if (seen.has(key)) continue
        seen.add(key)
        for (const crossing of crossingsOf(graph, graph.nodes[node]!)) {
          if (crossing.operands[operand] !== dim) continue
          if (crossing.kind === 'whole' || (crossing.kind === 'fold' && crossing.ring === undefined)) {
            return `${graph.nodes[node]!.op.name} needs ${dim} whole`
          }
          const { result } = crossing
          if (result !== null) next.push(...readers[node]!.map((reader) => ({ ...reader, dim: result })))
        }
      }
      front = next
    }
    return undefined
  }

  return (consumer, operand, made, wanted) => {
    const node = graph.nodes[consumer]!
    const { value, pin } = node.operands[operand]!
    const { shape } = graph.nodes[value]!
    const finished = made.pending.find(({ axis }) => !wanted.pending.some((pending) => pending.axis === axis))
    if (finished !== undefined) return `${node.op.name} needs the ${finished.combine} complete`
    const freed = shape.dims.filter((_, i) => made.cuts[i]!.some((axis) => !wanted.cuts[i]!.includes(axis))).map(({ name }) => name)
    return blocking(consumer, operand, freed) ?? (pin === undefined ? `${node.op.name} goes on in this layout` : 'declared here')
  }
}

const crossingsOf = (graph: Graph, node: GraphNode) =>
  node.op.crossings(node.operands.map(({ value }) => graph.nodes[value]!.shape), node.shape, node.attributes)
