import { isUndecided, keyOf, type Layout, positionOf, type Shape, sizeOf, wholeLayout } from '../layout/layout.ts'
import type { Graph } from '../graph/graph.ts'
import { type Copies, type CopyPrices, copyPrices } from './copies.ts'
import { eliminate, type Factor } from './eliminate.ts'
import { inBytes, type Pricing } from './pricing.ts'
import { liveAxes, statesOf } from './states.ts'
import { allows, bytesRound, foldOf, goingRound, onlyLive, roundOf, strategiesOf, type Strategy } from './strategies.ts'
import { type Chosen, type Priced, valueFactors } from './value-factors.ts'

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
  /** What the planner made as small as it could: those bytes, or microseconds. */
  readonly cost: number
  /** No legal plan costs less than this. */
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
/** Where a good plan is known already, and the question is whether there is a better one. */
const settledLimits: Limits = { valueTable: 2 ** 14, table: 2 ** 16 }

/** Added where a choice is not the declared one, so that of equal plans the one closest to the program wins. */
const perDeviation = 2 ** -19

interface Chooser {
  readonly options: readonly Strategy[]
  readonly variable: number
}

/**
 * Chooses layouts for every op and copy so that the fewest bytes are sent (or what else the pricing counts is least), exactly,
 * with a copy that several consumers share counted once. Between two declared layouts it is free; it never repeats work on ranks
 * that the declared program shares.
 */
export const plan = (graph: Graph, limits: Limits = usual, pricing: Pricing = inBytes(graph)): Decision => {
  const free = freeAxesOf(graph)
  const settled = settledAxes(graph)
  // A program without gradients is small enough to be solved as it is.
  const trains = graph.nodes.some(({ phase }) => phase === 'backward')
  if (!trains || liveAxes(graph.mesh).length < 2 || settled.size === 0) return attempt(graph, free, limits, pricing, () => true)
  const near = attempt(
    graph,
    free,
    limits,
    pricing,
    (value, layout) =>
      keepsSettled(settled, graph.nodes[value]!.shape, layout) && [...free[value]!].every((axis) => !layout.cuts.flat().includes(axis)),
  )
  const full = attempt(graph, free, settledLimits, pricing, () => true)
  const best = near.cost <= full.cost ? near : full
  return { ...best, bound: Math.min(best.cost, full.bound), width: Math.max(near.width, full.width) }
}

/** The best plan among those whose layouts are all allowed. */
const attempt = (
  graph: Graph,
  freeAxes: readonly ReadonlySet<string>[],
  limits: Limits,
  pricing: Pricing,
  allowed: (value: number, made: Layout) => boolean,
): Decision => {
  const prices = copyPrices(graph, pricing.exchange)
  const { cheapest } = prices
  // A value that is whole over all axes for nothing stays so: every layout of it is a free slice, so no other choice can be cheaper.
  const free = freeAxes.map((axes) => axes.size === liveAxes(graph.mesh).length)
  const choosers: Chooser[] = []
  const sizes: number[] = []
  const variableOf = (count: number): number => sizes.push(count) - 1

  graph.nodes.forEach((node, value) => {
    // What is whole everywhere for nothing is never pending, nor does it go round a ring unless the program says so.
    const declaresRing = foldOf(graph, node)?.ring !== undefined
    const all = free[value]
      ? [wholeStrategy(graph, value)]
      : strategiesOf(graph, node).filter(({ operands }) =>
        operands.every(({ pending, turn }, i) =>
          !free[node.operands[i]!.value]! || (pending.length === 0 && (turn === undefined || declaresRing))
        )
      )
    const near = node.phase === 'update' ? all.filter(asDeclared(graph, node)) : all.filter(({ result }) => allowed(value, result))
    const options = near.length > 0 ? near : all
    choosers.push({ options, variable: variableOf(options.length) })
  })
  const outputs = graph.outputs.map(({ use, declared }) => {
    const shape = graph.nodes[use.value]!.shape
    const wanted = onlyLive(use.pin?.layout ?? declared, graph.mesh)
    const layouts = statesOf(shape, graph, []).filter((state) => allows({ ...wanted, pending: [] }, state, false))
    return { value: use.value, layouts, variable: variableOf(layouts.length) }
  })

  // A parameter's next value is wanted just where the parameter lies.
  const changes = graph.changes.map(({ parameter, use }) => {
    const { options, variable } = choosers[parameter]!
    return { value: use.value, layouts: options.map(({ result }) => result), variable }
  })

  const consumers = consumersOf(graph, choosers, [...outputs, ...changes])
  const factorsOf = valueFactors(prices, sizes, limits.valueTable)
  const preferences: Factor[] = []
  const priced: Priced[] = []
  graph.nodes.forEach((node, value) => {
    const { options, variable } = choosers[value]!
    const layouts = options.map(({ result }) => result)
    const wanted = keyOf(onlyLive(node.declared, graph.mesh))
    const costs = Float64Array.from(
      options,
      (strategy) => pricing.work(node, strategy) + (options.length === 1 || keyOf(strategy.result) === wanted ? 0 : perDeviation),
    )
    preferences.push({ scope: [variable], costs })
    // Slices of what is whole cost nothing, but going round does.
    const goesRound = consumers[value]!.some(({ layouts }) => layouts.some(({ turn }) => turn !== undefined))
    if (!free[value] || goesRound) priced.push(factorsOf(node.shape, { variable, layouts }, consumers[value]!))
  })

  /** What a choice comes to. */
  const decide = (values: readonly number[]) => {
    const strategies = choosers.map(({ options, variable }) => options[values[variable]!]!)
    const copies = graph.nodes.map((node, value) =>
      cheapest(node.shape, strategies[value]!.result, consumers[value]!.map(({ variable, layouts }) => layouts[values[variable]!]!))
    )
    const costs = copies.reduce((sum, { cost }) => sum + cost, 0) +
      strategies.reduce((sum, strategy, value) => sum + pricing.work(graph.nodes[value]!, strategy), 0)
    return {
      strategies,
      copies,
      cost: pricing.sum(costs),
      outputs: outputs.map(({ layouts, variable }) => layouts[values[variable]!]!),
      bytes: copies.reduce((sum, { moves }) => sum + moves.reduce((total, move) => total + move.bytes, 0), 0) +
        strategies.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    }
  }

  const relaxed = eliminate(sizes, [...preferences, ...priced.flatMap(({ below }) => below)], limits.table)
  const first = decide(relaxed.values)
  const bound = Math.min(first.cost, pricing.sum(relaxed.bound))
  let best = first
  if (bound < first.cost && priced.some(({ right }) => right !== undefined)) {
    const factors = [...preferences, ...priced.flatMap(({ below, right }) => right?.() ?? below)]
    const second = decide(eliminate(sizes, factors, limits.table).values)
    if (second.cost < first.cost) best = second
  }
  return { ...best, bound, width: relaxed.width, declaredBytes: declaredBytes(graph, cheapest) }
}

/**
 * The axes that the program declares to cut one dim, and no other dim of a tensor that has that one: data parallelism over
 * the batch, say. No op asks for anything else, so a plan that keeps to it is likely the best, and found soon.
 */
const settledAxes = (graph: Graph): ReadonlyMap<string, string> => {
  const settled = new Map<string, string>()
  for (const axis of liveAxes(graph.mesh)) {
    const cut = ({ shape, declared }: Graph['nodes'][number]): string | undefined =>
      shape.dims.find((_, i) => declared.cuts[i]!.includes(axis))?.name
    const names = new Set(graph.nodes.flatMap((node) => cut(node) ?? []))
    const dim = [...names].find((name) =>
      graph.nodes.every((node) => sizeOf(node.shape, name) === undefined || (cut(node) ?? name) === name)
    )
    if (dim !== undefined && graph.nodes.every(({ declared }) => !declared.cuts.some(isUndecided))) settled.set(axis, dim)
  }
  return settled
}

const keepsSettled = (settled: ReadonlyMap<string, string>, shape: Shape, { cuts }: Layout): boolean =>
  [...settled].every(([axis, dim]) => {
    const at = positionOf(shape, dim)
    return at < 0 || cuts.every((cut, i) => i === at || !cut.includes(axis))
  })

/** An update runs where the state that it changes is declared to lie: there is nothing to be gained by moving it about. */
const asDeclared = (graph: Graph, node: Graph['nodes'][number]) => {
  const { mesh, nodes } = graph
  const result = keyOf(onlyLive(node.declared, mesh))
  const operands = node.operands.map(({ value, pin }) => keyOf(onlyLive(pin?.layout ?? nodes[value]!.declared, mesh)))
  return (strategy: Strategy): boolean =>
    keyOf(strategy.result) === result && strategy.operands.every((layout, i) => keyOf(layout) === operands[i])
}

/** Who wants each value, and in which layout for each of its choices. */
const consumersOf = (
  graph: Graph,
  choosers: readonly Chooser[],
  results: readonly (Chosen & { readonly value: number })[],
): readonly (readonly Chosen[])[] => {
  const consumers: Chosen[][] = graph.nodes.map(() => [])
  graph.nodes.forEach((node, consumer) => {
    const { options, variable } = choosers[consumer]!
    node.operands.forEach(({ value }, operand) =>
      consumers[value]!.push({ variable, layouts: options.map(({ operands }) => operands[operand]!) })
    )
  })
  for (const { value, layouts, variable } of results) consumers[value]!.push({ variable, layouts })
  return consumers
}

/**
 * The axes over which each value is whole for nothing: whole inputs, and what is computed from such values alone where the
 * declared program shares no work.
 */
const freeAxesOf = (graph: Graph): readonly ReadonlySet<string>[] => {
  const free: Set<string>[] = []
  for (const node of graph.nodes) {
    const whole = ({ cuts, pending }: Layout, axis: string): boolean =>
      !cuts.some((cut) => isUndecided(cut) || cut.includes(axis)) && !pending.some((one) => one.axis === axis)
    free.push(
      new Set(
        liveAxes(graph.mesh).filter((axis) =>
          whole(node.declared, axis) &&
          node.operands.every(({ value, pin }) => free[value]!.has(axis) && (pin === undefined || whole(pin.layout, axis)))
        ),
      ),
    )
  }
  return free
}

const wholeStrategy = (graph: Graph, value: number): Strategy => ({
  operands: graph.nodes[value]!.operands.map((use) => wholeLayout(graph.nodes[use.value]!.shape)),
  result: wholeLayout(graph.nodes[value]!.shape),
  shared: new Set(),
})

/** The bytes of the program as declared: each op in its declared layouts, each declaration an exchange. */
const declaredBytes = (graph: Graph, cheapest: CopyPrices['cheapest']): number | undefined => {
  const declaredOf = (value: number): Layout => onlyLive(graph.nodes[value]!.declared, graph.mesh)
  const undecided = graph.nodes.some(({ declared }) => declared.cuts.some(isUndecided))
  if (undecided) return undefined
  const wanted: Layout[][] = graph.nodes.map(() => [])
  for (const { operands } of graph.nodes) {
    for (const { value, pin } of operands) if (pin !== undefined) wanted[value]!.push(onlyLive(pin.layout, graph.mesh))
  }
  for (const { use, declared } of graph.outputs) {
    wanted[use.value]!.push({ ...onlyLive(use.pin?.layout ?? declared, graph.mesh), pending: [] })
  }
  for (const { parameter, use } of graph.changes) wanted[use.value]!.push(declaredOf(parameter))
  let sent = 0
  graph.nodes.forEach((node, consumer) => {
    const fold = foldOf(graph, node)
    const axis = liveAxes(graph.mesh).find((axis) => axis === fold?.ring)
    if (fold === undefined || axis === undefined) return
    fold.operands.forEach((dim, i) => {
      const { value, pin } = node.operands[i]!
      const { shape } = graph.nodes[value]!
      if (dim !== null) {
        wanted[value]!.push(
          goingRound(onlyLive(pin?.layout ?? declaredOf(value), graph.mesh), positionOf(shape, dim), axis, roundOf(graph, consumer)),
        )
      }
    })
    if (node.op.blocks?.travels === true) sent += bytesRound(graph, node.shape, onlyLive(node.declared, graph.mesh), axis)
  })
  const made = wanted.map((layouts, value) => cheapest(graph.nodes[value]!.shape, declaredOf(value), layouts))
  if (made.some(({ cost }) => cost === Infinity)) return undefined
  return made.reduce((sum, { moves }) => moves.reduce((total, { bytes }) => total + bytes, sum), sent)
}
