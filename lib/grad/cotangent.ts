import { groupBy } from 'fp-ts/lib/NonEmptyArray.js'
import { call, input } from '../kernel/expression.ts'
import { declaration } from '../language/layout.ts'
import { type Node, nodeOf, record, tensorOf } from '../language/record.ts'
import { sourceLine } from '../language/source.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { keyOf, type Layout } from '../layout/layout.ts'
import { crossByName, type Op } from '../op.ts'
import { mergePlaces } from './place.ts'

/** What gradients have in common, whatever they are gradients of: how they lie, and how they add up. */

const layoutOf = (x: AnyTensor): Layout => nodeOf(x).layout

/** The same value, seen in another layout from here on. */
export const declared = (x: AnyTensor, layout: Layout): AnyTensor => record(declaration, {}, [x], sourceLine(), () => layout)

/** The same value with nothing pending any more. */
export const complete = (x: AnyTensor): AnyTensor => {
  const { cuts, pending } = layoutOf(x)
  return pending.length === 0 ? x : declared(x, { cuts, pending: [] })
}

/** A cotangent that is to be multiplied by other tensors: complete, where one of them is a pending sum. */
export const besideSums = (cotangent: AnyTensor, factors: readonly AnyTensor[]): AnyTensor =>
  factors.some((factor) => layoutOf(factor).pending.length > 0) ? complete(cotangent) : cotangent

/**
 * A cotangent that lies as its primal does: cut where that is cut. A sum may stay pending over axes along which the primal
 * is replicated, since all that happens to a cotangent is linear; where the primal itself is pending, it must be complete.
 * So it must over axes that cut what the primal is made of, which can be if the primal's own cuts are left to the planner.
 */
export const conform = (cotangent: AnyTensor, primal: Node): AnyTensor => {
  const { cuts, pending } = layoutOf(cotangent)
  const made = primal.op.role === 'declaration' ? [] : primal.operands
  const taken = [...primal.layout.pending.map(({ axis }) => axis), ...made.flatMap(({ layout }) => layout.cuts.flat())]
  const alike = (of: Layout): string => keyOf({ cuts: of.cuts, pending: [] })
  const fits = alike({ cuts, pending }) === alike(primal.layout) && !pending.some(({ axis }) => taken.includes(axis))
  return fits ? cotangent : declared(cotangent, { cuts: primal.layout.cuts, pending: [] })
}

const sumOp: Op = {
  name: 'gradient sum',
  shape: ([x]) => x!,
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[0, 1]],
  kernel: () => ({ family: 'map', expression: call('add', input(0), input(1)) }),
}

/** Adds tensors that lie alike, in pairs and pairs of pairs: of n numbers, none is rounded more often than log₂ n times. */
export const added = (parts: readonly AnyTensor[]): AnyTensor => {
  let sums = parts
  while (sums.length > 1) {
    const pairs = Array.from({ length: Math.ceil(sums.length / 2) }, (_, i) => sums.slice(2 * i, 2 * i + 2))
    sums = pairs.map(([x, y]) => y === undefined ? x! : record(sumOp, {}, [x!, y], sourceLine()))
  }
  return sums[0]!
}

/** The sum of tensors of one shape, cut as said. Those that lie alike are added before they are completed. */
export const accumulate = (contributions: readonly AnyTensor[], cuts: Layout['cuts']): AnyTensor => {
  const merged = addPending(mergePlaces(contributions))
  const groups = groupBy((part: AnyTensor) => keyOf(layoutOf(part)))([...merged])
  const sums = Object.values(groups).map(added)
  if (sums.length === 1) return sums[0]!
  return added(sums.map((sum) => declared(sum, { cuts, pending: [] })))
}

/** Pending sums that are completed to the same layout are added first, and completed together. */
const addPending = (contributions: readonly AnyTensor[]): readonly AnyTensor[] => {
  const groups = groupBy((part: AnyTensor) => {
    const { op, operands, layout } = nodeOf(part)
    const from = operands[0]?.layout
    return op === declaration && from !== undefined && from.pending.length > 0 ? `${keyOf(from)}>${keyOf(layout)}` : ''
  })([...contributions])
  return Object.entries(groups).flatMap(([key, parts]) => {
    if (key === '' || parts.length === 1) return parts
    const before = parts.map((part) => tensorOf(nodeOf(part).operands[0]!))
    return [declared(added(before), layoutOf(parts[0]!))]
  })
}
