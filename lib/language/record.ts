import type { Attributes, Op } from '../op.ts'
import { cross } from '../layout/cross.ts'
import { type Layout, printPending, printSpec, type Shape, wholeLayout } from '../layout/layout.ts'
import { type Mesh, noMesh } from './mesh.ts'
import { atLine, Refusal } from './refusal.ts'
import { type Phase, type Region, scope } from './scope.ts'
import type { AnyTensor } from './tensor.ts'

/** One operation of a program, as it was written: what the trace leaves behind. */
export interface Node {
  readonly op: Op
  readonly attributes: Attributes
  readonly operands: readonly Node[]
  readonly shape: Shape
  /** The layout that the program declares for the result, written out or implied. */
  readonly layout: Layout
  /** Unknown for constants that have not met anything yet. */
  readonly mesh: Mesh | undefined
  /** The source line. */
  readonly where: string
  /** Nodes are numbered as they are recorded. */
  readonly serial: number
  readonly phase: Phase
  readonly region: Region | undefined
  readonly replay: number
  /** Where the program says the gradient itself: of what, and how. */
  readonly pullback?: Pullback
}

/** The gradients of some nodes, given that of the node that says so. */
export interface Pullback {
  readonly of: readonly Node[]
  readonly gradients: (
    given: { readonly cotangent: AnyTensor; readonly inputs: readonly AnyTensor[]; readonly output: AnyTensor },
  ) => readonly (AnyTensor | undefined)[]
}

// Of the global registry, so that tensors of another copy of this module are known too (see isRefusal).
const node: unique symbol = Symbol.for('shardwise node')

/** A tensor of a program being traced: its spec, and the node behind it. */
class Symbolic implements AnyTensor {
  readonly [node]: Node
  constructor(of: Node) {
    this[node] = of
  }
  get spec(): string {
    return printSpec(this[node].shape, this[node].layout)
  }
  get pending(): string {
    return printPending(this[node].layout.pending)
  }
  get mesh(): string {
    return this[node].mesh?.text ?? ''
  }
  get type(): AnyTensor['type'] {
    return this[node].shape.type
  }
}

export const isSymbolic = (value: unknown): value is Symbolic => typeof value === 'object' && value !== null && node in value

export const nodeOf = (tensor: AnyTensor): Node => {
  if (isSymbolic(tensor)) return tensor[node]
  throw new Refusal('a tensor was expected; ops take the tensors that a program body receives, or results of other ops')
}

export const tensorOf = (of: Node): AnyTensor => new Symbolic(of)

let recorded = 0

/** A node of the present scope. */
export const makeNode = (of: Omit<Node, 'serial' | 'phase' | 'region' | 'replay'>): Node => {
  const { phase, region, replay } = scope()
  return { ...of, serial: recorded++, phase, region, replay }
}

/**
 * Adds an operation to the program. Shapes and declared layouts are checked here, by the op's own declaration; what
 * the types refused is refused again with the same words, and what they could not know is checked for the first time.
 */
export const record = <A extends Attributes>(
  op: Op<A>,
  attributes: A,
  operands: readonly AnyTensor[],
  where: string,
  declare?: (shape: Shape, layout: Layout, mesh: Mesh | undefined) => Layout,
): AnyTensor => {
  const nodes = operands.map(nodeOf)
  const mesh = nodes.find((operand) => operand.mesh !== undefined)?.mesh
  return atLine(where, () => {
    const shapes = nodes.map((operand) => operand.shape)
    const shape = op.shape(shapes, attributes)
    const crossed = declare !== undefined ? declare(shape, nodes[0]?.layout ?? wholeLayout(shape), mesh) : cross(
      { name: op.name, crossings: op.crossings(shapes, shape, attributes), linear: op.linear, sides: op.sides?.(attributes) },
      nodes,
      shape,
      mesh ?? noMesh,
    )
    if (typeof crossed === 'string') throw new Refusal(crossed)
    return new Symbolic(makeNode({ op, attributes, operands: nodes, shape, layout: crossed, mesh, where }))
  })
}
