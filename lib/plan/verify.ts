import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Fault } from '../fault.ts'
import { printSpec, wholeLayout } from '../layout/layout.ts'
import { bytesSent, canTransfer } from '../layout/transfer.ts'
import type { Mesh } from '../language/mesh.ts'
import { isRefusal } from '../language/refusal.ts'
import type { Plan, PlanValue } from './plan.ts'
import { meshOf, readValue } from './read-value.ts'

export const malformed = (path: string, expected: string, got: string): Fault => ({ tag: 'Malformed', what: 'plan', path, expected, got })

/** What no field alone can tell of a plan: that its steps fit together, and that its bytes are those of its layouts. */
export const verify = (plan: Plan): E.Either<Fault, Plan> =>
  pipe(
    readable(plan),
    E.chain(checkPorts),
    E.chain(checkOrder),
    E.chain(checkBytes),
  )

const readable = (plan: Plan): E.Either<Fault, Plan> => {
  try {
    if (meshOf(plan).ranks !== plan.ranks) {
      return E.left(malformed('ranks', `${meshOf(plan).ranks}, as mesh '${plan.mesh}' says`, `${plan.ranks}`))
    }
    const wrong = plan.values.findIndex((value) => !isWritten(value, meshOf(plan)))
    return wrong < 0 ? E.right(plan) : E.left(malformed(`values.${wrong}.spec`, 'dims such as t:16@sp', plan.values[wrong]!.spec))
  } catch (thrown) {
    if (isRefusal(thrown)) return E.left(malformed('values', 'dims such as t:16@sp', thrown.message))
    throw thrown
  }
}

/** Whether a value is written as plans write it; pieces that are turned go round an axis of the mesh, and are not home yet. */
const isWritten = (value: PlanValue, { axes }: Mesh): boolean => {
  const { shape, layout } = readValue(value)
  const { turn } = layout
  const turns = axes.find(({ name }) => name === turn?.axis)?.size ?? 0
  return printSpec(shape, layout) === value.spec && (turn === undefined || (Number(turn.by) > 0 && Number(turn.by) < turns))
}

/** Inputs and outputs lie as the values that they name. */
const checkPorts = (plan: Plan): E.Either<Fault, Plan> => {
  for (const side of ['inputs', 'outputs'] as const) {
    const wrong = plan[side].find(({ value, spec }) => plan.values[value]?.spec !== spec)
    if (wrong !== undefined) {
      return E.left(malformed(`${side}.${wrong.name}`, `a value ${wrong.spec}`, plan.values[wrong.value]?.spec ?? `value ${wrong.value}`))
    }
  }
  for (const { parameter, value } of plan.changes) {
    const port = plan.inputs.find((input) => input.parameter && input.name === parameter)
    if (port === undefined) return E.left(malformed(`changes.${parameter}`, 'the name of a parameter', parameter))
    const [want, got] = [plan.values[port.value], plan.values[value]]
    if (got === undefined || want?.spec !== got.spec || want.type !== got.type || got.pending !== '') {
      return E.left(malformed(`changes.${parameter}`, `a value ${port.spec}`, got?.spec ?? `value ${value}`))
    }
  }
  return E.right(plan)
}

const checkOrder = (plan: Plan): E.Either<Fault, Plan> => {
  const made = new Set(plan.inputs.map(({ value }) => value))
  for (const [i, step] of plan.steps.entries()) {
    const [reads, writes] = step.do === 'compute' ? [step.operands, step.result] : [[step.from], step.to]
    const missing = reads.find((value) => !made.has(value))
    if (missing !== undefined) return E.left(malformed(`steps.${i}`, 'values made by earlier steps', `value ${missing}`))
    if (plan.values[writes] === undefined || made.has(writes)) return E.left(malformed(`steps.${i}`, 'a new value', `value ${writes}`))
    made.add(writes)
  }
  const missing = plan.outputs.find(({ value }) => !made.has(value))
  if (missing !== undefined) return E.left(malformed(`outputs.${missing.name}`, 'a value that a step makes', `value ${missing.value}`))
  const never = plan.changes.find(({ value }) => !made.has(value))
  return never === undefined
    ? E.right(plan)
    : E.left(malformed(`changes.${never.parameter}`, 'a value that a step makes', `value ${never.value}`))
}

/** Whether the second value can be the first one in another layout. */
const isCopy = (from: ReturnType<typeof readValue>, to: ReturnType<typeof readValue>): boolean =>
  printSpec(from.shape, wholeLayout(from.shape)) === printSpec(to.shape, wholeLayout(to.shape)) &&
  from.shape.type === to.shape.type && canTransfer(from.layout, to.layout)

/** Each exchange sends what the pieces of its layouts say, and the certificate's bytes are their sum. */
const checkBytes = (plan: Plan): E.Either<Fault, Plan> => {
  const mesh = meshOf(plan)
  let total = 0
  for (const [i, step] of plan.steps.entries()) {
    if (step.do !== 'move') continue
    const [from, to] = [readValue(plan.values[step.from]!), readValue(plan.values[step.to]!)]
    if (!isCopy(from, to)) {
      return E.left(malformed(`steps.${i}.to`, `a copy of ${plan.values[step.from]!.spec}`, plan.values[step.to]!.spec))
    }
    const bytes = bytesSent(from.shape, from.layout, to.layout, mesh)
    if (bytes.join(' ') !== step.bytes.join(' ')) return E.left(malformed(`steps.${i}.bytes`, bytes.join(', '), step.bytes.join(', ')))
    total += bytes.reduce((sum, one) => sum + one, 0)
  }
  return total === plan.certificate.bytes ? E.right(plan) : E.left(malformed('certificate.bytes', `${total}`, `${plan.certificate.bytes}`))
}
