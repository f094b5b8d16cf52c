import { derivative, plus, times } from '../kernel/derivative.ts'
import { call, type Expression, fold, index, input, real, substitute } from '../kernel/expression.ts'
import type { RowTemplate, Template } from '../kernel/template.ts'
import { nodeOf } from '../language/record.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { type Dim, type Shape, sizeOf } from '../layout/layout.ts'
import type { Op } from '../op.ts'
import { besideSums } from './cotangent.ts'
import { fused } from './fused.ts'

/**
 * The gradient of one operand of a map or of a row kernel, from the arithmetic of the kernel itself; null where it
 * is 0. Extremes inside of a row (the largest element, that softmax subtracts) count as constants, since a result that they
 * only steady does not depend on them.
 */
export const templateGradient = (
  { name, linear }: Pick<Op, 'name' | 'linear'>,
  template: Extract<Template, { family: 'map' | 'row' }>,
  operands: readonly AnyTensor[],
  result: Shape,
  cotangent: AnyTensor,
  operand: number,
): AnyTensor | null => {
  const shapes = operands.map((tensor) => nodeOf(tensor).shape)
  const inner = template.family === 'row' ? template.inner : []
  // Loops run over the result's dims, and over those that are folded away.
  const away = inner.filter((dim) => sizeOf(result, dim) === undefined)
  const loops: Shape = { type: 'f32', dims: [...result.dims, ...away.map((dim) => ({ name: dim, size: sizeAmong(shapes, dim) }))] }
  const pulled = template.family === 'map'
    ? { folds: [], expression: times(input(operands.length), derivative(template.expression, { input: operand })) }
    : pullRow(template, operand, operands.length)
  if (pulled.expression === null) return null
  const order = [...result.dims.filter(({ name: dim }) => !inner.includes(dim)).map(({ name: dim }) => dim), ...inner]
  // What is linear in some operands is so in its derivative by another one: those that are pending sums may stay so.
  const factors = linear.filter((set) => !set.includes(operand)).flat()
  const named = template.family === 'map' ? result.dims.map(({ name: dim }) => dim) : order
  return reduced({
    name: `${name} gradient`,
    operands: [...operands, besideSums(cotangent, factors.map((n) => operands[n]!))],
    linear: [...factors, operands.length],
    loops,
    inner,
    ...pulled,
    expression: pulled.expression,
    to: shapes[operand]!,
    like: operands[operand]!,
    indices: named,
  })
}

interface Pulled {
  readonly name: string
  readonly operands: readonly AnyTensor[]
  /** The operands in which it is linear, each by itself. */
  readonly linear: readonly number[]
  readonly loops: Shape
  readonly inner: readonly string[]
  readonly folds: RowTemplate['folds']
  readonly expression: Expression
  readonly to: Shape
  readonly like: AnyTensor
  /** The names of the dims that positions are counted along. */
  readonly indices: readonly string[]
}

/** Records an element-by-element gradient, summed over the dims that the operand lacks: it met them again and again. */
const reduced = ({ name, operands, linear, loops, inner, folds, expression, to, like, indices }: Pulled): AnyTensor => {
  const missing = loops.dims.filter(({ name: dim }) => sizeOf(to, dim) === undefined)
  const reindexed = (dims: readonly Dim[]) => (e: Expression): Expression =>
    substitute(e, (leaf) => 'index' in leaf ? index(dims.findIndex(({ name: dim }) => dim === indices[leaf.index])) : leaf)
  if (folds.length > 0) {
    const element = reindexed([
      ...loops.dims.filter(({ name: dim }) => !inner.includes(dim)),
      ...loops.dims.filter(({ name: dim }) => inner.includes(dim)),
    ])
    const whole = fused({
      name,
      operands,
      result: missing.length === 0 ? to : loops,
      inner,
      folds: folds.map((one) => ({ ...one, expression: element(one.expression) })),
      expression: element(expression),
      linear,
      like,
    })
    return missing.length === 0 ? whole : sumTo(name, whole, to)
  }
  if (missing.length === 0) return fused({ name, operands, result: to, expression: reindexed(to.dims)(expression), linear, like })
  // A dim that no operand has any more repeats the same number.
  const [there, gone] = [missing.filter((dim) => hasDim(operands, dim.name)), missing.filter((dim) => !hasDim(operands, dim.name))]
  const count = gone.reduce((product, { size }) => product * size, 1)
  const counted = count === 1 ? expression : call('multiply', expression, real(count))
  return there.length === 0 ? fused({ name, operands, result: to, expression: reindexed(to.dims)(counted), linear, like }) : fused({
    name,
    operands,
    result: to,
    inner: there.map(({ name: dim }) => dim),
    folds: [{ combine: 'sum', expression: reindexed([...to.dims, ...there])(counted) }],
    per: 'row',
    expression: fold(0),
    linear,
  })
}

/** A tensor summed over the dims that a shape lacks, in the order of that shape. */
export const sumTo = (name: string, x: AnyTensor, to: Shape): AnyTensor => {
  const missing = nodeOf(x).shape.dims.filter(({ name: dim }) => sizeOf(to, dim) === undefined).map(({ name: dim }) => dim)
  const folds = missing.length === 0
    ? {}
    : { inner: missing, folds: [{ combine: 'sum' as const, expression: input(0) }], per: 'row' as const }
  return fused({ name, operands: [x], result: to, ...folds, expression: missing.length === 0 ? input(0) : fold(0), linear: [0] })
}

const hasDim = (operands: readonly AnyTensor[], dim: string): boolean =>
  operands.some((tensor) => sizeOf(nodeOf(tensor).shape, dim) !== undefined)
const sizeAmong = (shapes: readonly Shape[], dim: string): number =>
  shapes.map((shape) => sizeOf(shape, dim)).find((size) => size !== undefined) ?? 1

/**
 * Reverse mode inside of a row: the adjoint of each fold is a fold of its own (or, where the result is one per row, an
 * expression), computed after those that it needs. Input `cotangent` is the result's gradient.
 */
const pullRow = (
  { folds, result, per }: RowTemplate,
  operand: number,
  cotangent: number,
): { readonly folds: RowTemplate['folds']; readonly expression: Expression | null } => {
  const all: RowTemplate['folds'][number][] = [...folds]
  const adjoints = new Map<number, Expression>()
  const h = input(cotangent)
  for (let k = folds.length - 1; k >= 0; k--) {
    if (folds[k]!.combine !== 'sum') continue
    const direct = times(h, derivative(result, { fold: k }))
    const later = folds.reduce<Expression | null>(
      (sum, { expression }, m) => m <= k ? sum : plus(sum, times(adjoints.get(m) ?? null, derivative(expression, { fold: k }))),
      null,
    )
    const folded = per === 'row' ? later : plus(direct, later)
    const sum = folded === null ? null : fold(all.push({ combine: 'sum', expression: folded }) - 1)
    const adjoint = per === 'row' ? plus(direct, sum) : sum
    if (adjoint !== null) adjoints.set(k, adjoint)
  }
  const expression = folds.reduce<Expression | null>(
    (sum, fold, k) => plus(sum, times(adjoints.get(k) ?? null, derivative(fold.expression, { input: operand }))),
    per === 'row' ? null : times(h, derivative(result, { input: operand })),
  )
  return expression === null ? { folds: [], expression } : onlyUsed(all, expression)
}

/** Drops the folds that nothing uses. */
const onlyUsed = (
  folds: RowTemplate['folds'],
  expression: Expression,
): { readonly folds: RowTemplate['folds']; readonly expression: Expression } => {
  const used = new Set<number>()
  const mark = (e: Expression): void => {
    if ('call' in e) e.of.forEach(mark)
    else if ('fold' in e && !used.has(e.fold)) {
      used.add(e.fold)
      mark(folds[e.fold]!.expression)
    }
  }
  mark(expression)
  const kept = [...used].sort((a, b) => a - b)
  const renumber = (e: Expression): Expression => substitute(e, (leaf) => 'fold' in leaf ? fold(kept.indexOf(leaf.fold)) : leaf)
  return {
    folds: kept.map((n) => ({ ...folds[n]!, expression: renumber(folds[n]!.expression) })),
    expression: renumber(expression),
  }
}
