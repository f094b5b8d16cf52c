import { groupBy } from 'fp-ts/lib/NonEmptyArray.js'
import { nodeOf, record, tensorOf } from '../language/record.ts'
import { sourceLine } from '../language/source.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { printCuts, printPending, type Shape, sizeOf } from '../layout/layout.ts'
import { crossByName, type Op } from '../op.ts'

/**
 * Gradients of parts of a dim. Where all parts of a tensor are used, as queries, keys and values are, their gradients are
 * written side by side in one go, and not added up from mostly empty tensors.
 */
type Place = { readonly dim: string; readonly before: number; readonly dims: string; readonly sizes: readonly number[] }

const lengthIn = (x: AnyTensor, dim: string): number => sizeOf(nodeOf(x).shape, dim) ?? 1

/** Tensors one after another along a dim, `before` positions from its start; what they leave free is 0. */
const placeOp = (count: number): Op<Place> => ({
  name: 'place',
  shape: (_, { dims, sizes }) => ({ type: 'f32', dims: dims.split(' ').map((name, i) => ({ name, size: sizes[i]! })) }),
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [Array.from({ length: count }, (_, i) => i)],
  gradient: ({ operands, cotangent, attributes: { dim, before } }) => {
    let at = before
    return operands.map((operand) => {
      const from = at
      at += lengthIn(operand, dim)
      return () => part(cotangent, dim, from, nodeOf(operand).shape)
    })
  },
  kernel: (_, __, { dim, before }) => ({ family: 'place', dim, before, fill: 0 }),
})

const placeOps = new Map<number, Op<Place>>()
const placing = (count: number): Op<Place> => {
  const op = placeOps.get(count) ?? placeOp(count)
  placeOps.set(count, op)
  return op
}

const placed = (parts: readonly AnyTensor[], attributes: Place): AnyTensor => record(placing(parts.length), attributes, parts, sourceLine())

/** The gradient of a tensor of which a part was used; the part may lack the dim, if it was one position. */
export const place = (cotangent: AnyTensor, dim: string, before: number, whole: Shape): AnyTensor =>
  placed([cotangent], { dim, before, dims: whole.dims.map(({ name }) => name).join(' '), sizes: whole.dims.map(({ size }) => size) })

const partOp: Op<{ readonly dim: string; readonly from: number; readonly count: number; readonly stays: boolean }> = {
  name: 'part',
  shape: ([x], { dim, count, stays }) => ({
    ...x!,
    dims: x!.dims.flatMap((one) => one.name !== dim ? [one] : stays ? [{ name: dim, size: count }] : []),
  }),
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [[0]],
  gradient: ({ operands: [x], cotangent, attributes: { dim, from } }) => [() => place(cotangent, dim, from, nodeOf(x!).shape)],
  kernel: (_, __, { dim, from, count, stays }) => ({
    family: 'view',
    view: stays ? { of: 'slice', dim, from, count } : { of: 'select', dim, at: from },
  }),
}

/** The positions of a gradient that belong to a tensor of the given shape, from `from` on. */
export const part = (cotangent: AnyTensor, dim: string, from: number, of: Shape): AnyTensor => {
  const stays = sizeOf(of, dim) !== undefined
  return record(partOp, { dim, from, count: sizeOf(of, dim) ?? 1, stays }, [cotangent], sourceLine())
}

/** The same as an operation that is still to be recorded: the first positions of a larger tensor. */
export const firstOf = (dim: string, of: Shape) => ({
  op: partOp as Op,
  attributes: { dim, from: 0, count: sizeOf(of, dim)!, stays: true },
})

/** Joins those contributions that lie side by side. */
export const mergePlaces = (contributions: readonly AnyTensor[]): readonly AnyTensor[] => {
  const isPlace = (x: AnyTensor): boolean => nodeOf(x).op === placing(nodeOf(x).operands.length)
  const others = contributions.filter((x) => !isPlace(x))
  const groups = groupBy((x: AnyTensor) => {
    const { attributes, operands: [first] } = nodeOf(x)
    return `${String(attributes['dim'])} ${printCuts(first!.shape, first!.layout)} ${printPending(first!.layout.pending)}`
  })(contributions.filter(isPlace))
  return [...others, ...Object.values(groups).flatMap(joinRuns)]
}

/** Runs of parts without a gap or an overlap, each as one. */
const joinRuns = (parts: readonly AnyTensor[]): readonly AnyTensor[] => {
  const spans = parts.map((x) => {
    const { attributes, operands } = nodeOf(x)
    const { dim, before } = attributes as Place
    const tensors = operands.map(tensorOf)
    return {
      tensors,
      from: before,
      to: before + tensors.reduce((sum, one) => sum + lengthIn(one, dim), 0),
      attributes: attributes as Place,
    }
  }).sort((a, b) => a.from - b.from)
  const runs: (typeof spans[number])[] = []
  for (const span of spans) {
    const last = runs.at(-1)
    if (last?.to === span.from) runs[runs.length - 1] = { ...last, tensors: [...last.tensors, ...span.tensors], to: span.to }
    else runs.push(span)
  }
  return runs.map(({ tensors, from, attributes }) => placed(tensors, { ...attributes, before: from }))
}
