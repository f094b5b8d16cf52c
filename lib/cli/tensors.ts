import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Elements } from '../dtype.ts'
import { badTensor, type Fault } from '../fault.ts'
import { readSafetensors, type StoredTensors } from '../files/safetensors.ts'
import { keyOf, streamOf, threefry, type Use } from '../kernel/threefry.ts'
import type { Plan, PlanPort } from '../plan/plan.ts'

/** What a plan needs from outside, and what was made up because no file had it. */
export interface GivenTensors {
  readonly values: Readonly<Record<string, Elements>>
  readonly madeUp: readonly string[]
}

/** What made-up tensors are, so that no input repeats the numbers of a parameter. */
type MadeUp = Extract<Use, `madeUp${string}`>

/** Reads the inputs or the parameters of a plan from a safetensors file; those that it lacks are made up from a seed. */
export const giveTensors = (
  ports: readonly PlanPort[],
  path: string | undefined,
  seed: number,
  use: MadeUp,
): TE.TaskEither<Fault, GivenTensors> =>
  pipe(
    path === undefined ? TE.right<Fault, StoredTensors>({}) : readSafetensors(path),
    TE.chainEitherK((stored) => {
      const values: Record<string, Elements> = {}
      const madeUp: string[] = []
      for (const [i, port] of ports.entries()) {
        const found = stored[port.name]
        if (found === undefined) {
          values[port.name] = makeUp(port, seed, use, i)
          madeUp.push(port.name)
        } else if (found.sizes.join(' ') !== port.sizes.join(' ')) {
          return E.left(badTensor(
            port.name,
            `it is ${found.sizes.join(' × ')} in ${path}, but ${
              port.dims.map((dim, d) => `${dim}:${port.sizes[d]}`).join(' ')
            } in the program`,
          ))
        } else values[port.name] = found.elements
      }
      return E.right({ values, madeUp })
    }),
  )

/** Made-up values of all that a plan needs. */
export const makeUpTensors = (plan: Plan): Readonly<Record<'inputs' | 'parameters', GivenTensors['values']>> => {
  const { inputs, parameters } = portsOf(plan)
  const values = (ports: readonly PlanPort[], use: MadeUp): GivenTensors['values'] =>
    Object.fromEntries(ports.map((port, i) => [port.name, makeUp(port, 1, use, i)]))
  return { inputs: values(inputs, 'madeUpInput'), parameters: values(parameters, 'madeUpParameter') }
}

/** Numbers between -1 and 1 (f32), or 0 and 1 (the other types), the same in every run; each tensor of a plan has its own stream. */
const makeUp = ({ sizes, type }: PlanPort, seed: number, use: MadeUp, stream: number): Elements => {
  const count = sizes.reduce((product, size) => product * size, 1)
  const elements = type === 'f32' ? new Float32Array(count) : new Int32Array(count)
  const [low, high] = keyOf(seed)
  const counterHigh = streamOf(use, stream)
  for (let i = 0; i < count; i++) {
    const uniform = threefry(low, i, high, counterHigh) * 2 ** -32
    elements[i] = type === 'f32' ? 2 * uniform - 1 : Math.round(uniform)
  }
  return elements
}

/** The plan's inputs and its parameters. */
export const portsOf = (plan: Plan): { readonly inputs: readonly PlanPort[]; readonly parameters: readonly PlanPort[] } => ({
  inputs: plan.inputs.filter(({ parameter }) => !parameter),
  parameters: plan.inputs.filter(({ parameter }) => parameter),
})
