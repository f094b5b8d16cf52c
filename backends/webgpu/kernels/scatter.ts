import { integer, real } from '#lib/kernel/expression.ts'
import { elementsOf, type ScatterKernel, scatteredRows, type View } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import { aligned, Bindings, decodeText, namesOf, offsetText, type Shader, shader } from '../emit.ts'
import { innermost, simplify } from '../loops.ts'
import { mapShader } from './map.ts'

/** Shaders that run one after another, and the elements of a scratch buffer that they share. */
export interface WithScratch {
  readonly shaders: readonly Shader[]
  readonly scratch: number
}

/**
 * Two shaders, the same bits on every run (there are no atomics): the first links the positions of each row to a list, in
 * ascending order; the second adds each row up along its list and writes 0 where there is none, so that each element of the
 * output is written once. The scratch buffer holds the first position of every row, and behind that the next position of every
 * position; -1 ends a list. Time is that of the ids and values read once, and of the output written once.
 */
export const scatterShaders = (k: ScatterKernel, scratch: number, shape: Shape): WithScratch => {
  const [batches, positions] = [elementsOf(k.batch), elementsOf(k.inner)]
  if (positions === 0) return { shaders: [zeroShader(k, shape)], scratch: 0 }
  const lists: Lists = {
    view: { buffer: scratch, type: 'i32', offset: 0, strides: [1] },
    heads: batches * k.rows,
    positions,
  }
  return { shaders: [listShader(k, lists, shape), sumShader(k, lists, shape)], scratch: batches * (k.rows + positions) }
}

interface Lists {
  readonly view: View
  /** How many lists there are: elements before the links. */
  readonly heads: number
  /** Links of each batch. */
  readonly positions: number
}

const zeroShader = (k: ScatterKernel, shape: Shape): Shader => {
  const { view, sizes } = scatteredRows(k)
  const expression = view.type === 'f32' ? real(0) : integer(0)
  return mapShader({ kind: 'map', sizes, origin: sizes.map(() => 0), inputs: [], expression, output: view }, shape)
}

// ---- lists ---------------------------------------------------------------------------------------------------------

/** Threads that make lists: each of them looks at all ids of its batch, so an emulated GPU has few. */
const listThreads = (shape: Shape): number => shape === 'gpu' ? 4096 : 16

/** A power of two, so that a thread knows its rows by their last bits. */
const sharesOf = (batches: number, rows: number, shape: Shape): number => {
  let shares = 1
  while (2 * shares * batches <= listThreads(shape) && shares < rows) shares *= 2
  return shares
}

/** Each thread makes the lists of every n-th row, from the last position to the first: what is put in front comes first. */
const listShader = (k: ScatterKernel, { view, heads, positions }: Lists, shape: Shape): Shader => {
  const shares = sharesOf(elementsOf(k.batch), k.rows, shape)
  const depth = k.batch.length
  const { sizes: inner, strides: [steps] } = simplify(k.inner, [k.ids.strides.slice(depth, depth + k.inner.length)])
  const bindings = new Bindings()
  const lists = bindings.output(view)
  const ids = bindings.input(k.ids)
  const id = `${ids}[${offsetText('start', namesOf(inner, 'q'), steps!)}]`
  const count = elementsOf(k.batch) * shares
  return shader({
    bindings,
    declarations: [],
    count,
    workgroup: shape === 'cpu' ? 4 : 64,
    body: `let batch = i32(thread / ${shares}u);
  let share = i32(thread % ${shares}u);
  var t = thread / ${shares}u;
  ${decodeText('t', k.batch, 'p')}
  let heads = batch * ${k.rows};
  let links = ${heads} + batch * ${positions};
  let start = ${offsetText(k.ids.offset, namesOf(k.batch, 'p'), k.ids.strides.slice(0, depth))};
  for (var row = share; row < ${k.rows}; row += ${shares}) { ${lists}[heads + row] = -1; }
  for (var i = ${positions - 1}; i >= 0; i--) {
    var n = u32(i);
    ${decodeText('n', inner, 'q')}
    let row = ${id} - ${k.first};
    if (row >= 0 && row < ${k.rows} && (row & ${shares - 1}) == share) {
      ${lists}[links + i] = ${lists}[heads + row];
      ${lists}[heads + row] = i;
    }
  }`,
  })
}

// ---- sums ----------------------------------------------------------------------------------------------------------

/** Terms that are added one after another before their sum goes to the next level; levels there are. */
const [block, levels] = [16, 5]

/**
 * Statements that add `value` to a sum, and the sum's text. Real numbers go through levels of blocks, so that a sum of n
 * terms is off by a few times log n ulp, and not by n (Higham, "Accuracy and Stability of Numerical Algorithms", section 4.2:
 * the error of a sum grows with the depth of its tree). Integers are exact in any order.
 */
const summation = (type: string, real: boolean): { readonly start: string; readonly add: string; readonly total: string } => {
  if (!real) return { start: `var sum = ${type}();`, add: 'sum += value;', total: 'sum' }
  const names = Array.from({ length: levels }, (_, level) => `sum${level}`)
  const carried = names.slice(1).reduceRight(
    (deeper, name, level) =>
      `if ((count & ${block ** (level + 1) - 1}u) == 0u) { ${name} += sum${level}; sum${level} = ${type}(); ${deeper} }`,
    '',
  )
  return {
    start: `var count = 0u; ${names.map((name) => `var ${name} = ${type}();`).join(' ')}`,
    add: `${names[0]!} += value; count++; ${carried}`,
    total: names.reduce((sum, name) => `(${name} + ${sum})`),
  }
}

/** How many sums one thread makes, as in a map. */
const sumsPerThread = (shape: Shape, count: number): number => shape === 'gpu' || count < 4096 ? 1 : 4

/** One thread adds up four neighbours of a row where values and output allow it, else one element. */
const sumShader = (k: ScatterKernel, { view, heads, positions }: Lists, shape: Shape): Shader => {
  const depth = k.batch.length
  const end = depth + k.inner.length
  const views = [k.output.strides, k.values.strides]
  const inner = simplify(k.inner, [k.values.strides.slice(depth, end)])
  const rest = simplify(k.rest, views.map((strides) => strides.slice(end)), new Set(), 0)
  const [toRest, fromRest] = rest.strides as [readonly number[], readonly number[]]
  const last = rest.sizes.at(-1) ?? 1
  const batchOf = (strides: readonly number[]): readonly number[] => strides.slice(0, depth)
  const width = rest.sizes.length > 0 && aligned(k.output.offset, [...batchOf(k.output.strides), k.step, ...toRest], last) &&
      aligned(k.values.offset, [...batchOf(k.values.strides), ...inner.strides[0]!, ...fromRest], last)
    ? 4
    : 1
  const groups = width === 4 ? [...rest.sizes.slice(0, -1), last / 4] : rest.sizes
  const scaled = (strides: readonly number[]): readonly number[] => width === 1 ? strides : [...strides.slice(0, -1), 4 * innermost(strides)]
  const at = (text: string): string => width === 4 ? `(${text}) / 4` : text

  const bindings = new Bindings()
  const out = bindings.output(k.output, width)
  const lists = bindings.input(view)
  const values = bindings.input(k.values, width)
  const type = width === 4 ? `vec4<${k.output.type}>` : k.output.type
  const { start: sums, add, total } = summation(type, k.output.type === 'f32')

  const loops = [...k.batch, k.rows, ...groups]
  const names = namesOf(loops, 'p')
  const restNames = names.slice(depth + 1)
  const perBatch = k.rows * elementsOf(groups)
  const from = offsetText(k.values.offset, [...names.slice(0, depth), ...restNames], [...batchOf(k.values.strides), ...scaled(fromRest)])
  const to = offsetText(k.output.offset, names, [...batchOf(k.output.strides), k.step, ...scaled(toRest)])
  const work = (linear: string): string =>
    `let batch = i32(${linear} / ${perBatch}u);
  var t = ${linear};
  ${decodeText('t', loops, 'p')}
  let start = ${from};
  ${sums}
  for (var i = ${lists}[batch * ${k.rows} + p${depth}]; i >= 0; i = ${lists}[${heads} + batch * ${positions} + i]) {
    var n = u32(i);
    ${decodeText('n', inner.sizes, 'q')}
    let value = ${values}[${at(offsetText('start', namesOf(inner.sizes, 'q'), inner.strides[0]!))}];
    ${add}
  }
  ${out}[${at(to)}] = ${total};`
  const count = elementsOf(loops)
  const each = sumsPerThread(shape, count)
  return shader({
    bindings,
    declarations: [],
    count: Math.ceil(count / each),
    workgroup: 64,
    body: each === 1
      ? work('thread')
      : `for (var g = thread * ${each}u; g < min(thread * ${each}u + ${each}u, ${count}u); g++) {\n  ${work('g')}\n  }`,
  })
}
