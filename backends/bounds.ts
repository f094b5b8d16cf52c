import * as E from 'fp-ts/lib/Either.js'
import { device, type Fault } from '#lib/fault.ts'
import { type Exchange, type Kernel, type RankProgram, reads, scatteredRows, type View } from '#lib/kernel/kernel.ts'

/**
 * Kernels run without the driver's own bounds checks, so no view may reach beyond its buffer. Plans are data that may
 * come from a file: they are checked once, when they are loaded, and views given later when they are used.
 */

/** A view and the loops it is walked over. */
type Walk = readonly [view: View, sizes: readonly number[]]

const walksOf = (step: Kernel | Exchange): readonly Walk[] => {
  switch (step.kind) {
    case 'map':
      return [step.output, ...step.inputs].map((view): Walk => [view, step.sizes])
    case 'row': {
      const all = [...step.outer, ...step.inner]
      const { output, outer } = step
      const written: Walk = step.per === 'element' ? [output, all] : [{ ...output, strides: output.strides.slice(0, outer.length) }, outer]
      return [written, ...step.inputs.map((view): Walk => [view, all])]
    }
    case 'contract': {
      const { batch, rows, columns, inner } = step
      const all = [...batch, ...rows, ...columns, ...inner]
      const outer = [...batch, ...rows, ...columns]
      const without = (view: View): View => ({ ...view, strides: view.strides.slice(0, outer.length) })
      return [
        [step.left, all],
        [step.right, all],
        ...[step.output, ...step.extras].map((view): Walk => [without(view), outer]),
      ]
    }
    case 'attention': {
      const { rows, keys, features, output, carry, logSum } = step
      const perRow = (view: View, length: number): Walk => [
        { ...view, strides: view.strides.with(rows.length, 0) },
        [...rows, 1, length],
      ]
      const rest = reads({ ...step, carry: null }).map((view): Walk => [view, [...rows, keys, features]])
      return [perRow(output, features + (logSum ? 1 : 0)), ...(carry === null ? [] : [perRow(carry, features + 1)]), ...rest]
    }
    case 'attention-gradient': {
      const { rows, inner, features, stats, output, carry, part, carryPart } = step
      const all = [...rows, ...inner]
      const perRow = (view: View, part: number): Walk => [
        { ...view, strides: [...view.strides.slice(0, rows.length), part, view.strides.at(-1)!] },
        [...rows, step.of === 'keys' ? 2 : 1, features],
      ]
      const rest = reads({ ...step, carry: null }).map((view): Walk => [view, [...all, view === stats ? 2 : features]])
      return [perRow(output, part), ...(carry === null ? [] : [perRow(carry, carryPart)]), ...rest]
    }
    case 'gather':
      return [
        [step.output, step.sizes],
        [step.ids, step.sizes],
        [{ ...step.table, strides: [...step.table.strides, step.step] }, [...step.sizes, step.size]],
      ]
    case 'scatter': {
      const { view, sizes } = scatteredRows(step)
      const loops = [...step.batch, ...step.inner, ...step.rest]
      return [[view, sizes], [step.ids, loops], [step.values, loops]]
    }
    case 'exchange':
      return [
        ...[...step.sends, ...step.receives].map(({ view, sizes }): Walk => [view, sizes]),
        ...(step.keeps === null ? [] : [step.keeps.from, step.keeps.to].map((view): Walk => [view, step.keeps!.sizes])),
      ]
  }
}

/** Says what is wrong with a view, or nothing. */
const problemOf = ([view, sizes]: Walk, buffers: readonly number[]): string | null => {
  const length = buffers[view.buffer]
  if (length === undefined) return `there is no buffer ${view.buffer}`
  if (view.strides.length !== sizes.length) {
    return `a view of buffer ${view.buffer} has ${view.strides.length} strides for ${sizes.length} loops`
  }
  if (sizes.includes(0)) return null
  let low = view.offset
  let high = view.offset
  sizes.forEach((size, loop) => {
    const reach = (size - 1) * view.strides[loop]!
    if (reach < 0) low += reach
    else high += reach
  })
  return low >= 0 && high < length ? null : `a view reaches from element ${low} to ${high} of buffer ${view.buffer}, which has ${length}`
}

export const checkView = (view: View, sizes: readonly number[], buffers: readonly number[]): E.Either<Fault, void> => {
  const problem = problemOf([view, sizes], buffers)
  return problem === null ? E.right(undefined) : E.left(device(problem))
}

/** The program itself, if all its views lie within their buffers. */
export const checkBounds = (program: RankProgram): E.Either<Fault, RankProgram> => {
  for (const [n, step] of program.steps.entries()) {
    for (const walk of walksOf(step)) {
      const problem = problemOf(walk, program.buffers)
      if (problem !== null) return E.left(device(`step ${n} (${program.labels[n] ?? step.kind}): ${problem}`))
    }
  }
  return E.right(program)
}
