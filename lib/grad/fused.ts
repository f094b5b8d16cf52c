import type { DType } from '../dtype.ts'
import { type Expression, substitute } from '../kernel/expression.ts'
import type { RowTemplate, Template } from '../kernel/template.ts'
import { readSpec } from '../language/read-spec.ts'
import { noMesh } from '../language/mesh.ts'
import { nodeOf, record } from '../language/record.ts'
import { refuse } from '../language/refusal.ts'
import { sourceLine } from '../language/source.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { cross } from '../layout/cross.ts'
import type { Placed } from '../layout/fixes.ts'
import { cutOf, type Layout, printSpec, type Shape, sizeOf, wholeLayout } from '../layout/layout.ts'
import { words } from '../layout/shapes.ts'
import { type Attributes, crossByName, type Op } from '../op.ts'

/**
 * One kernel of arithmetic that is only known while a program is being traced: what gradients are made of. Without
 * folds it is a map over the result's dims; with one that goes away (`per` row) a sum over the inner dims; with others
 * (`per` element) the inner dims must be whole.
 */
export interface Fusion {
  readonly name: string
  readonly operands: readonly AnyTensor[]
  readonly result: Shape
  readonly inner?: readonly string[]
  readonly folds?: RowTemplate['folds']
  readonly per?: RowTemplate['per']
  readonly expression: Expression
  /** The operands in which it is linear, each by itself. */
  readonly linear?: readonly number[]
  /** How dims lie that no operand has, along which the result repeats: like those of this tensor. */
  readonly like?: AnyTensor
}

type FusedAttributes = {
  readonly dims: string
  readonly type: DType
  readonly inner: string
  readonly folds: readonly { readonly combine: 'sum' | 'max' | 'min'; readonly expression: Expression }[]
  readonly per: 'row' | 'element'
  readonly expression: Expression
}

const fusedOp = (name: string, linear: readonly number[]): Op<FusedAttributes> => ({
  name,
  shape: (_, { dims, type }) => readSpec(name, dims, type).shape,
  crossings: (operands, result, { inner, per }) =>
    crossByName(operands, result, Object.fromEntries(listOf(inner).map((dim) => [dim, per === 'row' ? 'sum' : 'whole']))),
  linear: linear.map((operand) => [operand]),
  kernel: (_, __, { inner, folds, per, expression }): Template =>
    folds.length === 0 ? { family: 'map', expression } : { family: 'row', inner: listOf(inner), folds, result: expression, per },
})

const listOf = (dims: string): readonly string[] => dims === '' ? [] : words(dims)

/** One op for each name and kind of linearity, so that equal operations of a graph are seen to be equal. */
const ops = new Map<string, Op<FusedAttributes>>()
const opFor = (name: string, linear: readonly number[]): Op<FusedAttributes> => {
  const key = `${name} ${linear.join(' ')}`
  const op = ops.get(key) ?? fusedOp(name, linear)
  ops.set(key, op)
  return op
}

/** Records a fusion. Operands that its arithmetic does not use are left out. */
export const fused = (
  { name, operands, result, inner = [], folds = [], per = 'element', expression, linear = [], like }: Fusion,
): AnyTensor => {
  const used = new Set([expression, ...folds.map((one) => one.expression)].flatMap(inputsOf))
  const kept = operands.flatMap((_, n) => used.has(n) ? [n] : [])
  const renumber = (e: Expression): Expression => substitute(e, (leaf) => 'input' in leaf ? { input: kept.indexOf(leaf.input) } : leaf)
  const attributes: FusedAttributes & Attributes = {
    dims: printSpec(result, wholeLayout(result)),
    type: result.type,
    inner: folds.length === 0 ? '' : inner.join(' '),
    folds: folds.map(({ combine, expression }) => ({ combine, expression: renumber(expression) })),
    per,
    expression: renumber(expression),
  }
  const op = opFor(name, linear.flatMap((n) => kept.includes(n) ? [kept.indexOf(n)] : []))
  const inputs = kept.map((n) => operands[n]!)
  if (like === undefined) return record(op, attributes, inputs, sourceLine())
  return record(op, attributes, inputs, sourceLine(), (shape, _, mesh) => {
    const placed = inputs.map(nodeOf)
    const shapes = placed.map((node) => node.shape)
    const crossings = op.crossings(shapes, shape, attributes)
    const crossed = cross({ name, crossings, linear: op.linear, sides: undefined }, placed, shape, mesh ?? noMesh)
    return typeof crossed === 'string' ? refuse(crossed) : spread(shape, crossed, shapes, nodeOf(like))
  })
}

/** A layout in which dims that none of the shapes has lie as those of `like`. */
const spread = (shape: Shape, crossed: Layout, shapes: readonly Shape[], like: Placed): Layout => {
  const taken = [...crossed.cuts.flat(), ...crossed.pending.map(({ axis }) => axis)]
  const cuts = shape.dims.map(({ name }, i) => {
    const cut = cutOf(like.shape, like.layout, name)
    return shapes.some((one) => sizeOf(one, name) !== undefined) || cut.some((axis) => taken.includes(axis)) ? crossed.cuts[i]! : cut
  })
  return { ...crossed, cuts }
}

/** The numbers of the inputs that an expression uses. */
const inputsOf = (e: Expression): readonly number[] => 'input' in e ? [e.input] : 'call' in e ? e.of.flatMap(inputsOf) : []
