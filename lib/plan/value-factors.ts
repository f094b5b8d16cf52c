import { keyOf, type Layout, type Shape } from '../layout/layout.ts'
import type { CopyPrices } from './copies.ts'
import type { Factor } from './eliminate.ts'
import { type Choices, keyOfChoices, priceTable } from './price-table.ts'

/** Something that is chosen: a variable of the solver, and a layout for each of its choices. */
export interface Chosen {
  readonly variable: number
  readonly layouts: readonly Layout[]
}

/** What the copies of a value cost, as factors for the solver. */
export interface Priced {
  /** They allow every choice and never ask more than it costs. */
  readonly below: readonly Factor[]
  /** They price every choice that they allow rightly, but may not allow all; undefined where the others are right. */
  readonly right: (() => readonly Factor[]) | undefined
}

/**
 * Prices the copies of values for the solver: `make` for the layouts in which a value can be made, `uses` for those in
 * which its consumers want it. Tables have at most `largest` cells; equal values share them, which the solver notices.
 */
export const valueFactors = ({ pricer, printSizes }: CopyPrices, variables: number[], largest: number) => {
  const tables = new Map<string, readonly Float64Array[]>()
  const shared = (key: string, make: () => readonly Float64Array[]): readonly Float64Array[] => {
    const known = tables.get(key) ?? make()
    tables.set(key, known)
    return known
  }

  return (shape: Shape, make: Chosen, uses: readonly Chosen[]): Priced => {
    if (uses.length === 0) return { below: [], right: undefined }
    const scope = [...new Set([make.variable, ...uses.map(({ variable }) => variable)])]
    const choices: Choices = {
      sizes: scope.map((variable) => variables[variable]!),
      makings: make.layouts,
      uses: uses.map(({ variable, layouts }) => ({ place: scope.indexOf(variable), layouts })),
    }
    const key = `${printSizes(shape)}/${keyOfChoices(choices)}`
    if (choices.sizes.reduce((product, size) => product * size, 1) > largest) {
      const wanted = [...new Map(uses.flatMap(({ layouts }) => layouts.map((layout) => [keyOf(layout), layout] as const))).values()]
      return 2 ** wanted.length * make.layouts.length <= largest
        ? { below: copySets(shape, make, uses, wanted, key), right: undefined }
        : { below: shares(shape, make, uses, key), right: () => copySets(shape, make, uses, wanted, key) }
    }
    const [costs] = shared(key, () => [priceTable(choices, pricer(shape, make.layouts, uses.map(({ layouts }) => layouts)))])
    return { below: [{ scope, costs: costs! }], right: undefined }
  }

  /** One more variable says which copies there are (of so many wishes, few at a time); each consumer needs one of them. */
  function copySets(
    shape: Shape,
    make: Chosen,
    uses: readonly Chosen[],
    wanted: readonly Layout[],
    key: string,
  ): readonly Factor[] {
    const sets = subsets(wanted.length, largest / make.layouts.length)
    const variable = variables.push(sets.length) - 1
    const numbers = new Map(wanted.map((layout, i) => [keyOf(layout), i]))
    const [costs, ...needs] = shared(`sets/${key}`, () => {
      const price = pricer(shape, make.layouts, Array.from({ length: Math.max(...sets.map((set) => set.length)) }, () => wanted))
      return [
        tableOf(make.layouts.length, sets.length, (making, set) => price(making, sets[set]!)),
        ...uses.map(({ layouts }) => {
          const wishes = layouts.map((layout) => numbers.get(keyOf(layout))!)
          return tableOf(sets.length, layouts.length, (set, choice) => sets[set]!.includes(wishes[choice]!) ? 0 : Infinity)
        }),
      ]
    })
    return [
      { scope: [make.variable, variable], costs: costs! },
      ...uses.map((use, i) => ({ scope: [variable, use.variable], costs: needs[i]! })),
    ]
  }

  /** The way to each consumer alone costs at most what all copies cost: so does the mean of these. */
  function shares(shape: Shape, make: Chosen, uses: readonly Chosen[], key: string): readonly Factor[] {
    const costs = shared(`shares/${key}`, () =>
      uses.map(({ layouts }) => {
        const price = pricer(shape, make.layouts, [layouts])
        return tableOf(make.layouts.length, layouts.length, (making, choice) => price(making, [choice]) / uses.length)
      }))
    return uses.map(({ variable }, i) => ({ scope: [make.variable, variable], costs: costs[i]! }))
  }
}

const tableOf = (rows: number, columns: number, cost: (row: number, column: number) => number): Float64Array => {
  const costs = new Float64Array(rows * columns)
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) costs[row * columns + column] = cost(row, column)
  return costs
}

/** The subsets of `count` things, each as a list: all of them if there are at most `most`, else the smaller ones. */
const subsets = (count: number, most: number): readonly (readonly number[])[] => {
  const all: (readonly number[])[] = [[]]
  const later = (set: readonly number[]): number => count - 1 - (set.at(-1) ?? -1)
  for (let layer = all; layer.length > 0; all.push(...layer)) {
    const next = layer.reduce((sum, set) => sum + later(set), 0)
    if (all.length > 1 && all.length + next > most) break
    layer = layer.flatMap((set) => Array.from({ length: later(set) }, (_, i) => [...set, count - later(set) + i]))
  }
  return all
}
