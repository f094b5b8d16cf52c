import { type Expression, input, substitute, usesIndex } from '../kernel/expression.ts'
import type { Template } from '../kernel/template.ts'
import type { Compute, Step, Unsigned } from '../plan/plan.ts'

/** Kernels bind at most so many operands: the least number of storage buffers that WebGPU promises is 8, one is the result. */
const mostOperands = 7

/**
 * Writes element-by-element work into the kernel that makes its input, so that the intermediate value is never stored: a
 * map into the map before it, into the epilogue of a contraction, or into the result of a row kernel. Only where the
 * intermediate has one consumer and the same dims and layout as the result.
 */
export const fuse = (plan: Unsigned): Unsigned => {
  const readers = new Map<number, number>()
  for (const step of plan.steps) {
    for (const value of new Set(step.do === 'compute' ? step.operands : [step.from])) readers.set(value, (readers.get(value) ?? 0) + 1)
  }
  for (const { value } of [...plan.outputs, ...plan.changes]) readers.set(value, Infinity)
  const makers = new Map<number, { readonly at: number; readonly step: Compute }>()
  const steps: (Step | undefined)[] = []
  for (const step of plan.steps) {
    if (step.do === 'move') {
      steps.push(step)
      continue
    }
    let fused = step
    for (const value of new Set(step.operands)) {
      const maker = makers.get(value)
      if (maker === undefined || readers.get(value) !== 1 || plan.values[value]!.spec !== plan.values[step.result]!.spec) continue
      const joined = join(maker.step, fused, value)
      if (joined === undefined) continue
      steps[maker.at] = undefined
      fused = joined
    }
    makers.set(fused.result, { at: steps.length, step: fused })
    steps.push(fused)
  }
  return { ...plan, steps: steps.filter((step) => step !== undefined) }
}

/** The consumer's expression with the producer's in the place of one operand; undefined where they can't be one kernel. */
const join = (producer: Compute, consumer: Compute, value: number): Compute | undefined => {
  if (consumer.template.family !== 'map') return undefined
  // A fused producer's own operands come first, so that a contraction's factors and a row's input keep their places.
  const others = consumer.operands.filter((operand) => operand !== value)
  const operands = [...producer.operands]
  const placeOf = others.map((operand) => {
    const known = fixedOperands(producer.template) > 0
      ? operands.indexOf(operand, fixedOperands(producer.template))
      : operands.indexOf(operand)
    return known >= 0 ? known : operands.push(operand) - 1
  })
  if (operands.length > mostOperands) return undefined
  const inner = resultOf(producer.template)
  if (inner === undefined) return undefined
  // Row and contraction loops run in an order of their own, in which positions along the result's dims are not known.
  if (producer.template.family !== 'map' && usesIndex(consumer.template.expression)) return undefined
  const shift = producer.template.family === 'contract' ? 1 : 0
  const outer = substitute(consumer.template.expression, (leaf): Expression => {
    if (!('input' in leaf)) return leaf
    const operand = consumer.operands[leaf.input]!
    return operand === value ? inner : input(placeOf[others.indexOf(operand)]! - shift)
  })
  const template = withResult(producer.template, outer)
  return template === undefined ? undefined : { ...consumer, op: `${producer.op} ${consumer.op}`, operands, template }
}

/** Operands that a kernel treats in a way of its own: the factors of a contraction. */
const fixedOperands = (template: Template): number => template.family === 'contract' ? 2 : 0

const resultOf = (template: Template): Expression | undefined =>
  template.family === 'map'
    ? template.expression
    : template.family === 'contract'
    ? template.epilogue
    : template.family === 'row' && template.per === 'element'
    ? template.result
    : undefined

const withResult = (template: Template, expression: Expression): Template | undefined =>
  template.family === 'map'
    ? { ...template, expression }
    : template.family === 'contract'
    ? { ...template, epilogue: expression }
    : template.family === 'row'
    ? { ...template, result: expression }
    : undefined
