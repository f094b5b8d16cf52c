import { bytesSent, canTransfer } from '../layout/transfer.ts'
import { type Layout, type Pending, printPending, type Shape } from '../layout/layout.ts'
import type { Mesh } from '../language/mesh.ts'
import { keyOf, statesOf } from './states.ts'

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

/** Bytes in a cost: what is left without the tie-breakers. */
export const bytesIn = (cost: number): number => Math.floor(cost + perSlice / 2)

interface Space {
  readonly states: readonly Layout[]
  readonly numbers: ReadonlyMap<string, number>
  readonly bytes: Float64Array
  /** Cheapest way between any two states, and the first stop on it. */
  readonly distance: Float64Array
  readonly next: Int32Array
}

/**
 * Prices the copies of values: given how a value is made and the layouts in which it is wanted, the cheapest tree of
 * moves that makes them all. A copy that several consumers want is paid once; copies that nobody wants may lie on the
 * way (a directed Steiner tree, solved exactly by the recursion of Dreyfus & Wenk 1971).
 */
export const copyPrices = (mesh: Mesh) => {
  const spaces = new Map<string, Space>()
  const trees = new Map<string, Copies>()

  const spaceOf = (shape: Shape, pending: readonly Pending[]): Space => {
    const key = `${shape.dims.map(({ size }) => size).join(' ')}|${printPending(pending)}`
    const known = spaces.get(key)
    if (known !== undefined) return known
    const states = statesOf(shape, mesh, pending)
    const n = states.length
    const bytes = new Float64Array(n * n)
    const distance = new Float64Array(n * n).fill(Infinity)
    const next = new Int32Array(n * n)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const sent = i === j ? 0 : canTransfer(states[i]!, states[j]!)
          ? bytesSent(shape, states[i]!, states[j]!, mesh).reduce((sum, one) => sum + one, 0) : Infinity
        bytes[i * n + j] = sent
        distance[i * n + j] = sent + (i === j ? 0 : sent > 0 ? perExchange : perSlice)
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
    const space = { states, numbers: new Map(states.map((state, i) => [keyOf(state), i])), bytes, distance, next }
    spaces.set(key, space)
    return space
  }

  /**
   * Prices many choices of one value: its possible makings and, for each consumer, its possible wishes, all given once.
   * The result prices one choice by numbers into those lists.
   */
  const pricer = (shape: Shape, makings: readonly Layout[], wishes: readonly (readonly Layout[])[]) => {
    const starts = makings.map((made) => {
      const space = spaceOf(shape, made.pending)
      return { space, root: space.numbers.get(keyOf(made))!, targets: wishes.map((list) => list.map((wish) => space.numbers.get(keyOf(wish)) ?? -1)) }
    })
    const known = new Map<number, number>()
    return (making: number, choice: readonly number[]): number => {
      const { space, root, targets } = starts[making]!
      const terminals: number[] = []
      for (let i = 0; i < choice.length; i++) {
        const terminal = targets[i]![choice[i]!]!
        if (terminal < 0) return Infinity
        if (terminal !== root && !terminals.includes(terminal)) terminals.push(terminal)
      }
      if (terminals.length === 0) return 0
      if (terminals.length === 1) return space.distance[root * space.states.length + terminals[0]!]!
      terminals.sort((a, b) => a - b)
      const key = terminals.length > 3 ? NaN : terminals.reduce((sum, one) => sum * 8192 + one + 1, making)
      const before = known.get(key)
      if (before !== undefined) return before
      const { cost } = terminals.length === 2 ? { cost: meeting(space, root, terminals[0]!, terminals[1]!) } : steiner(space, root, terminals)
      if (!Number.isNaN(key)) known.set(key, cost)
      return cost
    }
  }

  /** The cheapest moves from the layout in which a value is made to all layouts in which it is wanted. */
  const cheapest = (shape: Shape, made: Layout, wanted: readonly Layout[]): Copies => {
    const madeKey = keyOf(made)
    const keys = [...new Set(wanted.map(keyOf))].filter((key) => key !== madeKey).sort()
    if (keys.length === 0) return { cost: 0, moves: [] }
    const treeKey = `${shape.dims.map(({ size }) => size).join(' ')} ${madeKey} ${keys.join(' ')}`
    const known = trees.get(treeKey)
    if (known !== undefined) return known
    const space = spaceOf(shape, made.pending)
    const tree = steiner(space, space.numbers.get(madeKey)!, keys.map((key) => space.numbers.get(key) ?? -1))
    trees.set(treeKey, tree)
    return tree
  }
  return { cheapest, pricer }
}

/** The cheapest tree to two layouts: one way to where they part, and one to each. */
const meeting = ({ states: { length: n }, distance }: Space, root: number, a: number, b: number): number => {
  let least = Infinity
  for (let v = 0; v < n; v++) {
    const cost = distance[root * n + v]! + distance[v * n + a]! + distance[v * n + b]!
    if (cost < least) least = cost
  }
  return least
}

const steiner = (space: Space, root: number, terminals: readonly number[]): Copies => {
  const n = space.states.length
  if (terminals.includes(-1)) return { cost: Infinity, moves: [] }
  const full = 2 ** terminals.length - 1
  // best[set * n + v]: the cheapest tree from v to all terminals of the set.
  const best = new Float64Array((full + 1) * n).fill(Infinity)
  const split = new Int32Array((full + 1) * n)
  const through = new Int32Array((full + 1) * n)
  for (let set = 1; set <= full; set++) {
    const single = terminals.findIndex((_, i) => set === 2 ** i)
    const joined = new Float64Array(n)
    for (let v = 0; v < n; v++) {
      joined[v] = single >= 0 ? (v === terminals[single] ? 0 : Infinity) : Infinity
      if (single >= 0) continue
      for (let part = (set - 1) & set; part > set / 2; part = (part - 1) & set) {
        const cost = best[part * n + v]! + best[(set ^ part) * n + v]!
        if (cost < joined[v]!) {
          joined[v] = cost
          split[set * n + v] = part
        }
      }
    }
    for (let v = 0; v < n; v++) {
      for (let u = 0; u < n; u++) {
        const cost = space.distance[v * n + u]! + joined[u]!
        if (cost < best[set * n + v]!) {
          best[set * n + v] = cost
          through[set * n + v] = u
        }
      }
    }
  }
  const moves = new Map<string, Move>()
  const collect = (set: number, v: number): void => {
    const u = through[set * n + v]!
    for (let at = v; at !== u;) {
      const stop = space.next[at * n + u]!
      moves.set(`${at} ${stop}`, { from: space.states[at]!, to: space.states[stop]!, bytes: space.bytes[at * n + stop]! })
      at = stop
    }
    const part = split[set * n + u]!
    if (part === 0) return
    collect(part, u)
    collect(set ^ part, u)
  }
  const cost = best[full * n + root]!
  if (cost < Infinity) collect(full, root)
  return { cost, moves: [...moves.values()] }
}
