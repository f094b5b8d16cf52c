import { call, input } from '#lib/kernel/expression.ts'
import * as say from '#lib/language/messages.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { refuse } from '#lib/language/refusal.ts'
import type { LinearLayer } from '#lib/language/rules/contract.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { cutOf, namesOf } from '#lib/layout/layout.ts'
import { extraDims, sameSizes, words } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'
import { contracted } from './contract.ts'

const op: Op<{ readonly dims: string }> = {
  name: 'linear',
  shape: ([x, w, bias], { dims }) => {
    const result = contracted('linear', x!, w!, words(dims))
    if (bias !== undefined) {
      const extra = extraDims(bias, result)[0]
      if (extra !== undefined) refuse(say.noDimOn('linear', extra.name, 'left', namesOf(result)))
      sameSizes('linear', result, bias)
    }
    return result
  },
  // A biased layer must see its whole sum, so a cut summed dim is not a strategy of it.
  crossings: (operands, result, { dims }) => {
    const kind = operands.length === 3 ? 'whole' : 'sum'
    return crossByName(operands, result, Object.fromEntries(words(dims).map((dim) => [dim, kind])))
  },
  linear: [[0], [1]],
  kernel: (operands, _, { dims }) => ({
    family: 'contract', inner: words(dims), epilogue: operands.length === 3 ? call('add', input(0), input(1)) : input(0),
  }),
}

/** A layer's parameters: a weight, or a weight and a bias. */
export type LinearParameters = AnyTensor | { readonly weight: AnyTensor; readonly bias?: AnyTensor }
type WeightOf<W> = W extends AnyTensor ? W : W extends { readonly weight: infer V extends AnyTensor } ? V : never
type BiasOf<W> = W extends { readonly bias: infer B extends AnyTensor } ? B : undefined

/**
 * Σ x · weight over blank-separated dims, plus the bias where there is one. The weight's other dims come behind x's. A
 * biased layer refuses dims that are cut on both sides, since its bias must not be added before the sum is complete.
 */
export const linear = <W extends LinearParameters, const Dims extends string>(
  parameters: W, dims: Dims,
): Stage<LinearLayer<WeightOf<W>, BiasOf<W>, Dims>> => {
  const where = sourceLine()
  const { weight, bias } = 'weight' in parameters ? parameters : { weight: parameters, bias: undefined }
  return stage((x) => {
    const pending = bias === undefined ? undefined
      : words(dims).flatMap((dim) => cutOf(nodeOf(x).shape, nodeOf(x).layout, dim))[0] ?? nodeOf(x).layout.pending[0]?.axis
    const unbiased = record(op, { dims }, [x, weight], where)
    if (pending !== undefined && pending !== '?') refuse(say.biasOnPending('linear', pending, dims))
    return bias === undefined ? unbiased : record(op, { dims }, [x, weight, bias], where)
  })
}
