import { bytesPerElement } from '../dtype.ts'
import { volume } from '../layout/pieces.ts'
import { boxOn } from '../layout/transfer.ts'
import { instantiate } from '../lower/instantiate.ts'
import type { Plan } from '../plan/plan.ts'
import { meshOf, readValue } from '../plan/read-value.ts'

/**
 * Bytes that a rank stores for the backward pass: the results of the forward pass that are still read after it. A view or a
 * free slice of a value keeps the whole of it, and counts once with it.
 */
export const storedActivations = (plan: Plan, rank: number): number => {
  const turn = plan.steps.findIndex(({ phase }) => phase !== 'forward')
  if (turn < 0) return 0
  const roots = rootsOf(plan, rank)
  const made = new Set(plan.steps.slice(0, turn).map((step) => roots[step.do === 'compute' ? step.result : step.to]!))
  for (const { value } of plan.inputs) made.delete(value)
  const needed = new Set(
    plan.steps.slice(turn).flatMap((step) => step.do === 'compute' ? step.operands : [step.from]).map((value) => roots[value]!),
  )
  const mesh = meshOf(plan)
  return [...made].filter((value) => needed.has(value)).reduce((bytes, value) => {
    const { shape, layout } = readValue(plan.values[value]!)
    return bytes + bytesPerElement * volume(boxOn(shape, layout, mesh, rank))
  }, 0)
}

/** For each value the one in whose memory it lies: its own, unless it is a view or a free slice of another. */
const rootsOf = (plan: Plan, rank: number): readonly number[] => {
  const roots = plan.values.map((_, value) => value)
  const emitted = stepsWithWork(plan, rank)
  plan.steps.forEach((step, at) => {
    if (emitted.has(at)) return
    if (step.do === 'move') roots[step.to] = roots[step.from]!
    else if (step.template.family === 'view') roots[step.result] = roots[step.operands[0]!]!
  })
  return roots
}

/** The steps of a plan that are something to do for a rank. Each carries its number in its place in the source, and so in labels. */
const stepsWithWork = (plan: Plan, rank: number): ReadonlySet<number> => {
  const { labels } = instantiate({ ...plan, steps: plan.steps.map((step, i) => ({ ...step, where: `‹${i}›` })) }, rank)
  return new Set(labels.flatMap((label) => [...label.matchAll(/‹(\d+)›/g)].map(([, at]) => Number(at))))
}
