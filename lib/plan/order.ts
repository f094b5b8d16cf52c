/** An order in which to eliminate variables, with the cells of the tables that this makes. */
export interface Order {
  readonly variables: readonly number[]
  /** All cells together, and those of the largest table. */
  readonly cells: number
  readonly largest: number
}

type Score = (variable: number, neighbours: ReadonlySet<number>) => number

/** Work that is done at once: a better order is not worth looking for. */
const cheap = 2 ** 22

/**
 * Looks for an order that makes small tables. The best one is hard to find (it is the problem of treewidth), so several
 * rules are tried: the smallest table next, which does well where each variable meets few others and gives equal blocks of
 * a model equal orders; and, where that gets expensive, the variable next that makes the fewest new pairs meet, weighted
 * by their choices (Kjærulff 1990), with ties broken in several ways.
 */
export const eliminationOrder = (sizes: readonly number[], scopes: readonly (readonly number[])[]): Order => {
  const links = linksOf(sizes, scopes)
  const smallest = simulate(sizes, links, () => (variable, neighbours) => tableSize(sizes, variable, neighbours), 0, Infinity)
  if (smallest.cells <= cheap) return smallest
  let best = smallest
  for (let seed = 0; seed < 8 && best.cells > cheap; seed++) {
    const weigh = seed % 2 === 0 ? Math.log : (size: number): number => size
    const next = simulate(sizes, links, (rest) => (_, neighbours) => newPairs(sizes, neighbours, rest, weigh), seed, best.cells)
    if (next.cells < best.cells) best = next
  }
  return best
}

type Links = readonly ReadonlySet<number>[]

/** Which variables meet in a table. */
const linksOf = (sizes: readonly number[], scopes: readonly (readonly number[])[]): Links => {
  const links = sizes.map(() => new Set<number>())
  for (const scope of scopes) {
    for (const a of scope) for (const b of scope) if (a !== b) links[a]!.add(b)
  }
  return links
}

const tableSize = (sizes: readonly number[], variable: number, neighbours: ReadonlySet<number>): number => {
  let size = sizes[variable]!
  for (const other of neighbours) size *= sizes[other]!
  return size
}

const newPairs = (sizes: readonly number[], neighbours: ReadonlySet<number>, links: Links, weigh: (size: number) => number): number => {
  const list = [...neighbours]
  let pairs = 0
  for (let i = 0; i < list.length; i++) {
    const met = links[list[i]!]!
    for (let j = i + 1; j < list.length; j++) if (!met.has(list[j]!)) pairs += weigh(sizes[list[i]!]!) * weigh(sizes[list[j]!]!)
  }
  return pairs
}

/** Follows a rule to the end, or until it has made more cells than `enough`. */
const simulate = (sizes: readonly number[], links: Links, rule: (rest: Links) => Score, seed: number, enough: number): Order => {
  const rest = links.map((set) => new Set(set))
  const score = rule(rest)
  const scores = new Map(sizes.map((_, variable) => [variable, score(variable, rest[variable]!)]))
  const variables: number[] = []
  const random = randomNumbers(seed)
  let [cells, largest] = [0, 0]
  while (scores.size > 0 && cells <= enough) {
    let [variable, least, ties] = [-1, Infinity, 0]
    for (const [candidate, value] of scores) {
      if (value > least) continue
      ties = value < least ? 1 : ties + 1
      if (value < least || (seed > 0 && random() * ties < 1)) variable = candidate
      least = value
    }
    const neighbours = rest[variable]!
    const size = tableSize(sizes, variable, neighbours)
    cells += size
    largest = Math.max(largest, size)
    variables.push(variable)
    scores.delete(variable)
    const touched = new Set(neighbours)
    for (const a of neighbours) {
      rest[a]!.delete(variable)
      for (const b of neighbours) if (a !== b) rest[a]!.add(b)
    }
    for (const a of neighbours) for (const b of rest[a]!) touched.add(b)
    for (const a of touched) scores.set(a, score(a, rest[a]!))
  }
  return scores.size > 0 ? { variables, cells: Infinity, largest: Infinity } : { variables, cells, largest }
}

/** The same numbers in every run: a plan must not depend on chance. */
const randomNumbers = (seed: number) => {
  let state = Math.imul(seed, 2654435761) >>> 0
  return (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
