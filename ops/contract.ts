import { besideSums } from '#lib/grad/cotangent.ts'
import { fused } from '#lib/grad/fused.ts'
import { call, input } from '#lib/kernel/expression.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import type { Contract } from '#lib/language/rules/contract.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { type Shape, sizeOf } from '#lib/layout/layout.ts'
import { extraDims, needDims, needKind, sameSizes, sameType, without, words } from '#lib/layout/shapes.ts'
import { crossByName, type Differential, type Op } from '#lib/op.ts'

/** The shape of a contraction; `name` is the op that speaks, a and b what it calls its operands. */
export const contracted = (name: string, x: Shape, w: Shape, dims: readonly string[], a = 'left', b = 'right'): Shape => {
  needDims(name, x, dims, a)
  needDims(name, w, dims, b)
  sameSizes(name, x, w, a, b)
  needKind(name, x, 'real', a)
  sameType(name, x, w, a, b)
  const left = without(x, dims)
  return { ...left, dims: [...left.dims, ...extraDims(without(w, dims), x)] }
}

/** Σ x · y over all dims that the result lacks, its dims in any order: what the gradients of a contraction are. */
const productSum: Op<{ readonly dims: string; readonly inner: string }> = {
  name: 'contract gradient',
  shape: ([x, y], { dims }) => ({
    ...x!,
    dims: (dims === '' ? [] : words(dims)).map((name) => [...x!.dims, ...y!.dims].find((dim) => dim.name === name)!),
  }),
  crossings: (operands, result, { inner }) => crossByName(operands, result, Object.fromEntries(words(inner).map((dim) => [dim, 'sum']))),
  linear: [[0], [1]],
  gradient: (of) => contractGradients(of),
  kernel: (_, __, { inner }) => ({ family: 'contract', inner: words(inner), epilogue: input(0) }),
}

/** Σ x · y over the dims that `to` lacks. */
export const contractTo = (x: AnyTensor, y: AnyTensor, to: Shape): AnyTensor => {
  const shapes = [nodeOf(x).shape, nodeOf(y).shape] as const
  const inner = without(shapes[0], to.dims.map(({ name }) => name)).dims.filter(({ name }) => sizeOf(shapes[1], name) !== undefined)
  const dims = to.dims.map(({ name }) => name).join(' ')
  return inner.length === 0
    ? fused({ name: 'contract gradient', operands: [x, y], result: to, expression: call('multiply', input(0), input(1)), linear: [0, 1] })
    : record(productSum, { dims, inner: inner.map(({ name }) => name).join(' ') }, [x, y], sourceLine())
}

/** Of a sum of products, the gradient by one factor is a sum of the products with the other one (and the same for any op that is one). */
export const contractGradients = ({ operands: [x, w], cotangent }: Pick<Differential, 'operands' | 'cotangent'>) => [
  () => contractTo(besideSums(cotangent, [w!]), w!, nodeOf(x!).shape),
  () => contractTo(besideSums(cotangent, [x!]), x!, nodeOf(w!).shape),
]

const op: Op<{ readonly dims: string }> = {
  name: 'contract',
  shape: ([x, w], { dims }) => contracted('contract', x!, w!, words(dims)),
  crossings: (operands, result, { dims }) => crossByName(operands, result, Object.fromEntries(words(dims).map((dim) => [dim, 'sum']))),
  linear: [[0], [1]],
  gradient: contractGradients,
  kernel: (_, __, { dims }) => ({ family: 'contract', inner: words(dims), epilogue: input(0) }),
}

/**
 * Σ x · w over blank-separated dims, matched by name (einsum): other dims that both have run along, and the result has
 * x's dims, then w's own. Where a summed dim is cut on both sides by the same axes, the result is a pending sum.
 */
export const contract = <W extends AnyTensor, const Dims extends string>(w: W, dims: Dims): Stage<Contract<W, Dims>> => {
  const where = sourceLine()
  return stage((x) => record(op, { dims }, [x, w], where))
}
