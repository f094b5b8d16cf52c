import type { Precision } from '../cluster/cluster.ts'
import { type Graph, isInput, type Use } from '../graph/graph.ts'
import { keyOf, type Layout, printCuts, printPending, printSpec, type Shape } from '../layout/layout.ts'
import { bytesSent } from '../layout/transfer.ts'
import { piecesAlong } from '../language/mesh.ts'
import type { Phase } from '../language/scope.ts'
import type { Compute, Move, PlanDeclaration, PlanPort, PlanValue, Step, Unsigned } from '../plan/plan.ts'
import type { Decision } from '../plan/planner.ts'
import { foldOf, roundOf } from '../plan/strategies.ts'
import { nameMove } from './name-move.ts'
import { reasonsIn } from './reason.ts'

/** What is to be told of a decision that was made for the least time. */
export interface Fastest {
  readonly cluster: string
  readonly precision: Precision
  /** No legal plan sends fewer bytes. */
  readonly bytesBound: number
}

/** Writes the planner's decision down as a plan: ops in order, and each change of layout just before its first use. */
export const lower = (graph: Graph, decision: Decision, fastest: Fastest | null = null): Unsigned => {
  const values: PlanValue[] = []
  const steps: Step[] = []
  /** The copies that exist: for each value of the graph, by layout. */
  const copies = graph.nodes.map(() => new Map<string, number>())
  const addValue = (shape: Shape, layout: Layout): number =>
    values.push({ spec: printSpec(shape, layout), pending: printPending(layout.pending), type: shape.type }) - 1
  const addCopy = (value: number, layout: Layout): number => {
    copies[value]!.set(keyOf(layout), values.length)
    return addValue(graph.nodes[value]!.shape, layout)
  }
  const counted = new Map<string, readonly number[]>()
  const move = (
    shape: Shape,
    before: Layout,
    after: Layout,
    told: Pick<Move, 'from' | 'to' | 'phase' | 'where' | 'declares' | 'why'>,
  ): void => {
    // Blocks are alike: most exchanges have been counted before.
    const key = [before, after].map((layout) => `${printSpec(shape, layout)}|${printPending(layout.pending)}`).join(' ')
    const bytes = counted.get(key) ?? bytesSent(shape, before, after, graph.mesh)
    counted.set(key, bytes)
    steps.push({ do: 'move', ...nameMove(shape, before, after, bytes.every((sent) => sent === 0)), ...told, bytes })
  }

  /** The copy of a value in a layout, made now if it isn't there. */
  const copyIn = (value: number, layout: Layout, why: string, use: Use, consumer: string, phase: Phase): number => {
    const existing = copies[value]!.get(keyOf(layout))
    if (existing !== undefined) return existing
    const { shape } = graph.nodes[value]!
    const { turn } = layout
    const before = turn === undefined
      ? decision.copies[value]!.moves.find(({ to }) => keyOf(to) === keyOf(layout))!.from
      : turned(layout, turn.axis, Number(turn.by) - 1)
    const from = copyIn(value, before, why, use, consumer, phase)
    const to = addCopy(value, layout)
    const declares = use.pin === undefined ? null : printCuts(shape, use.pin.layout)
    move(shape, before, layout, { from, to, phase, where: use.pin?.where ?? consumer, declares, why })
    return to
  }

  const reasonFor = reasonsIn(graph)
  const ports: PlanPort[] = []
  const reasonOf = (value: number, operand: number): string => {
    const wanted = decision.strategies[value]!.operands[operand]!
    return reasonFor(value, operand, decision.strategies[graph.nodes[value]!.operands[operand]!.value]!.result, wanted)
  }

  /**
   * Ops whose blocks go round one axis, together: those that want the same blocks share them while they are there. A rank's own
   * block comes last, so that a result that goes round with the blocks is complete when it has come home.
   */
  const lowerRing = (ring: readonly number[], axis: string): void => {
    const carries = new Map<number, { readonly value: number; readonly layout: Layout }>()
    const turns = piecesAlong(graph.mesh, [axis])
    for (let turn = 1; turn <= turns; turn++) {
      const place = { first: turn === 1, last: turn === turns }
      for (const value of ring) {
        const node = graph.nodes[value]!
        const { op, where, phase, attributes } = node
        const { operands, result } = decision.strategies[value]!
        const blocks = op.blocks!
        const shapes = node.operands.map((use) => graph.nodes[use.value]!.shape)
        const read = node.operands.map((use, i) => {
          const goes = operands[i]!.turn !== undefined
          const layout = goes ? turned(operands[i]!, axis, turn % turns) : operands[i]!
          return copyIn(use.value, layout, goes ? `${op.name} meets each piece in turn` : reasonOf(value, i), use, where, phase)
        })
        const shape = place.last ? node.shape : blocks.carry(shapes, node.shape, attributes)
        const layout = blocks.travels ? turned(result, axis, turn % turns) : result
        const carry = carries.get(value)
        if (carry !== undefined && blocks.travels) {
          const to = addValue(shape, layout)
          move(shape, carry.layout, layout, { from: carry.value, to, phase, where, declares: null, why: 'each rank adds its share' })
          read.push(to)
        } else if (carry !== undefined) read.push(carry.value)
        const made = place.last ? addCopy(value, layout) : addValue(shape, layout)
        const template = blocks.kernel(shapes, node.shape, attributes, place)
        steps.push({ do: 'compute', phase, op: op.name, where, operands: read, result: made, template })
        carries.set(value, { value: made, layout })
      }
    }
    // What has gone round is not kept for another round.
    for (const made of copies) for (const key of made.keys()) if (key.includes('>')) made.delete(key)
  }

  const lowered = new Set<number>()
  graph.nodes.forEach((node, value) => {
    if (lowered.has(value)) return
    const strategy = decision.strategies[value]!
    if (strategy.ring !== undefined) {
      const ring = ringFrom(graph, decision, value)
      for (const met of ring) lowered.add(met)
      return lowerRing(ring, strategy.ring)
    }
    if (isInput(node)) {
      const made = addCopy(value, strategy.result)
      const port = portOf(String(node.attributes['name']), node.attributes['parameter'] === true, node.shape, values, made)
      ports.push(node.attributes['trained'] === false ? { ...port, trained: false } : port)
      return
    }
    const operands = node.operands.map((use, operand) =>
      copyIn(use.value, strategy.operands[operand]!, reasonOf(value, operand), use, node.where, node.phase)
    )
    const shapes = node.operands.map((use) => graph.nodes[use.value]!.shape)
    const template = node.op.kernel(shapes, node.shape, node.attributes)
    steps.push(
      {
        do: 'compute',
        phase: node.phase,
        op: node.op.name,
        where: node.where,
        operands,
        result: addCopy(value, strategy.result),
        template,
      } satisfies Compute,
    )
  })
  const outputs = graph.outputs.map(({ name, use }, i) => {
    const { where, phase } = graph.nodes[use.value]!
    const made = copyIn(use.value, decision.outputs[i]!, `output '${name}' is declared so`, use, where, phase)
    return portOf(name, false, graph.nodes[use.value]!.shape, values, made)
  })
  const changes = graph.changes.map(({ parameter, use }) => {
    const name = String(graph.nodes[parameter]!.attributes['name'])
    const { where, phase } = graph.nodes[use.value]!
    const layout = decision.strategies[parameter]!.result
    return { parameter: name, value: copyIn(use.value, layout, 'the parameter lies so', use, where, phase) }
  })
  const { bytes, declaredBytes, width } = decision
  const bound = fastest?.bytesBound ?? decision.bound
  const time = fastest === null
    ? null
    : { cluster: fastest.cluster, precision: fastest.precision, seconds: decision.cost / 1e6, bound: decision.bound / 1e6 }
  return {
    format: 'shardwise-plan',
    version: 4,
    program: graph.name,
    mesh: graph.mesh.text,
    ranks: graph.mesh.ranks,
    values,
    inputs: ports,
    outputs,
    changes,
    steps,
    declarations: declarationsOf(graph),
    certificate: {
      bytes,
      bound,
      minimal: bytes === bound,
      declaredBytes: declaredBytes ?? null,
      fastest: time,
      method: 'variable elimination',
      width,
    },
  }
}

/** A layout whose pieces have made so many turns; after none they lie where they belong. */
const turned = ({ cuts, pending }: Layout, axis: string, by: number): Layout =>
  by === 0 ? { cuts, pending } : { cuts, pending, turn: { axis, by } }

/** The nodes from one on whose blocks go round the same axis in the same round; others of the round need not go round. */
const ringFrom = (graph: Graph, { strategies }: Decision, first: number): readonly number[] => {
  const round = roundOf(graph, first)
  const ring: number[] = []
  for (let value = first; value < graph.nodes.length && foldOf(graph, graph.nodes[value]!) !== undefined; value++) {
    if (roundOf(graph, value) !== round) break
    if (strategies[value]!.ring === strategies[first]!.ring) ring.push(value)
  }
  return ring
}

/** The program's declarations, each once, in the order of their first use. */
const declarationsOf = (graph: Graph): readonly PlanDeclaration[] => {
  const results = [...graph.outputs, ...graph.changes].map(({ use }) => use)
  const uses = [...graph.nodes.flatMap(({ operands }) => operands), ...results]
  const found = uses.flatMap(({ value, pin }) =>
    pin === undefined ? [] : [{ where: pin.where, layout: printCuts(graph.nodes[value]!.shape, pin.layout) }]
  )
  return [...new Map(found.map((one) => [`${one.where} ${one.layout}`, one])).values()]
}

const portOf = (name: string, parameter: boolean, shape: Shape, values: readonly PlanValue[], value: number): PlanPort => ({
  name,
  parameter,
  type: shape.type,
  dims: shape.dims.map((dim) => dim.name),
  sizes: shape.dims.map((dim) => dim.size),
  spec: values[value]!.spec,
  value,
})
