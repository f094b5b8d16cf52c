/**
 * Long sums that keep their digits. A float32 that takes n equal terms one after another is off by up to n / 2 roundings, so
 * no accumulator takes more than `blockTerms`: its sum then goes to the accumulator of the next level, which takes as many of
 * those, and so on. With L = ⌈log n / log blockTerms⌉ levels the error is at most L · blockTerms / 2 roundings of 2⁻²⁴: it
 * grows like log n (Higham, "The accuracy of floating point summation", SIAM J. Sci. Comput. 14, 1993, section 3). Nothing
 * depends on roundings being kept apart, as compensated sums do: a shader compiler may reorder the terms of a sum.
 */
const blockTerms = 128

/** One loop of a nest: a variable from a text to a number, of so many steps. */
interface CascadeLoop {
  readonly name: string
  readonly from?: string
  readonly to: number
  readonly by?: number
  /** Counts in u32, as positions of threads do; else in i32. */
  readonly unsigned?: boolean
}

interface CascadeParts {
  /** The loops from the outermost to the innermost. */
  readonly loops: readonly CascadeLoop[]
  /** One step: it adds to the accumulators of level 0. */
  readonly body: string
  /** How many terms a step adds to one accumulator. */
  readonly terms?: number
  /** Adds the accumulators of a level to those of the next and starts them anew. */
  readonly flush: (level: number) => string
  /** How many terms an accumulator may take. */
  readonly block?: number
}

export interface Cascade {
  /** The loops as WGSL. After them the sum is in the accumulators of the last level, and those before are empty. */
  readonly text: string
  /** How many accumulators each sum has. */
  readonly levels: number
}

/**
 * Steps of a loop from where the part around it begins. Where all parts are of equal length they are counted, since compilers unroll
 * loops that go a fixed number of times.
 */
const inPart = (
  body: string,
  variable: string,
  around: string,
  { to, steps, stride, suffix }: { readonly to: number; readonly steps: number; readonly stride: number; readonly suffix: string },
): string => {
  const next = `${variable} += ${stride}${suffix}`
  if (steps === 1) return `let ${variable} = ${around};\n${body}`
  return to % (steps * stride) === 0
    ? `var ${variable} = ${around};\nfor (var ${variable}_n = 0; ${variable}_n < ${steps}; ${variable}_n++) {\n${body}\n${next};\n}`
    : `for (var ${variable} = ${around}; ${variable} < min(${around} + ${steps * stride}${suffix}, ${to}${suffix}); ${next}) {\n${body}\n}`
}

/** A loop nest over the terms of sums, with as many levels of accumulators as keep them short. */
export const cascade = ({ loops, body, terms = 1, flush, block = blockTerms }: CascadeParts): Cascade => {
  // Without loops the step still gets a scope of its own.
  let text = loops.length === 0 ? `{\n${body}\n}` : body
  let taken = terms
  let level = 0
  for (const { name, from, to, by = 1, unsigned = false } of loops.toReversed()) {
    const suffix = unsigned ? 'u' : ''
    const start = from ?? `0${suffix}`
    // The innermost part of the loop has the loop's own name; the parts around it go in larger and larger strides.
    let stride = by
    let variable = name
    for (let part = 1; taken * Math.ceil(to / stride) > block; part++) {
      const trips = Math.ceil(to / stride)
      const steps = Math.ceil(trips / Math.ceil(trips / Math.max(1, Math.floor(block / taken))))
      const around = `${name}_${part}`
      text = `${inPart(text, variable, around, { to, steps, stride, suffix })}\n${flush(level)}`
      level++
      taken = 1
      stride *= steps
      variable = around
    }
    text = `for (var ${variable} = ${start}; ${variable} < ${to}${suffix}; ${variable} += ${stride}${suffix}) {\n${text}\n}`
    taken *= Math.ceil(to / stride)
  }
  return { text, levels: level + 1 }
}

/** The same loops around a body that sums nothing up. */
export const walked = (loops: readonly CascadeLoop[], body: string): string =>
  cascade({ loops, body, flush: () => '', block: Infinity }).text

/** The name of a sum's accumulator at a level. */
export const atLevel = (name: string, level: number): string => level === 0 ? name : `${name}_level${level}`

/** The levels of a cascade. */
export const levelsOf = ({ levels }: Cascade): readonly number[] => Array.from({ length: levels }, (_, level) => level)

/** The statements that add plain sums, or one element each of arrays of sums, to those of the next level and set them to `zero`. */
export const flushSums = (sums: readonly string[], zero: string, element = '') => (level: number): string =>
  sums.map((sum) => {
    const [own, above] = [atLevel(sum, level), atLevel(sum, level + 1)]
    return `${above}${element} += ${own}${element}; ${own}${element} = ${zero};`
  }).join('\n')
