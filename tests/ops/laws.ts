import { type Laws, type Sizes, usualSizes } from './law.ts'
import { contractions } from './laws/contractions.ts'
import { elementwise } from './laws/elementwise.ts'
import { generators } from './laws/generators.ts'
import { rows } from './laws/rows.ts'
import { shapes } from './laws/shapes.ts'

/** The laws of every file in `ops/`, by its name, for dims of given sizes. */
export const lawsFor = (sizes: Sizes): Laws => ({
  ...elementwise(sizes),
  ...rows(sizes),
  ...contractions(sizes),
  ...shapes(sizes),
  ...generators(sizes),
})

export const laws = lawsFor(usualSizes)
