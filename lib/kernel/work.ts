import { bytesPerElement } from '../dtype.ts'
import { callsIn } from './expression.ts'
import { elementsOf, type Kernel, scatteredRows, type View } from './kernel.ts'

/** What a kernel asks of a device, whatever the device does to be quicker. */
export interface Work {
  /** Floating-point operations of products: two for each multiply-add. */
  readonly matrix: number
  /** All others: each call of an expression, each step of a fold, and the softmax of attention. */
  readonly vector: number
  /** Bytes of memory read and written, each element of a view once. */
  readonly bytes: number
}

/** Scale, largest, difference, exponential, sum: what a softmax does with a score. */
const softmaxSteps = 5

/** A kernel's work in closed form. */
export const workOf = (kernel: Kernel): Work => {
  switch (kernel.kind) {
    case 'map': {
      const { sizes, inputs, expression, output } = kernel
      return { matrix: 0, vector: elementsOf(sizes) * callsIn(expression), bytes: bytesOf(sizes, [...inputs, output]) }
    }
    case 'row': {
      const { outer, inner, inputs, folds, result, per, output } = kernel
      const [rows, elements] = [elementsOf(outer), elementsOf([...outer, ...inner])]
      const folding = folds.reduce((calls, { expression }) => calls + callsIn(expression) + 1, 0)
      // A result per row leaves the inner strides of its view without meaning.
      const read = bytesOf([...outer, ...inner], inputs)
      const [written, results] = per === 'row' ? [bytesOf(outer, [output]), rows] : [bytesOf([...outer, ...inner], [output]), elements]
      return { matrix: 0, vector: elements * folding + results * callsIn(result), bytes: read + written }
    }
    case 'contract': {
      const { batch, rows, columns, inner, left, right, extras, epilogue, output } = kernel
      const results = elementsOf([...batch, ...rows, ...columns])
      return {
        matrix: 2 * results * elementsOf(inner),
        vector: results * callsIn(epilogue),
        bytes: bytesOf([...batch, ...rows, ...columns, ...inner], [left, right, ...extras, output]),
      }
    }
    case 'attention': {
      const { rows, keys, features, query, key, value, mask, carry, logSum, output } = kernel
      const scores = elementsOf(rows) * keys
      // A block's logarithm of sums lies behind the features, in what it goes on from and in what it makes.
      const sums = bytesPerElement * elementsOf(rows) * ((carry === null ? 0 : 1) + (logSum ? 1 : 0))
      return {
        matrix: 4 * scores * features,
        vector: softmaxSteps * scores,
        bytes: bytesOf([...rows, keys, features], [query, key, value, ...some(mask), ...some(carry), output]) + sums,
      }
    }
    case 'attention-gradient': {
      const { of, rows, inner, features, query, key, value, cotangent, stats, mask, carry, output } = kernel
      const scores = elementsOf([...rows, ...inner])
      const loops = [...rows, ...inner, features]
      // Scores and the products with the cotangent are made anew on both sides; keys have two gradients, queries one.
      const [products, parts] = of === 'queries' ? [3, 1] : [4, 2]
      return {
        matrix: 2 * products * scores * features,
        vector: softmaxSteps * scores,
        bytes: bytesOf(loops, [query, key, value, cotangent, ...some(mask)]) + bytesOf([...rows, ...inner, 2], [stats]) +
          parts * bytesOf(loops, [...some(carry), output]),
      }
    }
    case 'gather': {
      const { sizes, ids, table, size, output } = kernel
      // No more of the table is read than there is.
      const read = Math.min(elementsOf(sizes), size * distinct(sizes, table)) * bytesPerElement
      return { matrix: 0, vector: 0, bytes: read + bytesOf(sizes, [ids, output]) }
    }
    case 'scatter': {
      const { batch, inner, rest, ids, values } = kernel
      const loops = [...batch, ...inner, ...rest]
      const { view, sizes } = scatteredRows(kernel)
      return { matrix: 0, vector: elementsOf(loops), bytes: bytesOf(loops, [ids, values]) + bytesOf(sizes, [view]) }
    }
  }
}

const some = (view: View | null): readonly View[] => view === null ? [] : [view]

/** Elements of a view that are not the same one again. */
const distinct = (sizes: readonly number[], { strides }: View): number =>
  elementsOf(sizes.filter((size, i) => size === 0 || strides[i] !== 0))

/** Views that are one and the same are read once. */
const bytesOf = (sizes: readonly number[], views: readonly View[]): number =>
  bytesPerElement *
  views.reduce((sum, view, i) => views.findIndex((other) => sameView(view, other)) < i ? sum : sum + distinct(sizes, view), 0)

const sameView = (a: View, b: View): boolean =>
  a.buffer === b.buffer && a.offset === b.offset && a.strides.every((stride, i) => stride === b.strides[i])
