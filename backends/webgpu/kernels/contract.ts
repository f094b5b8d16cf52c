import { type ContractKernel, elementsOf, type View } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import type { Shader } from '../emit.ts'
import { innermost, simplify } from '../loops.ts'
import { blockShader } from './contract_block.ts'
import { tileShader } from './contract_tile.ts'

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

export const contractShader = (k: ContractKernel, shape: Shape): Shader => {
  const c = better(contractionOf(k))
  const large = elementsOf(c.rows) >= 32 && elementsOf(c.columns) >= 32 && elementsOf(c.inner) >= 16
  return shape === 'gpu' && large ? tileShader(c) : blockShader(c)
}
