import type { Mesh } from '../language/mesh.ts'
import { bytesTogether, type Held } from '../layout/transfer.ts'
import type { GraphNode } from '../graph/graph.ts'
import type { Strategy } from './strategies.ts'

/** What the planner makes as small as it can. */
export interface Pricing {
  /** Of one exchange, or of all those that bring a value once round an axis. */
  readonly exchange: (from: Held, to: Held) => number
  /** Of running an op in one way. */
  readonly work: (node: GraphNode, strategy: Strategy) => number
  /** A sum of prices without the small amounts that break ties. */
  readonly sum: (withTies: number) => number
}

/** The bytes that all ranks send together. Work costs nothing but what a result sends that goes round with its blocks. */
export const inBytes = ({ mesh }: { readonly mesh: Mesh }): Pricing => ({
  exchange: (from, to) => bytesTogether(from, to, mesh),
  work: (_, { bytes = 0 }) => bytes,
  // Ties are broken by less than half of a byte.
  sum: (withTies) => Math.floor(withTies + 2 ** -19),
})
