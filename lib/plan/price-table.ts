import { keyOf, type Layout } from '../layout/layout.ts'

/** A value's choosers: the variable at place 0 says how it is made, those at the other places how it is read. */
export interface Choices {
  /** How many choices the variable at each place has. */
  readonly sizes: readonly number[]
  /** For each choice at place 0, the layout in which the value is made. */
  readonly makings: readonly Layout[]
  /** For each use, the place of its variable, and the layout that it wants for each choice there. */
  readonly uses: readonly { readonly place: number; readonly layouts: readonly Layout[] }[]
}

/** Two values with this key have the same prices, if they have the same shape. */
export const keyOfChoices = ({ sizes, makings, uses }: Choices): string =>
  [
    sizes.join(' '),
    makings.map(keyOf).join(';'),
    ...uses.map(({ place, layouts }) => `${place} ${layouts.map(keyOf).join(';')}`),
  ].join('/')

/**
 * The table of prices over all choices, the last place varying fastest. Choices that differ only in what they do with
 * other values are priced once: there are many more ways of running an op than layouts of one of its operands.
 */
export const priceTable = (choices: Choices, price: (making: number, wishes: readonly number[]) => number): Float64Array => {
  const { sizes, makings, uses } = choices
  const classes = sizes.map((size, place) => {
    const asks = Array.from({ length: size }, (_, choice) =>
      [
        ...(place === 0 ? [makings[choice]!] : []),
        ...uses.flatMap((use) => use.place === place ? [use.layouts[choice]!] : []),
      ].map(keyOf).join(';'))
    const distinct = [...new Set(asks)]
    return { first: distinct.map((ask) => asks.indexOf(ask)), of: Int32Array.from(asks, (ask) => distinct.indexOf(ask)) }
  })
  const counts = classes.map(({ first }) => first.length)
  const prices = new Float64Array(counts.reduce((product, count) => product * count, 1))
  const wishes = new Array<number>(uses.length).fill(0)
  forEachCell(counts, (cell, at) => {
    for (let i = 0; i < uses.length; i++) wishes[i] = classes[uses[i]!.place]!.first[at[uses[i]!.place]!]!
    prices[cell] = price(classes[0]!.first[at[0]!]!, wishes)
  })
  const table = new Float64Array(sizes.reduce((product, size) => product * size, 1))
  forEachCell(sizes, (cell, at) => {
    let from = 0
    for (let place = 0; place < sizes.length; place++) from = from * counts[place]! + classes[place]!.of[at[place]!]!
    table[cell] = prices[from]!
  })
  return table
}

/** Counts through all cells of a table like an odometer. */
const forEachCell = (sizes: readonly number[], visit: (cell: number, at: readonly number[]) => void): void => {
  const at = new Array<number>(sizes.length).fill(0)
  const count = sizes.reduce((product, size) => product * size, 1)
  for (let cell = 0; cell < count; cell++) {
    visit(cell, at)
    for (let place = sizes.length - 1; place >= 0 && ++at[place]! >= sizes[place]!; place--) at[place] = 0
  }
}
