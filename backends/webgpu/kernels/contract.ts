import { inPairs, input, substitute } from '#lib/kernel/expression.ts'
import { contiguous, type ContractKernel, elementsOf, type View } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import type { WithScratch } from '../emit.ts'
import { innermost, simplify } from '../loops.ts'
import { blockShader } from './contract_block.ts'
import { tile, tileShader } from './contract_tile.ts'
import { mapShader } from './map.ts'

/** A view's strides over each of a contraction's loop groups, after simplification. */
export interface Operand {
  readonly view: View
  readonly batch: readonly number[]
  readonly rows: readonly number[]
  readonly columns: readonly number[]
  readonly inner: readonly number[]
}

/** A contraction ready to be written as WGSL. */
export interface Contraction {
  readonly batch: readonly number[]
  readonly rows: readonly number[]
  readonly columns: readonly number[]
  readonly inner: readonly number[]
  readonly left: Operand
  readonly right: Operand
  readonly extras: readonly Operand[]
  readonly output: Operand
  readonly epilogue: ContractKernel['epilogue']
}

const groupNames = ['batch', 'rows', 'columns', 'inner'] as const

/** Simplifies each loop group on its own: groups never merge with one another. */
const contractionOf = (k: ContractKernel): Contraction => {
  const views = [k.output, k.left, k.right, ...k.extras]
  let first = 0
  const groups = groupNames.map((name) => {
    const sizes = k[name]
    const strides = views.map((view) => view.strides.slice(first, first + sizes.length))
    first += sizes.length
    return simplify(sizes, strides)
  })
  const operands = views.map((view, n): Operand => {
    const [batch, rows, columns, inner] = groups.map(({ strides }) => strides[n]!) as [number[], number[], number[], number[]]
    return { view, batch, rows, columns, inner }
  })
  const [batch, rows, columns, inner] = groups.map(({ sizes }) => sizes) as [number[], number[], number[], number[]]
  const [output, left, right, ...extras] = operands as [Operand, Operand, Operand, ...Operand[]]
  return { batch, rows, columns, inner, left, right, extras, output, epilogue: k.epilogue }
}

const turned = (o: Operand): Operand => ({ ...o, rows: o.columns, columns: o.rows })

/** The same contraction with rows and columns, left and right changed over. */
const transposed = (c: Contraction): Contraction => ({
  ...c,
  rows: c.columns,
  columns: c.rows,
  left: turned(c.right),
  right: turned(c.left),
  extras: c.extras.map(turned),
  output: turned(c.output),
})

/** Columns should be many, and lie together in the output: four at a time are computed and written. */
const better = (c: Contraction): Contraction => {
  const rows = elementsOf(c.rows)
  const columns = elementsOf(c.columns)
  const turn = columns < 4 ? rows > columns : rows >= 4 && innermost(c.output.columns) !== 1 && innermost(c.output.rows) === 1
  return turn ? transposed(c) : c
}

/** Workgroups that keep a real GPU busy, inner positions that make a part worth while, and parts that one expression adds up. */
const [enoughWorkgroups, leastLength, mostParts] = [512, 256, 32]

/** Into how many parts the inner positions are split, where a real GPU has too few tiles to be busy. */
const partsOf = (k: ContractKernel): number => {
  const along = (sizes: readonly number[]): number => Math.ceil(elementsOf(sizes) / tile)
  const tiles = elementsOf(k.batch) * along(k.rows) * along(k.columns)
  return Math.max(1, Math.min(Math.floor(elementsOf(k.inner) / leastLength), Math.floor(enoughWorkgroups / tiles), mostParts))
}

/** The parts' sums side by side in the scratch buffer, and a map that adds them up and goes on with the epilogue. */
const splitShaders = (k: ContractKernel, parts: number, scratch: number, shape: Shape): WithScratch => {
  const sizes = [...k.batch, ...k.rows, ...k.columns]
  const results = elementsOf(sizes)
  const outer = (view: View): View => ({ ...view, strides: view.strides.slice(0, sizes.length) })
  const sumsOf = (part: number): View => ({ buffer: scratch, type: 'f32', offset: part * results, strides: contiguous(sizes) })
  const output = { ...sumsOf(0), strides: [...contiguous(sizes), ...k.inner.map(() => 0)] }
  const sum = inPairs('add', Array.from({ length: parts }, (_, n) => input(n)))
  const expression = substitute(k.epilogue, (leaf) => 'input' in leaf ? leaf.input === 0 ? sum : input(parts + leaf.input - 1) : leaf)
  const adding = mapShader({
    kind: 'map',
    sizes,
    origin: sizes.map(() => 0),
    inputs: [...Array.from({ length: parts }, (_, part) => sumsOf(part)), ...k.extras.map(outer)],
    expression,
    output: outer(k.output),
  }, shape)
  const tiles = tileShader(better(contractionOf({ ...k, extras: [], epilogue: input(0), output })), parts)
  return { shaders: [tiles, adding], scratch: parts * results }
}

export const contractShaders = (k: ContractKernel, shape: Shape, scratch: number): WithScratch => {
  const large = elementsOf(k.rows) >= 32 && elementsOf(k.columns) >= 32 && elementsOf(k.inner) >= 16
  const parts = shape === 'gpu' && large && k.left.type === 'f32' ? partsOf(k) : 1
  if (parts > 1) return splitShaders(k, parts, scratch, shape)
  const c = better(contractionOf(k))
  return { shaders: [shape === 'gpu' && large ? tileShader(c) : blockShader(c)], scratch: 0 }
}
