import { sumTo } from '#lib/grad/template.ts'
import { call, input } from '#lib/kernel/expression.ts'
import * as say from '#lib/language/messages.ts'
import { knownOptions } from '#lib/language/options.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { atLine, refuse } from '#lib/language/refusal.ts'
import type { LinearLayer } from '#lib/language/rules/contract.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { type Mesh, noMesh } from '#lib/language/mesh.ts'
import { axesOf, cross } from '#lib/layout/cross.ts'
import { finish, type Placed } from '#lib/layout/fixes.ts'
import type { Layout } from '#lib/layout/layout.ts'
import { noExtra, sameSizes, sameType, words } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'
import { contracted, contractGradients } from './contract.ts'

const shape: Op<{ readonly dims: string }>['shape'] = ([x, weight, bias], { dims }) => {
  const result = contracted('linear', x!, weight!, words(dims), 'input', 'weight')
  if (bias !== undefined) {
    noExtra('linear', bias, result, 'result')
    sameSizes('linear', result, bias, 'result', 'bias')
    sameType('linear', result, bias, 'result', 'bias')
  }
  return result
}

const op: Op<{ readonly dims: string }> = {
  name: 'linear',
  sides: () => ['input', 'weight'],
  shape,
  crossings: (operands, result, { dims }) => crossByName(operands, result, Object.fromEntries(words(dims).map((dim) => [dim, 'sum']))),
  linear: [[0], [1]],
  gradient: contractGradients,
  kernel: (_, __, { dims }) => ({ family: 'contract', inner: words(dims), epilogue: input(0) }),
}

/** With a bias, which must meet the whole sum: a cut summed dim, or a pending operand, is no strategy of it. */
const biased: Op<{ readonly dims: string }> = {
  name: 'linear',
  shape,
  crossings: (operands, result, { dims }) => crossByName(operands, result, Object.fromEntries(words(dims).map((dim) => [dim, 'whole']))),
  linear: [],
  gradient: (of) => [...contractGradients(of), () => sumTo('linear gradient', of.cotangent, nodeOf(of.operands[2]!).shape)],
  kernel: (_, __, { dims }) => ({ family: 'contract', inner: words(dims), epilogue: call('add', input(0), input(1)) }),
}

/** The layout of a sum with its bias added. */
const withBias = (sum: Placed, bias: Placed, dims: string, mesh: Mesh): Layout => {
  const { pending } = sum.layout
  if (pending.length > 0) return refuse(say.biasOnPending('linear', axesOf(pending), dims, finish(sum, pending)))
  const [first] = bias.layout.pending
  if (first !== undefined) {
    return refuse(say.notFinished('linear', 'bias', first.combine, axesOf(bias.layout.pending), finish(bias, bias.layout.pending)))
  }
  const shapes = [sum.shape, bias.shape]
  const crossed = cross(
    { name: 'linear', crossings: crossByName(shapes, sum.shape), linear: [], sides: ['result', 'bias'] },
    [sum, bias],
    sum.shape,
    mesh,
  )
  return typeof crossed === 'string' ? refuse(crossed) : crossed
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
  parameters: W,
  dims: Dims,
): Stage<LinearLayer<WeightOf<W>, BiasOf<W>, Dims>> => {
  const where = sourceLine()
  const { weight, bias } = 'weight' in parameters ? parameters : { weight: parameters, bias: undefined }
  return stage((x) => {
    if ('weight' in parameters) atLine(where, () => knownOptions('linear', parameters, ['weight', 'bias']))
    const sum = record(op, { dims }, [x, weight], where)
    return bias === undefined
      ? sum
      : record(biased, { dims }, [x, weight, bias], where, (_, __, mesh) => withBias(nodeOf(sum), nodeOf(bias), dims, mesh ?? noMesh))
  })
}
