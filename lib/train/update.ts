import { pipe } from 'fp-ts/lib/function.js'
import { accumulate, complete, declared } from '../grad/cotangent.ts'
import { fused } from '../grad/fused.ts'
import { call, fold, input as operand, real } from '../kernel/expression.ts'
import { becomes, type Change } from '../language/becomes.ts'
import { nodeOf } from '../language/record.ts'
import type { AnyTensor, Tensor } from '../language/tensor.ts'
import type { Layout } from '../layout/layout.ts'
import { add, cast, multiply, sqrt, where } from '#ops/mod.ts'
import { optionsFor } from './groups.ts'
import type { Kept, Optimiser } from './optimiser.ts'
import { rateAt } from './schedule.ts'

/** Tensors by dotted names. */
export type NamedTensors = Readonly<Record<string, Tensor>>
/** The optimiser's state, as it is declared (state.ts). */
export type State = Readonly<Record<string, Tensor | NamedTensors>>

const mapKept = <A>(kept: Kept, change: (name: string, value: Tensor) => A): Readonly<Record<string, A>> =>
  Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, change(name, value)]))

/** The norm of all tensors together: the root of the sum of all squares. */
const normOf = (tensors: readonly Tensor[]): Tensor<''> => {
  const squares = tensors.map((x) => {
    const inner = nodeOf(x).shape.dims.map((dim) => dim.name)
    const square = call('multiply', operand(0), operand(0))
    return fused({
      name: 'norm',
      operands: [x],
      result: { dims: [], type: 'f32' },
      ...(inner.length === 0
        ? { expression: square }
        : { inner, folds: [{ combine: 'sum', expression: square }], per: 'row', expression: fold(0) }),
    })
  })
  return pipe(complete(accumulate(squares, [])) as Tensor<''>, sqrt)
}

/** What gradients of a norm are multiplied by, so that it is at most `clip`. */
const clipping = (norm: Tensor, clip: number): Tensor =>
  fused({
    name: 'clip',
    operands: [norm],
    result: { dims: [], type: 'f32' },
    expression: call('minimum', real(1), call('divide', real(clip), call('maximum', operand(0), real(1e-30)))),
  }) as Tensor

const bothFinite = (loss: Tensor, norm: Tensor) =>
  fused({
    name: 'finite',
    operands: [loss, norm],
    result: { dims: [], type: 'bool' },
    expression: call('and', call('isFinite', operand(0)), call('isFinite', operand(1))),
  }) as Tensor<'', '', string, 'bool'>

const change = (before: AnyTensor, after: AnyTensor): Change => pipe(after as never, becomes(before) as never) as Change

/** The results of a step: what it reports, and what the parameters that have gradients and the state become. */
export const updated = (
  { optimiser, clip }: { readonly optimiser: Optimiser; readonly clip?: number },
  loss: Tensor<''>,
  parameters: NamedTensors,
  gradients: NamedTensors,
  state: State,
) => {
  const names = Object.keys(gradients)
  const momentsOf = (name: string): Kept =>
    Object.fromEntries(optimiser.moments.map((moment) => [moment, (state[moment] as NamedTensors)[name]!]))
  // Gradients and parameters are seen as the state lies: where it is cut, so is the work on them.
  const lies = (name: string): Layout => nodeOf(momentsOf(name)[optimiser.moments[0] ?? ''] ?? parameters[name]!).layout
  const seen = (name: string, x: Tensor): Tensor => declared(x, lies(name)) as Tensor
  const slopes = Object.fromEntries(names.map((name) => [name, seen(name, gradients[name]!)]))

  const norm = normOf(Object.values(slopes))
  const finite = bothFinite(loss, norm)
  /** A next value where the step is taken, the present one where it is not. */
  const taken = <X extends AnyTensor>(before: X, after: AnyTensor): X =>
    pipe(finite, where(after as Tensor, before as unknown as Tensor) as never)

  const done = state['step'] as unknown as Tensor<'', '', string, 'i32'>
  const rate = rateAt(optimiser.rate, pipe(done, cast('f32')))
  const numbers = Object.fromEntries(optimiser.numbers.map((number) => [number, state[number] as Tensor]))
  const counted = mapKept(optimiser.count(numbers), (number, next) => taken(numbers[number]!, next))
  const scale = clip === undefined ? undefined : clipping(norm, clip)
  const changes = Object.fromEntries(names.map((name) => {
    const { weightDecay, rateFactor } = optionsFor(optimiser.groups, name, optimiser.weightDecay)
    const own = rateFactor === 1 ? rate : pipe(rate, multiply(rateFactor))
    const gradient = scale === undefined ? slopes[name]! : pipe(slopes[name]!, multiply(scale))
    const [before, parameter] = [momentsOf(name), seen(name, parameters[name]!)]
    const next = optimiser.remember({ parameter, gradient, moments: before, weightDecay })
    const moments = mapKept(next, (moment, after) => taken(before[moment]!, after))
    const moved = taken(parameter, optimiser.move({ parameter, gradient, moments, numbers: counted, rate: own, weightDecay }))
    return [name, {
      parameter: change(parameters[name]!, declared(moved, nodeOf(parameters[name]!).layout)),
      moments: mapKept(moments, (moment, after) => change(before[moment]!, after)),
    }]
  }))
  return {
    loss,
    norm,
    rate,
    changes: {
      parameters: changes,
      step: change(done, taken(done, pipe(done, add(1)))),
      numbers: mapKept(counted, (number, next) => change(numbers[number]!, next)),
    },
  }
}
