import { input } from '#lib/kernel/expression.ts'
import { record } from '#lib/language/record.ts'
import type { Contract } from '#lib/language/rules/contract.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import type { Shape } from '#lib/layout/layout.ts'
import { extraDims, needDims, needKind, sameSizes, sameType, without, words } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

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

const op: Op<{ readonly dims: string }> = {
  name: 'contract',
  shape: ([x, w], { dims }) => contracted('contract', x!, w!, words(dims)),
  crossings: (operands, result, { dims }) => crossByName(operands, result, Object.fromEntries(words(dims).map((dim) => [dim, 'sum']))),
  linear: [[0], [1]],
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
