import { divides } from '../layout/cross.ts'
import { bytesTogether, heldIn } from '../layout/transfer.ts'
import { type Dim, isUndecided, type Layout, type Pending, positionOf, type Shape } from '../layout/layout.ts'
import { type Graph, type GraphNode, isInput, type Use } from '../graph/graph.ts'
import type { Mesh } from '../language/mesh.ts'
import type { Crossing } from '../op.ts'
import { assignments, canCut, liveAxes, statesOf } from './states.ts'

/** One way of running an op: the layouts in which it reads its operands and the one in which it leaves its result. */
export interface Strategy {
  readonly operands: readonly Layout[]
  readonly result: Layout
  /** The axes whose ranks share the work. */
  readonly shared: ReadonlySet<string>
  /** The axis that blocks of operands go round, where they do. */
  readonly ring?: string
  /** Bytes that all ranks send of a result that goes round with the blocks. */
  readonly bytes?: number
}

/** Whether a layout is one that the declared one allows: `?` allows anything. */
export const allows = (declared: Layout, layout: Layout, free: boolean): boolean =>
  declared.cuts.every((cut, i) => isUndecided(cut) || matches(cut, layout.cuts[i]!, free)) && samePending(declared.pending, layout.pending)

/** With `free`, a further cut is allowed too: slicing a copy costs nothing and shows the same values. */
const matches = (declared: readonly string[], cut: readonly string[], free: boolean): boolean =>
  declared.every((axis, i) => cut[i] === axis) && (free || cut.length === declared.length)

const samePending = (a: readonly Pending[], b: readonly Pending[]): boolean =>
  a.length === b.length && a.every(({ axis, combine }) => b.some((other) => other.axis === axis && other.combine === combine))

/** Declared layouts speak of axes of one rank too; plans don't. */
export const onlyLive = (layout: Layout, mesh: Mesh): Layout => {
  const live = liveAxes(mesh)
  return {
    cuts: layout.cuts.map((cut) => isUndecided(cut) ? cut : cut.filter((axis) => live.includes(axis))),
    pending: layout.pending.filter(({ axis }) => live.includes(axis)),
  }
}

/**
 * Every legal way of running each op. A strategy must share the work over at least the axes over which the declared
 * program shares it (all axes, where the program leaves a dim to the planner): the plan never buys bytes with work that
 * every rank repeats, nor with memory. Where no strategy can, those that share the most remain.
 */
export const strategiesOf = (graph: Graph, node: GraphNode): readonly Strategy[] => {
  const { mesh } = graph
  const shapes = node.operands.map(({ value }) => graph.nodes[value]!.shape)
  if (isInput(node)) {
    const declared = onlyLive(node.declared, mesh)
    return statesOf(node.shape, graph, []).filter((state) => allows(declared, state, false)).map((result) => ({
      operands: [],
      result,
      shared: new Set(),
    }))
  }
  const crossings = node.op.crossings(shapes, node.shape, node.attributes)
  const declared = node.operands.map((use) => onlyLive(use.pin?.layout ?? graph.nodes[use.value]!.declared, mesh))
  const legal = legalStrategies(graph, node, shapes, crossings)
    .filter((strategy) => node.operands.every((use, i) => pinAllows(use, strategy.operands[i]!, mesh)))
  const required = requiredAxes(crossings, shapes, declared, mesh)
  const most = legal.reduce((count, { shared }) => Math.max(count, common(shared, required)), 0)
  return legal.filter(({ shared }) => common(shared, required) === most)
}

const common = (shared: ReadonlySet<string>, required: ReadonlySet<string>): number =>
  [...required].filter((axis) => shared.has(axis)).length
const pinAllows = (use: Use, layout: Layout, mesh: Mesh): boolean =>
  use.pin === undefined || allows(onlyLive(use.pin.layout, mesh), layout, true)

/** The axes over which the declared program shares the op's work. */
const requiredAxes = (
  crossings: readonly Crossing[],
  shapes: readonly Shape[],
  declared: readonly Layout[],
  mesh: Mesh,
): ReadonlySet<string> => {
  const axes = new Set<string>()
  for (const crossing of crossings) {
    crossing.operands.forEach((dim, operand) => {
      if (dim === null) return
      const cut = declared[operand]!.cuts[positionOf(shapes[operand]!, dim)]!
      for (const axis of isUndecided(cut) ? liveAxes(mesh) : cut) axes.add(axis)
    })
  }
  return axes
}

const legalStrategies = (
  graph: Graph,
  node: GraphNode,
  shapes: readonly Shape[],
  crossings: readonly Crossing[],
): readonly Strategy[] => {
  const together = togetherStrategies(graph, node, shapes, crossings)
  const fold = foldAmong(crossings)
  if (fold === undefined) return together
  const axes = liveAxes(graph.mesh).filter((axis) => fold.ring === undefined || axis === fold.ring)
  const round = roundOf(graph, graph.nodes.indexOf(node))
  const rings = together.flatMap((strategy) => axes.flatMap((axis) => roundRing(graph, node, shapes, fold, strategy, axis, round) ?? []))
  // A ring that the program declares is the only way, unless its axis has one rank or the dim is too short to be cut.
  return fold.ring === undefined ? [...together, ...rings] : rings.length > 0 ? rings : together
}

const foldAmong = (crossings: readonly Crossing[]): Crossing | undefined => crossings.find(({ kind }) => kind === 'fold')

/** How a node folds over blocks, if it does. */
export const foldOf = (graph: Graph, { op, operands, shape, attributes }: GraphNode): Crossing | undefined =>
  op.blocks && foldAmong(op.crossings(operands.map(({ value }) => graph.nodes[value]!.shape), shape, attributes))

/**
 * The round in which a node's blocks go, named by its first node: nodes without a gap that fold and don't wait for one another
 * meet the blocks together.
 */
export const roundOf = (graph: Graph, value: number): number => {
  const { ring } = foldOf(graph, graph.nodes[value]!) ?? {}
  let first = value
  let least = Math.max(...graph.nodes[value]!.operands.map((use) => use.value))
  for (let before = value - 1; before > least; before--) {
    const node = graph.nodes[before]!
    const fold = foldOf(graph, node)
    if (fold === undefined || fold.ring !== ring) break
    least = Math.max(least, ...node.operands.map((use) => use.value))
    first = before
  }
  return first
}

/** A layout with one dim cut over an axis and going round it. */
export const goingRound = (layout: Layout, at: number, axis: string, round: number): Layout => ({
  ...layout,
  cuts: layout.cuts.map((cut, i) => i === at ? [axis] : cut),
  turn: { axis, by: 'all', round },
})

/**
 * The same with the fold's blocks cut over an axis and going round it, where that axis cuts the work in another way: by a dim
 * of the operands that stay.
 */
const roundRing = (
  graph: Graph,
  node: GraphNode,
  shapes: readonly Shape[],
  fold: Crossing,
  strategy: Strategy,
  axis: string,
  round: number,
): Strategy | undefined => {
  const cutBy = ({ cuts }: Layout): boolean => cuts.some((cut) => cut.includes(axis))
  const goes = (operand: number): boolean => fold.operands[operand] !== null
  const at = (operand: number): number => positionOf(shapes[operand]!, fold.operands[operand]!)
  const shared = strategy.operands.some((layout, operand) => !goes(operand) && cutBy(layout))
  const ready = strategy.operands.every((layout, operand) =>
    !goes(operand) || (!cutBy(layout) && canCut(shapes[operand]!.dims[at(operand)]!, graph))
  )
  if (!shared || !ready) return undefined
  const operands = strategy.operands.map((layout, operand) => goes(operand) ? goingRound(layout, at(operand), axis, round) : layout)
  if (fold.result === null) return { ...strategy, operands, ring: axis }
  const home = positionOf(node.shape, fold.result)
  const result: Layout = {
    cuts: strategy.result.cuts.map((cut, i) => i === home ? [axis] : cut),
    pending: strategy.result.pending.filter((pending) => pending.axis !== axis),
  }
  return {
    ...strategy,
    operands,
    result,
    ring: axis,
    bytes: node.op.blocks?.travels === true ? bytesRound(graph, node.shape, result, axis) : 0,
  }
}

/** What all ranks send when a value goes once round an axis that cuts it. */
export const bytesRound = ({ mesh }: Graph, shape: Shape, layout: Layout, axis: string): number =>
  bytesTogether(heldIn(shape, layout, mesh), heldIn(shape, { ...layout, turn: { axis, by: 'all' } }, mesh), mesh)

/** Every legal way without a ring. */
const togetherStrategies = (
  graph: Graph,
  node: GraphNode,
  shapes: readonly Shape[],
  crossings: readonly Crossing[],
): readonly Strategy[] => {
  const { mesh } = graph
  const dimIn = (shape: Shape, name: string): Dim => shape.dims[positionOf(shape, name)]!
  const open = crossings.filter(({ kind, operands, result }) =>
    kind !== 'whole' && kind !== 'fold' &&
    operands.every((name, operand) => name === null || canCut(dimIn(shapes[operand]!, name), graph)) &&
    (result === null || canCut(dimIn(node.shape, result), graph))
  )
  return assignments(liveAxes(mesh), open.length + node.op.linear.length).flatMap((places) => {
    const cuts = places.slice(0, open.length)
    const pendings = places.slice(open.length)
    if (open.some(({ divisor }, i) => divisor !== undefined && !divides(mesh, cuts[i]!, divisor))) return []
    // The order of axes that are pending together means nothing: keep one.
    if (pendings.some((axes) => axes.some((axis, i) => i > 0 && liveAxes(mesh).indexOf(axes[i - 1]!) > liveAxes(mesh).indexOf(axis)))) {
      return []
    }
    const cutOfDim = (name: string | null, side: (crossing: Crossing) => string | null): readonly string[] =>
      cuts[open.findIndex((crossing) => side(crossing) === name)] ?? []
    const pendingSums = (set: (set: readonly number[]) => boolean): readonly Pending[] =>
      node.op.linear.flatMap((operands, i) => set(operands) ? pendings[i]!.map((axis): Pending => ({ axis, combine: 'sum' })) : [])
    const operands = shapes.map((shape, operand): Layout => ({
      cuts: shape.dims.map(({ name }) => cutOfDim(name, (crossing) => crossing.operands[operand] ?? null)),
      pending: pendingSums((set) => set.includes(operand)),
    }))
    const folded = open.flatMap((crossing, i) =>
      crossing.kind === 'map' || crossing.kind === 'whole' || crossing.result !== null
        ? []
        : cuts[i]!.map((axis): Pending => ({ axis, combine: crossing.kind as Pending['combine'] }))
    )
    const result: Layout = {
      cuts: node.shape.dims.map(({ name }) => cutOfDim(name, (crossing) => crossing.result)),
      pending: [...pendingSums(() => true), ...folded].sort((a, b) => liveAxes(mesh).indexOf(a.axis) - liveAxes(mesh).indexOf(b.axis)),
    }
    return [{ operands, result, shared: new Set(cuts.flat()) }]
  })
}
