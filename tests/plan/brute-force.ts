import { bytesSent, canTransfer } from '#lib/layout/transfer.ts'
import { keyOf, type Layout, type Shape } from '#lib/layout/layout.ts'
import { type Graph, isInput } from '#lib/graph/graph.ts'
import type { Mesh } from '#lib/language/mesh.ts'
import { type Ground, statesOf } from '#lib/plan/states.ts'
import { onlyLive, strategiesOf, type Strategy } from '#lib/plan/strategies.ts'

/**
 * The planner's problem solved by trying everything, without any of the planner's means: what it shares with it is the
 * question alone (which ways of running an op are legal, what an exchange sends), which other tests look after.
 */

/**
 * Bytes that all ranks together send in one exchange; infinite where no exchange does it. What goes all round an axis starts
 * where it belongs and makes one turn after another, until each piece has been everywhere.
 */
export const moveBytes = (shape: Shape, from: Layout, to: Layout, mesh: Mesh): number => {
  if (to.turn === undefined) {
    return canTransfer(from, to) ? bytesSent(shape, from, to, mesh).reduce((sum, bytes) => sum + bytes, 0) : Infinity
  }
  return keyOf(from) === keyOf(atHome(to)) ? roundBytes(shape, to, to.turn.axis, mesh) : Infinity
}

const atHome = ({ cuts, pending }: Layout): Layout => ({ cuts, pending })

/** What a value sends that goes round an axis, turn by turn; the last turn, which would bring it home, is not made. */
export const roundBytes = (shape: Shape, layout: Layout, axis: string, mesh: Mesh): number => {
  const turned = (by: number): Layout => by === 0 ? atHome(layout) : { ...atHome(layout), turn: { axis, by } }
  const turns = mesh.axes.find(({ name }) => name === axis)!.size
  return Array.from({ length: turns - 1 }, (_, by) => bytesSent(shape, turned(by), turned(by + 1), mesh))
    .flat().reduce((sum, bytes) => sum + bytes, 0)
}

/** The fewest bytes that bring copies in all the wanted layouts about. */
export type Price = (wanted: readonly Layout[]) => number

/**
 * Prices copies by going through all sets of copies that can ever exist: a set grows by one copy, made from the one of
 * the set that gives it for the fewest bytes; what is wanted costs as much as the cheapest set that holds it. (Bytes here
 * are few enough for float32 to hold them exactly.)
 */
export const copySets = (shape: Shape, ground: Ground, made: Layout): Price => {
  const states = statesOf(shape, ground, made.pending)
  const number = new Map(states.map((state, i) => [keyOf(state), i]))
  const bytes = states.map((from) => states.map((to) => moveBytes(shape, from, to, ground.mesh)))
  // The cheapest way from a set to one more copy: from the set's last copy, or as from the set without it.
  const steps = bytes.map((_, to) => {
    const step = new Float32Array(2 ** states.length).fill(Infinity)
    for (let set = 1; set < step.length; set++) {
      const last = 31 - Math.clz32(set)
      step[set] = Math.min(bytes[last]![to]!, step[set ^ 1 << last]!)
    }
    return step
  })
  const costs = new Float32Array(2 ** states.length).fill(Infinity)
  costs[1 << number.get(keyOf(made))!] = 0
  for (let set = 1; set < costs.length; set++) {
    for (let to = 0; costs[set]! < Infinity && to < states.length; to++) {
      costs[set | 1 << to] = Math.min(costs[set | 1 << to]!, costs[set]! + steps[to]![set]!)
    }
  }
  // From here on an entry is the least of all sets that hold it.
  for (let bit = 1; bit < costs.length; bit *= 2) {
    for (let set = 0; set < costs.length; set++) costs[set] = Math.min(costs[set]!, costs[set | bit]!)
  }
  return (wanted) => {
    let set = 0
    for (const layout of wanted) {
      const at = number.get(keyOf(atHome(layout)))
      if (at === undefined) return Infinity
      set |= 1 << at
    }
    const rounds = new Map(wanted.flatMap((layout) => layout.turn === undefined ? [] : [[keyOf(layout), layout] as const]))
    return [...rounds.values()].reduce((sum, layout) => sum + roundBytes(shape, layout, layout.turn!.axis, ground.mesh), costs[set]!)
  }
}

/** Remembers some prices from program to program: there are few shapes and many programs. */
const known = new Map<string, Price>()
const mostKnown = 60
const priceOf = (shape: Shape, ground: Ground, made: Layout): Price => {
  const sizes = shape.dims.map(({ name, size }) => size <= 1 && ground.cutSingles.has(name) ? `${size}@` : size)
  const key = `${ground.mesh.text} ${sizes.join(' ')} ${keyOf(made)}`
  const price = known.get(key) ?? copySets(shape, ground, made)
  if (known.size >= mostKnown) known.clear()
  known.set(key, price)
  return price
}

/** Somebody who wants a value: a choice, and the layout that each of its options asks for. */
interface Wish {
  readonly chooser: number
  readonly layouts: readonly Layout[]
}

/** How many combinations of choices `leastBytes` would try. */
export const combinations = (graph: Graph): number => choosersOf(graph).reduce((product, options) => product * options, 1)

/** How many layouts a value of the program can have at most; `leastBytes` goes through the sets of them. */
export const largestStateSpace = (graph: Graph): number =>
  Math.max(
    ...graph.nodes.map((node) =>
      Math.max(...strategiesOf(graph, node).map(({ result }) => statesOf(node.shape, graph, result.pending).length))
    ),
  )

const choosersOf = (graph: Graph): readonly number[] => [
  ...graph.nodes.map((node) => strategiesOf(graph, node).length),
  ...graph.outputs.map((output) => outputLayouts(graph, output).length),
]

/** The layouts in which an output may leave: as declared, its undecided dims in any way. */
const outputLayouts = (graph: Graph, { use, declared }: Graph['outputs'][number]): readonly Layout[] => {
  const wanted = onlyLive(use.pin?.layout ?? declared, graph.mesh)
  if (!wanted.cuts.some((cut) => cut[0] === '?')) return [{ cuts: wanted.cuts, pending: [] }]
  return statesOf(graph.nodes[use.value]!.shape, graph, [])
    .filter(({ cuts }) => cuts.every((cut, dim) => wanted.cuts[dim]![0] === '?' || cut.join('+') === wanted.cuts[dim]!.join('+')))
}

/** What a way of running a node sends of the node's own result, which goes round with the blocks. */
export const resultBytes = ({ mesh }: Graph, { op, shape }: Graph['nodes'][number], { ring, result }: Strategy): number =>
  ring !== undefined && op.blocks?.travels === true ? roundBytes(shape, result, ring, mesh) : 0

/** The fewest bytes with which a program can run: every way of running every op, and for each value every set of copies. */
export const leastBytes = (graph: Graph): number => {
  const options = graph.nodes.map((node) => strategiesOf(graph, node))
  const outputs = graph.outputs.map((output) => outputLayouts(graph, output))
  const counts = [...options.map((list) => list.length), ...outputs.map((list) => list.length)]
  const wishes: Wish[][] = graph.nodes.map(() => [])
  graph.nodes.forEach((node, chooser) =>
    node.operands.forEach(({ value }, operand) =>
      wishes[value]!.push({ chooser, layouts: options[chooser]!.map(({ operands }) => operands[operand]!) })
    )
  )
  graph.outputs.forEach(({ use }, i) => wishes[use.value]!.push({ chooser: graph.nodes.length + i, layouts: outputs[i]! }))
  // The values whose last wish is known once a chooser has chosen.
  const complete: number[][] = counts.map(() => [])
  wishes.forEach((list, value) => {
    if (list.length > 0) complete[Math.max(value, ...list.map(({ chooser }) => chooser))]!.push(value)
  })
  const prices = options.map((list, value) => list.map(({ result }) => priceOf(graph.nodes[value]!.shape, graph, result)))
  const own = options.map((list, value) => list.map((strategy) => resultBytes(graph, graph.nodes[value]!, strategy)))
  const choice = new Array<number>(counts.length).fill(0)
  let least = Infinity
  const tryAll = (chooser: number, before: number): void => {
    if (before >= least) return
    if (chooser === counts.length) {
      least = before
      return
    }
    for (let option = 0; option < counts[chooser]!; option++) {
      choice[chooser] = option
      const bytes = complete[chooser]!.reduce(
        (sum, value) => sum + prices[value]![choice[value]!]!(wishes[value]!.map((wish) => wish.layouts[choice[wish.chooser]!]!)),
        before + (own[chooser]?.[option] ?? 0),
      )
      tryAll(chooser + 1, bytes)
    }
  }
  tryAll(0, 0)
  return least
}

/** Whether anything in the program is left to the planner. */
export const declaresAll = (graph: Graph): boolean =>
  graph.nodes.every((node) => !isInput(node) || node.declared.cuts.every((cut) => cut[0] !== '?'))
