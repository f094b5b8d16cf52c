import { integer, real } from '#lib/kernel/expression.ts'
import { elementsOf, scatteredRows, type ScatterKernel, type View } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import { aligned, Bindings, decodeText, namesOf, offsetText, type Shader, shader, type WithScratch } from '../emit.ts'
import { innermost, simplify } from '../loops.ts'
import { mapShader } from './map.ts'

/**
 * Three shaders: the first fills the output with zeros; the second links the positions of each row to a list, in ascending
 * order; the third adds each list up. There are no atomics: every run makes the same bits. The scratch buffer holds the first
 * position of every row, and behind those the next position of every position; -1 ends a list.
 */
export const scatterShaders = (k: ScatterKernel, scratch: number, shape: Shape): WithScratch => {
  const [batches, positions] = [elementsOf(k.batch), elementsOf(k.inner)]
  const zeros = zeroShader(k, shape)
  if (positions === 0) return { shaders: [zeros], scratch: 0 }
  const lists: Lists = {
    view: { buffer: scratch, type: 'i32', offset: 0, strides: [1] },
    heads: batches * k.rows,
    positions,
  }
  return { shaders: [zeros, listShader(k, lists, shape), sumShader(k, lists)], scratch: batches * (k.rows + positions) }
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

/** Each thread makes the lists of every n-th row, from the last position to the first: each is put in front of its list. */
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

/** Terms that are added one after another before their sum goes to the next level; levels there are above them. */
const [block, levels] = [16, 4]

/**
 * Statements that add up a list of which `i` is the first position, and the sum's text. Real numbers go through levels of blocks,
 * so that a sum of n terms is off by a few times log n ulp, and not by n (Higham, "Accuracy and Stability of Numerical
 * Algorithms", section 4.2: the error grows with the depth of the tree of additions). Integers are exact in any order.
 */
const summation = (type: string, real: boolean, value: string, next: string): { readonly walk: string; readonly total: string } => {
  const step = `sum += ${value};\n i = ${next};`
  if (!real) return { walk: `var sum = ${type}();\n while (i >= 0) { ${step} }`, total: 'sum' }
  const names = Array.from({ length: levels }, (_, level) => `level${level}`)
  const carried = names.slice(1).reduceRight(
    (deeper, name, level) =>
      `if ((blocks & ${block ** (level + 1) - 1}u) == 0u) {\n ${name} += level${level};\n level${level} = ${type}();\n ${deeper}}\n`,
    '',
  )
  const walk = `var blocks = 0u;
  ${names.map((name) => `var ${name} = ${type}();`).join(' ')}
  while (i >= 0) {
    var sum = ${type}();
    for (var n = 0; n < ${block} && i >= 0; n++) { ${step} }
    level0 += sum;
    blocks++;
    ${carried}
  }`
  return { walk, total: names.reduce((sum, name) => `(${name} + ${sum})`) }
}

/** The loops of the sums, and where in its buffer each element lies: four neighbours of a row together, where all of them do. */
const sumLoops = (k: ScatterKernel) => {
  const depth = k.batch.length
  const end = depth + k.inner.length
  const partsOf = ({ strides }: View) => [strides.slice(0, depth), strides.slice(depth, end), strides.slice(end)] as const
  const [[toBatch, , toRest], [fromBatch, fromInner, fromRest], [idBatch, idInner]] = [partsOf(k.output), partsOf(k.values), partsOf(k.ids)]
  const inner = simplify(k.inner, [fromInner, idInner])
  const rest = simplify(k.rest, [toRest, fromRest], new Set(), 0)
  const [steps, idSteps] = inner.strides as [readonly number[], readonly number[]]
  const [to, from] = rest.strides as [readonly number[], readonly number[]]
  const last = rest.sizes.at(-1) ?? 1
  const wide = rest.sizes.length > 0 && aligned(k.output.offset, [...toBatch, k.step, ...to], last) &&
    aligned(k.values.offset, [...fromBatch, ...steps, ...from], last)
  const groups = wide ? [...rest.sizes.slice(0, -1), last / 4] : rest.sizes
  const scaled = (strides: readonly number[]): readonly number[] => wide ? [...strides.slice(0, -1), 4 * innermost(strides)] : strides
  const [batchNames, innerNames, restNames] = [namesOf(k.batch, 'p'), namesOf(inner.sizes, 'q'), namesOf(groups, 'r')]
  return {
    wide,
    groups,
    inner: inner.sizes,
    /** Of an id, and of the values and the row that go with a group. */
    id: offsetText(k.ids.offset, [...batchNames, ...innerNames], [...idBatch, ...idSteps]),
    base: offsetText(k.values.offset, [...batchNames, ...restNames], [...fromBatch, ...scaled(from)]),
    place: offsetText(k.output.offset, [...batchNames, 'row', ...restNames], [...toBatch, k.step, ...scaled(to)]),
    /** From the base of the values to those of a position. */
    step: offsetText(0, innerNames, steps),
  }
}

/**
 * A thread for each position and each group of features: that of the first position of a row adds the row up, the others have
 * nothing to do.
 */
const sumShader = (k: ScatterKernel, { view, heads, positions }: Lists): Shader => {
  const { wide, groups, inner, id, base, place, step } = sumLoops(k)
  const width = wide ? 4 : 1
  const at = (text: string): string => wide ? `(${text}) / 4` : text
  const bindings = new Bindings()
  const out = bindings.output(k.output, width)
  const lists = bindings.input(view)
  const ids = bindings.input(k.ids)
  const values = bindings.input(k.values, width)
  const type = wide ? `vec4<${k.output.type}>` : k.output.type
  const { walk, total } = summation(type, k.output.type === 'f32', `${values}[${at('base + offset(i)')}]`, `${lists}[links + i]`)
  const perPosition = elementsOf(groups)
  return shader({
    bindings,
    declarations: [`fn offset(i: i32) -> i32 {\n  var t = u32(i);\n  ${decodeText('t', inner, 'q')}\n  return ${step};\n}`],
    count: elementsOf(k.batch) * positions * perPosition,
    workgroup: 64,
    body: `let batch = i32(thread / ${perPosition * positions}u);
  var i = i32(thread / ${perPosition}u) - batch * ${positions};
  var t = u32(batch);
  ${decodeText('t', k.batch, 'p')}
  t = u32(i);
  ${decodeText('t', inner, 'q')}
  t = thread % ${perPosition}u;
  ${decodeText('t', groups, 'r')}
  let row = ${ids}[${id}] - ${k.first};
  if (row < 0 || row >= ${k.rows}) { return; }
  if (${lists}[batch * ${k.rows} + row] != i) { return; }
  let base = ${base};
  let links = ${heads} + batch * ${positions};
  ${walk}
  ${out}[${at(place)}] = ${total};`,
  })
}
