import { type Graph, isInput, type Use } from '../graph/graph.ts'
import { type Layout, printCuts, printPending, printSpec, type Shape } from '../layout/layout.ts'
import { bytesSent } from '../layout/transfer.ts'
import type { Phase } from '../language/scope.ts'
import type { Compute, Move, PlanDeclaration, PlanPort, PlanValue, Step, Unsigned } from '../plan/plan.ts'
import type { Decision } from '../plan/planner.ts'
import { keyOf } from '../plan/states.ts'
import { nameMove } from './name-move.ts'
import { reasonsIn } from './reason.ts'

/** Writes the planner's decision down as a plan: ops in order, and each change of layout just before its first use. */
export const lower = (graph: Graph, decision: Decision): Unsigned => {
  const values: PlanValue[] = []
  const steps: Step[] = []
  /** The copies that exist: for each value of the graph, by layout. */
  const copies = graph.nodes.map(() => new Map<string, number>())
  const addCopy = (value: number, layout: Layout): number => {
    const { shape } = graph.nodes[value]!
    copies[value]!.set(keyOf(layout), values.length)
    return values.push({ spec: printSpec(shape, layout), pending: printPending(layout.pending), type: shape.type }) - 1
  }

  /** The copy of a value in a layout, made now if it isn't there. */
  const copyIn = (value: number, layout: Layout, why: string, use: Use, consumer: string, phase: Phase): number => {
    const existing = copies[value]!.get(keyOf(layout))
    if (existing !== undefined) return existing
    const { shape } = graph.nodes[value]!
    const move = decision.copies[value]!.moves.find(({ to }) => keyOf(to) === keyOf(layout))!
    const from = copyIn(value, move.from, why, use, consumer, phase)
    const bytes = bytesSent(shape, move.from, layout, graph.mesh)
    const to = addCopy(value, layout)
    const told = { where: use.pin?.where ?? consumer, declares: use.pin === undefined ? null : printCuts(shape, use.pin.layout), why }
    steps.push({ do: 'move', phase, ...nameMove(shape, move.from, layout, move.bytes === 0), ...told, from, to, bytes } satisfies Move)
    return to
  }

  const reasonFor = reasonsIn(graph)
  const ports: PlanPort[] = []
  graph.nodes.forEach((node, value) => {
    const strategy = decision.strategies[value]!
    if (isInput(node)) {
      const made = addCopy(value, strategy.result)
      ports.push(portOf(String(node.attributes['name']), node.attributes['parameter'] === true, node.shape, values, made))
      return
    }
    const operands = node.operands.map((use, operand) =>
      copyIn(
        use.value,
        strategy.operands[operand]!,
        reasonFor(value, operand, decision.strategies[use.value]!.result, strategy.operands[operand]!),
        use,
        node.where,
        node.phase,
      )
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
  const { bytes, bound, declaredBytes, width } = decision
  return {
    format: 'shardwise-plan',
    version: 2,
    program: graph.name,
    mesh: graph.mesh.text,
    ranks: graph.mesh.ranks,
    values,
    inputs: ports,
    outputs,
    changes,
    steps,
    declarations: declarationsOf(graph),
    certificate: { bytes, bound, minimal: bytes === bound, declaredBytes: declaredBytes ?? null, method: 'variable elimination', width },
  }
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
