import { eliminationOrder } from './order.ts'

/** A table of costs over some variables, the last varying fastest. */
export interface Factor {
  readonly scope: readonly number[]
  readonly costs: Float64Array
}

export interface Solution {
  /** The chosen value of each variable. */
  readonly values: readonly number[]
  readonly cost: number
  /** No choice costs less than this. Equal to `cost` when the solution is proven. */
  readonly bound: number
  /** The most variables that met in one table. */
  readonly width: number
}

/**
 * Chooses values for variables so that the sum of all factors is smallest, by eliminating one variable after another
 * (non-serial dynamic programming, Bertelè & Brioschi 1972; bucket elimination, Dechter 1999). Exact as long as the tables
 * have at most `largestTable` cells; beyond that, mini-buckets (Dechter & Rish 2003) give a lower bound, and descent
 * improves the choice.
 */
export const eliminate = (sizes: readonly number[], factors: readonly Factor[], largestTable: number): Solution => {
  // A variable with one choice would only make those meet that it meets.
  const open = factors.map((factor) => ({ ...factor, scope: factor.scope.filter((variable) => sizes[variable]! > 1) }))
  const alive = open.filter(({ scope }) => scope.length > 0)
  let bound = open.filter(({ scope }) => scope.length === 0).reduce((sum, { costs }) => sum + costs[0]!, 0)
  const touching = sizes.map(() => new Set<Factor>())
  for (const factor of alive) for (const variable of factor.scope) touching[variable]!.add(factor)
  const neighbours = (variable: number): readonly number[] => {
    const others = new Set<number>()
    for (const factor of touching[variable]!) for (const other of factor.scope) if (other !== variable) others.add(other)
    return [...others]
  }
  const tableSize = (variable: number): number => neighbours(variable).reduce((product, other) => product * sizes[other]!, sizes[variable]!)
  const order = eliminationOrder(sizes, alive.map(({ scope }) => scope))
  // Where no order keeps all tables small, the smallest of those that are left is next: splitting them changes which meet.
  const planned = order.largest <= largestTable ? order.variables.values() : undefined
  const waiting = new Map(sizes.map((_, variable) => [variable, planned === undefined ? tableSize(variable) : 0]))
  const buckets: { readonly variable: number; readonly factors: readonly Factor[] }[] = []
  const eliminated = eliminationTable()
  let width = 0
  let exact = true

  while (waiting.size > 0) {
    const { variable, size } = planned === undefined ? smallestOf(waiting) : { variable: planned.next().value!, size: 0 }
    waiting.delete(variable)
    const bucket = [...touching[variable]!]
    const affected = neighbours(variable)
    buckets.push({ variable, factors: bucket })
    for (const factor of bucket) for (const other of factor.scope) touching[other]!.delete(factor)
    const groups = size <= largestTable ? [bucket] : miniBuckets(bucket, sizes, largestTable)
    exact &&= groups.length <= 1
    for (const group of groups) {
      const { reduced, offset } = eliminated(variable, group, sizes)
      bound += offset
      width = Math.max(width, reduced.scope.length + 1)
      for (const other of reduced.scope) touching[other]!.add(reduced)
    }
    if (planned === undefined) { for (const other of affected) waiting.set(other, tableSize(other)) }
  }

  const values = new Array<number>(sizes.length).fill(0)
  for (const { variable, factors: bucket } of buckets.reverse()) {
    let least = Infinity
    for (let value = 0; value < sizes[variable]!; value++) {
      const chosen = values[variable]
      values[variable] = value
      const cost = bucket.reduce((sum, factor) => sum + lookUp(factor, values, sizes), 0)
      if (cost < least) least = cost
      else values[variable] = chosen!
    }
  }
  if (!exact) descend(values, sizes, factors)
  const cost = factors.reduce((sum, factor) => sum + lookUp(factor, values, sizes), 0)
  return { values, cost, bound: exact ? cost : Math.min(bound, cost), width }
}

const smallestOf = (waiting: ReadonlyMap<number, number>): { readonly variable: number; readonly size: number } => {
  let [variable, size] = [-1, Infinity]
  for (const [candidate, cells] of waiting) {
    if (cells >= size) continue
    variable = candidate
    size = cells
    if (cells <= 64) break
  }
  return { variable, size }
}

const lookUp = ({ scope, costs }: Factor, values: readonly number[], sizes: readonly number[]): number => {
  let at = 0
  for (const variable of scope) at = at * sizes[variable]! + values[variable]!
  return costs[at]!
}

/**
 * Eliminates variables, remembering what it did: in a model of equal blocks the same tables meet again and again. Each
 * result is reduced by its smallest entry (the offset), so that tables of later blocks are equal to those of earlier
 * ones, and equal tables are made one object, so that meeting them again is noticed by identity.
 */
const eliminationTable = () => {
  const numbers = new Map<Float64Array, number>()
  const byContent = new Map<string, Float64Array[]>()
  const done = new Map<string, { readonly positions: readonly number[]; readonly costs: Float64Array; readonly offset: number }>()
  const numberOf = (costs: Float64Array): number => {
    const known = numbers.get(costs)
    if (known !== undefined) return known
    const same = shared(costs)
    const number = numbers.get(same) ?? numbers.size
    numbers.set(same, number).set(costs, number)
    return number
  }
  const shared = (costs: Float64Array): Float64Array => {
    let hash = costs.length
    const words = new Int32Array(costs.buffer, costs.byteOffset, costs.length * 2)
    for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193)
    const alike = byContent.get(`${hash}`) ?? []
    const same = alike.find((other) => other.length === costs.length && other.every((cost, i) => cost === costs[i]))
    if (same === undefined) byContent.set(`${hash}`, [...alike, costs])
    return same ?? costs
  }
  return (variable: number, group: readonly Factor[], sizes: readonly number[]): { readonly reduced: Factor; readonly offset: number } => {
    // Variables are numbered by their first appearance, so that equal blocks have equal keys.
    const local = new Map<number, number>([[variable, 0]])
    for (const { scope } of group) for (const other of scope) if (!local.has(other)) local.set(other, local.size)
    const order = [...local.keys()]
    const key = group.map(({ scope, costs }) => `${numberOf(costs)}:${scope.map((other) => local.get(other)).join(',')}`).join(' ') +
      `|${order.map((other) => sizes[other]).join(',')}`
    const known = done.get(key)
    if (known !== undefined) return { reduced: { scope: known.positions.map((i) => order[i]!), costs: known.costs }, offset: known.offset }
    const raw = minimumOver(variable, group, sizes)
    let offset = Infinity
    for (const cost of raw.costs) if (cost < offset) offset = cost
    if (!Number.isFinite(offset)) offset = 0
    for (let i = 0; i < raw.costs.length; i++) raw.costs[i]! -= offset
    const costs = shared(raw.costs)
    done.set(key, { positions: raw.scope.map((other) => order.indexOf(other)), costs, offset })
    return { reduced: { scope: raw.scope, costs }, offset }
  }
}

/** min over one variable of the sum of factors. */
const minimumOver = (variable: number, factors: readonly Factor[], sizes: readonly number[]): Factor => {
  const scope = [...new Set(factors.flatMap((factor) => factor.scope))].filter((other) => other !== variable)
  const size = scope.reduce((product, other) => product * sizes[other]!, 1)
  const costs = new Float64Array(size)
  const strides = factors.map((factor) => stridesOf(factor, scope, sizes))
  const own = factors.map((factor) => strideOf(factor, variable, sizes))
  const count = sizes[variable]!
  // The last variable of the scope runs in plain inner loops over the tables; the others count like an odometer.
  const outer = Math.max(0, scope.length - 1)
  const run = scope.length === 0 ? 1 : sizes[scope[outer]!]!
  const step = strides.map((stride) => stride[outer] ?? 0)
  const place = new Int32Array(outer)
  const at = new Int32Array(factors.length)
  const sums = new Float64Array(run)
  costs.fill(Infinity)
  for (let cell = 0; cell < size; cell += run) {
    for (let value = 0; value < count; value++) {
      sums.fill(0)
      for (let f = 0; f < factors.length; f++) addRun(sums, factors[f]!.costs, at[f]! + value * own[f]!, step[f]!)
      for (let i = 0; i < run; i++) if (sums[i]! < costs[cell + i]!) costs[cell + i] = sums[i]!
    }
    for (let d = outer - 1; d >= 0; d--) {
      place[d]!++
      for (let f = 0; f < factors.length; f++) at[f]! += strides[f]![d]!
      if (place[d]! < sizes[scope[d]!]!) break
      for (let f = 0; f < factors.length; f++) at[f]! -= strides[f]![d]! * place[d]!
      place[d] = 0
    }
  }
  return { scope, costs }
}

const addRun = (sums: Float64Array, costs: Float64Array, start: number, step: number): void => {
  for (let i = 0, from = start; i < sums.length; i++, from += step) sums[i]! += costs[from]!
}

const strideOf = ({ scope }: Factor, variable: number, sizes: readonly number[]): number => {
  const position = scope.indexOf(variable)
  return position < 0 ? 0 : scope.slice(position + 1).reduce((product, other) => product * sizes[other]!, 1)
}
const stridesOf = (factor: Factor, scope: readonly number[], sizes: readonly number[]): readonly number[] =>
  scope.map((variable) => strideOf(factor, variable, sizes))

/** Parts of a bucket whose tables fit, first come first served. */
const miniBuckets = (bucket: readonly Factor[], sizes: readonly number[], largestTable: number): readonly (readonly Factor[])[] => {
  const groups: Factor[][] = []
  for (const factor of bucket) {
    const home = groups.find((group) => {
      const scope = new Set([...group, factor].flatMap((one) => one.scope))
      return [...scope].reduce((product, variable) => product * sizes[variable]!, 1) <= largestTable
    })
    if (home === undefined) groups.push([factor])
    else home.push(factor)
  }
  return groups
}

/** Improves one variable at a time until none can be. */
const descend = (values: number[], sizes: readonly number[], factors: readonly Factor[]): void => {
  const touching = sizes.map((_, variable) => factors.filter(({ scope }) => scope.includes(variable)))
  for (let improved = true; improved;) {
    improved = false
    for (let variable = 0; variable < sizes.length; variable++) {
      const costOf = (value: number): number => {
        values[variable] = value
        return touching[variable]!.reduce((sum, factor) => sum + lookUp(factor, values, sizes), 0)
      }
      const chosen = values[variable]!
      let best = chosen
      let least = costOf(chosen)
      for (let value = 0; value < sizes[variable]!; value++) {
        const cost = costOf(value)
        if (cost < least) [best, least] = [value, cost]
      }
      values[variable] = best
      improved ||= best !== chosen
    }
  }
}
