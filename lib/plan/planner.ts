import { type Layout, wholeLayout } from '../layout/layout.ts'
import { type Graph, isInput } from '../graph/graph.ts'
import { bytesIn, type Copies, copyPrices } from './copies.ts'
import { eliminate, type Factor } from './eliminate.ts'
import { keyOfChoices, priceTable } from './price-table.ts'
import { keyOf, statesOf } from './states.ts'
import { allows, onlyLive, strategiesOf, type Strategy } from './strategies.ts'

/** What the planner decided, and how sure it is. */
export interface Decision {
  /** How each node runs. */
  readonly strategies: readonly Strategy[]
  /** How the copies of each value come about. */
  readonly copies: readonly Copies[]
  /** The layout in which each output leaves. */
  readonly outputs: readonly Layout[]
  /** Bytes sent by all ranks together. */
  readonly bytes: number
  /** No legal plan sends less than this. */
  readonly bound: number
  /** What the program sends if each declared layout is taken literally; undefined where it leaves dims undecided. */
  readonly declaredBytes: number | undefined
  /** The most choices that met in one table of the solver. */
  readonly width: number
}

/** How large tables may become, in cells. */
export interface Limits {
  /** Those of one value; beyond, one more variable stands for the set of its copies. */
  readonly valueTable: number
  /** Those of the solver; beyond, it gives a bound and a good plan instead of the best one. */
  readonly table: number
}
const usual: Limits = { valueTable: 2 ** 20, table: 2 ** 24 }

/** Added where a choice is not the declared one, so that of equal plans the one closest to the program wins. */
const perDeviation = 2 ** -19

interface Chooser {
  readonly options: readonly Strategy[]
  readonly variable: number
}

/**
 * Chooses layouts for every op and copy so that the fewest bytes are sent, exactly, with a copy that several consumers
 * share counted once. Between two declared layouts it is free; it never repeats work on ranks that the declared program
 * shares.
 */
export const plan = (graph: Graph, limits: Limits = usual): Decision => {
  const { cheapest, pricer, printSizes } = copyPrices(graph)
  const free = freeValues(graph)
  const choosers: Chooser[] = []
  const sizes: number[] = []
  const variableOf = (count: number): number => sizes.push(count) - 1

  graph.nodes.forEach((node, value) => {
    const options = free[value] ? [wholeStrategy(graph, value)] : strategiesOf(graph, node)
    choosers.push({ options, variable: variableOf(options.length) })
  })
  const outputs = graph.outputs.map(({ use, declared }) => {
    const shape = graph.nodes[use.value]!.shape
    const wanted = onlyLive(use.pin?.layout ?? declared, graph.mesh)
    const options = statesOf(shape, graph, []).filter((state) => allows({ ...wanted, pending: [] }, state, false))
    const layouts = options.length > 0 ? options : [{ ...wanted, pending: [] }]
    return { value: use.value, layouts, variable: variableOf(layouts.length) }
  })

  const consumers = consumersOf(graph, choosers, outputs)
  const factors: Factor[] = []
  const tables = new Map<string, Float64Array>()
  // Factors that leave out sets of copies: they price what they choose rightly, but prove nothing.
  const restricted = new Set<Factor>()
  graph.nodes.forEach((node, value) => {
    const { options, variable } = choosers[value]!
    if (options.length > 1) {
      const wanted = keyOf(onlyLive(node.declared, graph.mesh))
      factors.push({ scope: [variable], costs: Float64Array.from(options, ({ result }) => keyOf(result) === wanted ? 0 : perDeviation) })
    }
    if (!free[value]) factors.push(...valueFactors(value))
  })

  function valueFactors(value: number): readonly Factor[] {
    const { shape } = graph.nodes[value]!
    const producer = choosers[value]!
    const uses = consumers[value]!
    if (uses.length === 0) return []
    const scope = [...new Set([producer.variable, ...uses.map(({ variable }) => variable)])]
    const size = scope.reduce((product, variable) => product * sizes[variable]!, 1)
    if (size > limits.valueTable) return copySetFactors(value)
    const choices = {
      sizes: scope.map((variable) => sizes[variable]!),
      makings: producer.options.map(({ result }) => result),
      uses: uses.map(({ variable, layouts }) => ({ place: scope.indexOf(variable), layouts })),
    }
    // Equal blocks have equal tables: one array serves them all.
    const key = `${printSizes(shape)}/${keyOfChoices(choices)}`
    const costs = tables.get(key) ?? priceTable(choices, pricer(shape, choices.makings, uses.map(({ layouts }) => layouts)))
    tables.set(key, costs)
    return [{ scope, costs }]
  }

  /** A value with many consumers: one more variable says which copies there are; each consumer needs one of them. */
  function copySetFactors(value: number): readonly Factor[] {
    const { shape } = graph.nodes[value]!
    const producer = choosers[value]!
    const uses = consumers[value]!
    const wanted = [...new Map(uses.flatMap(({ layouts }) => layouts.map((layout) => [keyOf(layout), layout] as const))).values()]
    const sets = subsets(wanted.length, limits.valueTable / producer.options.length)
    const variable = variableOf(sets.length)
    const made = Float64Array.from(
      { length: producer.options.length * sets.length },
      (_, cell) =>
        cheapest(shape, producer.options[Math.floor(cell / sets.length)]!.result, sets[cell % sets.length]!.map((i) => wanted[i]!)).cost,
    )
    const factor = { scope: [producer.variable, variable], costs: made }
    if (sets.length < 2 ** wanted.length) restricted.add(factor)
    return [
      factor,
      ...uses.map(({ variable: consumer, layouts }): Factor => ({
        scope: [variable, consumer],
        costs: Float64Array.from({ length: sets.length * layouts.length }, (_, cell) => {
          const key = keyOf(layouts[cell % layouts.length]!)
          return sets[Math.floor(cell / layouts.length)]!.some((i) => keyOf(wanted[i]!) === key) ? 0 : Infinity
        }),
      })),
    ]
  }

  const { values, cost, bound, width } = eliminate(sizes, factors, limits.table)
  const proven = restricted.size === 0
    ? bound
    : Math.min(bound, eliminate(sizes, factors.filter((factor) => !restricted.has(factor)), limits.table).bound)
  const strategies = choosers.map(({ options, variable }) => options[values[variable]!]!)
  const chosenOutputs = outputs.map(({ layouts, variable }) => layouts[values[variable]!]!)
  const copies = graph.nodes.map((node, value) =>
    cheapest(node.shape, strategies[value]!.result, consumers[value]!.map(({ variable, layouts }) => layouts[values[variable]!]!))
  )
  const bytes = copies.reduce((sum, { moves }) => sum + moves.reduce((total, move) => total + move.bytes, 0), 0)
  return {
    strategies,
    copies,
    outputs: chosenOutputs,
    width,
    bytes,
    bound: proven === cost ? bytes : Math.min(bytes, bytesIn(proven)),
    declaredBytes: declaredBytes(graph, cheapest),
  }
}

/** Who wants each value, and in which layout for each of its choices. */
interface Consumer {
  readonly variable: number
  readonly layouts: readonly Layout[]
}
const consumersOf = (
  graph: Graph,
  choosers: readonly Chooser[],
  outputs: readonly { readonly value: number; readonly layouts: readonly Layout[]; readonly variable: number }[],
): readonly (readonly Consumer[])[] => {
  const consumers: Consumer[][] = graph.nodes.map(() => [])
  graph.nodes.forEach((node, consumer) => {
    const { options, variable } = choosers[consumer]!
    node.operands.forEach(({ value }, operand) =>
      consumers[value]!.push({ variable, layouts: options.map(({ operands }) => operands[operand]!) })
    )
  })
  for (const { value, layouts, variable } of outputs) consumers[value]!.push({ variable, layouts })
  return consumers
}

/**
 * Values that are whole on every rank for nothing: whole inputs, and what is computed from such values alone where the
 * declared program shares no work. Every layout of them is a free slice, so no other choice can be cheaper.
 */
const freeValues = (graph: Graph): readonly boolean[] => {
  const free: boolean[] = []
  for (const node of graph.nodes) {
    const whole = (layout: Layout): boolean =>
      layout.pending.length === 0 && onlyLive(layout, graph.mesh).cuts.every((cut) => cut.length === 0)
    free.push(
      isInput(node)
        ? whole(node.declared)
        : node.operands.every(({ value, pin }) => free[value]! && (pin === undefined || whole(pin.layout))),
    )
  }
  return free
}

const wholeStrategy = (graph: Graph, value: number): Strategy => ({
  operands: graph.nodes[value]!.operands.map((use) => wholeLayout(graph.nodes[use.value]!.shape)),
  result: wholeLayout(graph.nodes[value]!.shape),
  shared: new Set(),
})

/** The subsets of `count` things, each as a list: all of them if there are at most `most`, else the smaller ones. */
const subsets = (count: number, most: number): readonly (readonly number[])[] => {
  const all: (readonly number[])[] = [[]]
  for (let layer = all; layer.length > 0 && (all.length <= 1 + count || all.length + layer.length * count <= most);) {
    layer = layer.flatMap((set) => Array.from({ length: count - 1 - (set.at(-1) ?? -1) }, (_, i) => [...set, (set.at(-1) ?? -1) + 1 + i]))
    all.push(...layer)
  }
  return all
}

/** The bytes of the program as declared: each op in its declared layouts, each declaration an exchange. */
const declaredBytes = (graph: Graph, cheapest: ReturnType<typeof copyPrices>['cheapest']): number | undefined => {
  const declaredOf = (value: number): Layout => onlyLive(graph.nodes[value]!.declared, graph.mesh)
  const undecided = graph.nodes.some(({ declared }) => declared.cuts.some((cut) => cut[0] === '?'))
  if (undecided) return undefined
  const wanted: Layout[][] = graph.nodes.map(() => [])
  for (const { operands } of graph.nodes) {
    for (const { value, pin } of operands) if (pin !== undefined) wanted[value]!.push(onlyLive(pin.layout, graph.mesh))
  }
  for (const { use, declared } of graph.outputs) {
    wanted[use.value]!.push({ ...onlyLive(use.pin?.layout ?? declared, graph.mesh), pending: [] })
  }
  let cost = 0
  wanted.forEach((layouts, value) => {
    cost += cheapest(graph.nodes[value]!.shape, declaredOf(value), layouts).cost
  })
  return Number.isFinite(cost) ? bytesIn(cost) : undefined
}
