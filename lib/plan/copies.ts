import { bytesTogether, canTransfer, heldIn } from '../layout/transfer.ts'
import { keyOf, type Layout, type Pending, printPending, type Shape } from '../layout/layout.ts'
import { piecesAlong } from '../language/mesh.ts'
import type { Pricing } from './pricing.ts'
import { canCut, type Ground, statesOf } from './states.ts'

/** One change of layout: from a copy that exists to one that is wanted. */
export interface Move {
  readonly from: Layout
  readonly to: Layout
  /** Bytes sent by all ranks together. */
  readonly bytes: number
}

export interface Copies {
  readonly cost: number
  readonly moves: readonly Move[]
}

/**
 * Added to the bytes of each move, so that of two plans with equal bytes the one with fewer exchanges wins; small enough
 * that tens of thousands of moves never add up to a byte.
 */
const perExchange = 2 ** -16
const perSlice = 2 ** -18

interface Space {
  readonly states: readonly Layout[]
  readonly numbers: ReadonlyMap<string, number>
  readonly bytes: Float64Array
  /** Cheapest way between any two states, and the first stop on it. */
  readonly distance: Float64Array
  readonly next: Int32Array
  /** For sets of layouts met so far: the cost of the cheapest tree to all of them, from each layout. */
  readonly trees: Map<number | string, Float64Array>
}

/**
 * Prices the copies of values: given how a value is made and the layouts in which it is wanted, the cheapest tree of
 * moves that makes them all. A copy that several consumers want is paid once; copies that nobody wants may lie on the
 * way (a directed Steiner tree, solved exactly by the recursion of Dreyfus & Wenk 1971).
 */
export const copyPrices = (ground: Ground, price: Pricing['exchange']) => {
  const spaces = new Map<string, Space>()
  const trees = new Map<string, Copies>()

  /** What makes shapes alike for prices: sizes, and whether dims of one position may be cut. */
  const printSizes = ({ dims }: Shape): string =>
    dims.map((dim) => dim.size <= 1 && canCut(dim, ground) ? `${dim.size}@` : dim.size).join(' ')

  /** `rings` are layouts that go all round an axis: rare, so each is a state only where it is wanted. */
  const spaceOf = (shape: Shape, pending: readonly Pending[], rings: readonly Layout[]): Space => {
    const key = `${printSizes(shape)}|${printPending(pending)}|${rings.map(keyOf).join(' ')}`
    const known = spaces.get(key)
    if (known !== undefined) return known
    const states = [...statesOf(shape, ground, pending), ...rings]
    const held = states.map((state) => heldIn(shape, state, ground.mesh))
    const n = states.length
    const bytes = new Float64Array(n * n)
    const distance = new Float64Array(n * n).fill(Infinity)
    const next = new Int32Array(n * n)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const sent = i === j ? 0 : canTransfer(states[i]!, states[j]!) ? bytesTogether(held[i]!, held[j]!, ground.mesh) : Infinity
        bytes[i * n + j] = sent
        const costs = sent === 0 || sent === Infinity ? sent : price(held[i]!, held[j]!)
        distance[i * n + j] = costs + (i === j ? 0 : sent > 0 ? perExchange * exchangesTo(states[j]!) : perSlice)
        next[i * n + j] = j
      }
    }
    for (let via = 0; via < n; via++) {
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const around = distance[i * n + via]! + distance[via * n + j]!
          if (around < distance[i * n + j]!) {
            distance[i * n + j] = around
            next[i * n + j] = next[i * n + via]!
          }
        }
      }
    }
    const space = { states, numbers: new Map(states.map((state, i) => [keyOf(state), i])), bytes, distance, next, trees: new Map() }
    spaces.set(key, space)
    return space
  }

  const exchangesTo = ({ turn }: Layout): number => turn === undefined ? 1 : piecesAlong(ground.mesh, [turn.axis]) - 1

  /**
   * Prices many choices of one value: its possible makings and, for each consumer, its possible wishes, all given once.
   * The result prices one choice by numbers into those lists.
   */
  const pricer = (shape: Shape, makings: readonly Layout[], wishes: readonly (readonly Layout[])[]) => {
    const rings = ringsAmong(wishes.flat())
    const starts = makings.map((made) => {
      const space = spaceOf(shape, made.pending, rings)
      return {
        space,
        root: space.numbers.get(keyOf(made))!,
        targets: wishes.map((list) => list.map((wish) => space.numbers.get(keyOf(wish)) ?? -1)),
      }
    })
    return (making: number, choice: readonly number[]): number => {
      const { space, root, targets } = starts[making]!
      const terminals: number[] = []
      for (let i = 0; i < choice.length; i++) {
        const terminal = targets[i]![choice[i]!]!
        if (terminal < 0) return Infinity
        if (terminal !== root && !terminals.includes(terminal)) terminals.push(terminal)
      }
      return terminals.length === 0 ? 0 : treesTo(space, terminals.sort(ascending))[root]!
    }
  }

  /** The cheapest moves from the layout in which a value is made to all layouts in which it is wanted. */
  const cheapest = (shape: Shape, made: Layout, wanted: readonly Layout[]): Copies => {
    const madeKey = keyOf(made)
    const keys = [...new Set(wanted.map(keyOf))].filter((key) => key !== madeKey).sort()
    if (keys.length === 0) return { cost: 0, moves: [] }
    const treeKey = `${printSizes(shape)} ${madeKey} ${keys.join(' ')}`
    const known = trees.get(treeKey)
    if (known !== undefined) return known
    const space = spaceOf(shape, made.pending, ringsAmong(wanted))
    const tree = treeTo(space, space.numbers.get(madeKey)!, keys.map((key) => space.numbers.get(key) ?? -1).sort(ascending))
    trees.set(treeKey, tree)
    return tree
  }
  return { cheapest, pricer, printSizes }
}

export type CopyPrices = ReturnType<typeof copyPrices>

const ringsAmong = (layouts: readonly Layout[]): readonly Layout[] =>
  [...new Map(layouts.flatMap((layout) => layout.turn === undefined ? [] : [[keyOf(layout), layout] as const])).values()]
    .sort((a, b) => keyOf(a) < keyOf(b) ? -1 : 1)

const ascending = (a: number, b: number): number => a - b

/** The two-part splits of a list, each once. */
const splits = function* (list: readonly number[]): Generator<readonly [readonly number[], readonly number[]]> {
  for (let set = 1; set < 2 ** (list.length - 1); set++) {
    yield [list.filter((_, i) => (set & 2 ** i) !== 0), list.filter((_, i) => (set & 2 ** i) === 0)]
  }
}

/**
 * The cost of the cheapest tree from each layout to all of some others (ascending): one way to where the tree branches,
 * and a tree to each part of them from there.
 */
const treesTo = (space: Space, terminals: readonly number[]): Float64Array => {
  const { states: { length: n }, distance, trees } = space
  // Few numbers fit into one, which is a faster key than a text.
  const key = terminals.length <= 4 ? terminals.reduce((sum, one) => sum * 8192 + one + 1, 0) : terminals.join(' ')
  const known = trees.get(key)
  if (known !== undefined) return known
  const costs = new Float64Array(n).fill(Infinity)
  trees.set(key, costs)
  const branched = branches(space, terminals)
  for (let from = 0; from < n; from++) {
    for (let at = 0; at < n; at++) costs[from] = Math.min(costs[from]!, distance[from * n + at]! + branched[at]!)
  }
  return costs
}

/** The same for trees that branch at once; a tree to a single layout ends there. */
const branches = (space: Space, terminals: readonly number[]): Float64Array => {
  const costs = new Float64Array(space.states.length).fill(Infinity)
  if (terminals.length === 1) costs[terminals[0]!] = 0
  for (const [some, others] of splits(terminals)) {
    const [left, right] = [treesTo(space, some), treesTo(space, others)]
    for (let at = 0; at < costs.length; at++) costs[at] = Math.min(costs[at]!, left[at]! + right[at]!)
  }
  return costs
}

/** The moves of such a tree, read back from its costs. */
const treeTo = (space: Space, root: number, terminals: readonly number[]): Copies => {
  if (terminals.includes(-1)) return { cost: Infinity, moves: [] }
  const { states, bytes, distance, next } = space
  const n = states.length
  const moves = new Map<string, Move>()
  const collect = (from: number, wanted: readonly number[]): void => {
    const cost = treesTo(space, wanted)[from]!
    const branch = branches(space, wanted).findIndex((rest, at) => distance[from * n + at]! + rest === cost)
    for (let at = from; at !== branch;) {
      const stop = next[at * n + branch]!
      moves.set(`${at} ${stop}`, { from: states[at]!, to: states[stop]!, bytes: bytes[at * n + stop]! })
      at = stop
    }
    for (const [some, others] of splits(wanted)) {
      if (treesTo(space, some)[branch]! + treesTo(space, others)[branch]! !== branches(space, wanted)[branch]!) continue
      collect(branch, some)
      collect(branch, others)
      return
    }
  }
  const cost = treesTo(space, terminals)[root]!
  if (cost < Infinity) collect(root, terminals)
  return { cost, moves: [...moves.values()] }
}
