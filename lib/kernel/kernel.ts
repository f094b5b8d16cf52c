import type { DType } from '../dtype.ts'
import type { Expression } from './expression.ts'

/**
 * What a backend executes: seven kernel families over strided views, with every size known. A rank's program is
 * a list of these and of exchanges. Nothing here knows of dims' names, meshes or layouts.
 */

/** A strided window into a buffer; `strides` run over the kernel's loop dimensions (0 repeats), all in elements. */
export interface View {
  readonly buffer: number
  readonly type: DType
  readonly offset: number
  readonly strides: readonly number[]
}

/** out[i] = expression(in0[i], in1[i], …, indices). `origin` is added to loop positions to give `index`. */
export interface MapKernel {
  readonly kind: 'map'
  readonly sizes: readonly number[]
  readonly origin: readonly number[]
  readonly inputs: readonly View[]
  readonly expression: Expression
  readonly output: View
}

export type Combine = 'sum' | 'max' | 'min'

/**
 * For each position of the outer loops: folds over the inner loops one after another (later ones may use
 * earlier results), then the result. Loop dimensions are outer ones followed by inner ones; views' strides
 * cover both. With `per: 'row'` the output's inner strides are ignored and `result` may use folds only; with
 * `per: 'element'` it is written for every inner position. An empty inner loop gives the fold's neutral element.
 */
export interface RowKernel {
  readonly kind: 'row'
  readonly outer: readonly number[]
  readonly inner: readonly number[]
  readonly origin: readonly number[]
  readonly inputs: readonly View[]
  readonly folds: readonly { readonly combine: Combine; readonly expression: Expression }[]
  readonly result: Expression
  readonly per: 'row' | 'element'
  readonly output: View
}

/**
 * out[b, i, j] = epilogue(Σ_k left[b, i, k] · right[b, k, j], extras[b, i, j]): batch, row and column loops are in
 * the output; inner loops are summed. Loop dimensions are batch, rows, columns, inner in this order, for every
 * view (rows have stride 0 in `right`, columns in `left`, inner ones in the output and in `extras`).
 * In `epilogue`, input 0 is the sum and inputs 1… are the extras.
 */
export interface ContractKernel {
  readonly kind: 'contract'
  readonly batch: readonly number[]
  readonly rows: readonly number[]
  readonly columns: readonly number[]
  readonly inner: readonly number[]
  readonly left: View
  readonly right: View
  readonly extras: readonly View[]
  readonly epilogue: Expression
  readonly output: View
}

/**
 * out[r, :] = Σ_k softmax_k(scale · q[r, :]·key[r, k, :] (+ mask)) value[r, k, :]. Loop dimensions of all views are the
 * `rows` loops (batch, heads and queries), then the key loop, then the feature loop; queries and output have key
 * stride 0, `mask` has feature stride 0. A bool mask keeps where it is true; an f32 mask is added to the scores.
 * A row whose every key is masked out gives 0.
 *
 * Keys may come in blocks (Ring Attention, arXiv 2310.01889): with `logSum` the output has one position more along the
 * features, the logarithm of the sum of all exponentials (-∞ where there were none); such an output is the `carry` of the
 * kernel of the next block, which goes on as if all keys had been there from the beginning.
 */
export interface AttentionKernel {
  readonly kind: 'attention'
  readonly rows: readonly number[]
  readonly keys: number
  readonly features: number
  readonly scale: number
  readonly query: View
  readonly key: View
  readonly value: View
  readonly mask: View | null
  readonly carry: View | null
  readonly logSum: boolean
  readonly output: View
}

/**
 * The gradients of attention for a block of keys, from weights p = exp(scale · q·k (+ mask) - logSum) that are made anew and
 * never stored. With s = p (g·v - delta), where delta = Σ g · out: for each row of `queries` Σ scale s k over the inner loops
 * (keys); for each row of `keys` Σ scale s q, and `part` elements further on Σ p g, over the inner loops (queries). Loop
 * dimensions of all views are rows, inner ones, and the feature loop. `stats` holds logSum and then delta along the features.
 * A `carry` is added to the result; its second part lies `carryPart` elements behind the first.
 */
export interface AttentionGradientKernel {
  readonly kind: 'attention-gradient'
  readonly of: 'queries' | 'keys'
  readonly rows: readonly number[]
  readonly inner: readonly number[]
  readonly features: number
  readonly scale: number
  readonly query: View
  readonly key: View
  readonly value: View
  readonly cotangent: View
  readonly stats: View
  readonly mask: View | null
  readonly carry: View | null
  readonly output: View
  readonly part: number
  readonly carryPart: number
}

/**
 * out[i] = table[i with ids[i] at the gathered dim]. `table`'s strides run over the loop dimensions (0 where it lacks
 * them); `step` is its stride along the gathered dim of `size` entries. An id outside 0 … size-1 gives what `outside` says:
 * 0, or NaN (0 in an i32 table).
 */
export interface GatherKernel {
  readonly kind: 'gather'
  readonly sizes: readonly number[]
  readonly ids: View
  readonly table: View
  readonly step: number
  readonly size: number
  readonly outside: Outside
  readonly output: View
}

/** What looking up a row that is not there gives. */
export type Outside = 'NaN' | 'zero'

/**
 * out[b, r, f] = Σ values[b, i, f] over the positions i with ids[b, i] = first + r, in the order of i: the transpose of a
 * gather. Rows that no id names are 0; values whose id names none of the rows are left out. Loop dimensions of all views are
 * batch, inner (i) and rest (f); ids have rest stride 0, the output has inner stride 0, and `step` is its stride along the
 * `rows`. `first` is what the first of them is called: the output may be a piece of a larger table.
 */
export interface ScatterKernel {
  readonly kind: 'scatter'
  readonly batch: readonly number[]
  readonly inner: readonly number[]
  readonly rest: readonly number[]
  readonly ids: View
  readonly values: View
  readonly first: number
  readonly rows: number
  readonly step: number
  readonly output: View
}

export type Kernel =
  | MapKernel
  | RowKernel
  | ContractKernel
  | AttentionKernel
  | AttentionGradientKernel
  | GatherKernel
  | ScatterKernel

/** Every view a kernel reads, in operand order. */
export const reads = (kernel: Kernel): readonly View[] => {
  switch (kernel.kind) {
    case 'map':
    case 'row':
      return kernel.inputs
    case 'contract':
      return [kernel.left, kernel.right, ...kernel.extras]
    case 'attention':
      return [kernel.query, kernel.key, kernel.value, ...present(kernel.mask, kernel.carry)]
    case 'attention-gradient':
      return [kernel.query, kernel.key, kernel.value, kernel.cotangent, kernel.stats, ...present(kernel.mask, kernel.carry)]
    case 'gather':
      return [kernel.ids, kernel.table]
    case 'scatter':
      return [kernel.values, kernel.ids]
  }
}

const present = (...views: readonly (View | null)[]): readonly View[] => views.filter((view) => view !== null)

/** The rows that a scatter writes, as a view over its batch, rows and rest. */
export const scatteredRows = (
  { batch, inner, rest, rows, step, output }: ScatterKernel,
): { readonly view: View; readonly sizes: readonly number[] } => {
  const { strides } = output
  const view = { ...output, strides: [...strides.slice(0, batch.length), step, ...strides.slice(batch.length + inner.length)] }
  return { view, sizes: [...batch, rows, ...rest] }
}

/** A rectangular part of a buffer that travels to or from a peer as one contiguous message in loop order. */
export interface Parcel {
  readonly peer: number
  readonly sizes: readonly number[]
  readonly view: View
}

/**
 * One collective as a rank sees it: parcels to send, parcels to receive, and the part that stays. `combine` says
 * whether received elements are placed, or folded into the output in rank order, own part included (so that every
 * rank gets the same bits). `name` and `signature` are compared between ranks before any data is used.
 */
export interface Exchange {
  readonly kind: 'exchange'
  readonly name: string
  readonly signature: string
  readonly sends: readonly Parcel[]
  readonly receives: readonly Parcel[]
  /** The part of the rank's own piece that it keeps, read from `from` and written to `to`; null where nothing stays. */
  readonly keeps: { readonly sizes: readonly number[]; readonly from: View; readonly to: View } | null
  readonly combine: 'place' | Combine
}

/** A step with each of its views changed. */
export const mapViews = <S extends Kernel | Exchange>(step: S, change: (view: View) => View): S => mapped(step, change) as S
const mapped = (step: Kernel | Exchange, change: (view: View) => View): Kernel | Exchange => {
  switch (step.kind) {
    case 'map':
    case 'row':
      return { ...step, inputs: step.inputs.map(change), output: change(step.output) }
    case 'contract':
      return { ...step, left: change(step.left), right: change(step.right), extras: step.extras.map(change), output: change(step.output) }
    case 'attention':
    case 'attention-gradient': {
      const [mask, carry] = [step.mask, step.carry].map((view) => view === null ? null : change(view)) as [View | null, View | null]
      const parts = {
        query: change(step.query),
        key: change(step.key),
        value: change(step.value),
        mask,
        carry,
        output: change(step.output),
      }
      return step.kind === 'attention'
        ? { ...step, ...parts }
        : { ...step, ...parts, cotangent: change(step.cotangent), stats: change(step.stats) }
    }
    case 'gather':
      return { ...step, ids: change(step.ids), table: change(step.table), output: change(step.output) }
    case 'scatter':
      return { ...step, ids: change(step.ids), values: change(step.values), output: change(step.output) }
    case 'exchange': {
      const parcel = (of: Parcel): Parcel => ({ ...of, view: change(of.view) })
      const keeps = step.keeps === null ? null : { ...step.keeps, from: change(step.keeps.from), to: change(step.keeps.to) }
      return { ...step, sends: step.sends.map(parcel), receives: step.receives.map(parcel), keeps }
    }
  }
}

/** A rank's program: buffers by number of elements, and what to do. */
export interface RankProgram {
  readonly rank: number
  readonly ranks: number
  /** Elements of each buffer. Values that are never alive together share one. */
  readonly buffers: readonly number[]
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly steps: readonly (Kernel | Exchange)[]
  /** For messages: a short description of each step, with the program's source line where there is one. */
  readonly labels: readonly string[]
}

/** Where a rank's piece of a named input, parameter or output lies. `view` runs over `sizes` in memory order. */
export interface Port {
  readonly name: string
  readonly parameter: boolean
  readonly sizes: readonly number[]
  readonly view: View
}

export const elementsOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1)

/** Row-major strides of a contiguous tensor. */
export const contiguous = (sizes: readonly number[]): readonly number[] => {
  const strides = new Array<number>(sizes.length)
  let stride = 1
  for (let i = sizes.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= sizes[i]!
  }
  return strides
}
