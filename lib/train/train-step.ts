import { pipe } from 'fp-ts/lib/function.js'
import { call, fold, input as operand, real } from '../kernel/expression.ts'
import { accumulate, complete, declared } from '../grad/cotangent.ts'
import { fused } from '../grad/fused.ts'
import { mapLeaves, type TensorTree, valueAndGrad } from '../grad/grad.ts'
import { becomes, type Change } from '../language/becomes.ts'
import { axisNames, type Mesh, piecesAlong } from '../language/mesh.ts'
import {
  type Checked,
  type Declaration,
  type Declarations,
  type DeclarationTree,
  isDeclaration,
  parameter as declareParameter,
  type Program,
  type Tensors,
  walkDeclarations,
} from '../language/program.ts'
import { readSpec } from '../language/read-spec.ts'
import { isSymbolic, nodeOf } from '../language/record.ts'
import { refuse } from '../language/refusal.ts'
import { within } from '../language/scope.ts'
import { type AnyTensor, applied, type Tensor } from '../language/tensor.ts'
import { type Layout, printSpec, type Shape } from '../layout/layout.ts'
import { add, cast, multiply, select, sqrt, where } from '#ops/mod.ts'
import { zeros } from './initialise.ts'
import type { Kept, Optimiser } from './optimiser.ts'
import { rateAt } from './schedule.ts'

/** A step of training: what comes in, what is learned, what is to be made small, and how. */
export interface TrainStep<M extends string, I, P, L> {
  /** Given anew at each step. */
  readonly inputs: I
  /** Learned; their names are those of the checkpoints. */
  readonly parameters: P
  /** A single number, like a mean over everything: it is exact on every mesh. */
  readonly loss: (given: { readonly inputs: Tensors<I, M>; readonly parameters: Tensors<P, M> }) => L
  readonly optimiser: Optimiser
  /** The largest norm that all gradients together may have: they are scaled down to it. */
  readonly clip?: number
  /**
   * Batches that make one step, one after another, their gradients added up and completed once. Each input then gets a
   * first dim `batch` in front, in memory as so many batches one behind the other.
   */
  readonly accumulate?: number
}

/**
 * The program of one training step: forward, backward and update. Its outputs are the `loss`, the `norm` of all gradients
 * before clipping, and the `rate`; parameters and the optimiser's state stay on the ranks. A step whose loss or gradients are
 * not finite changes nothing.
 */
export const trainStep = <const M extends string, const I extends object, const P extends object, L extends AnyTensor>(
  name: string,
  mesh: Mesh<M>,
  step: TrainStep<M, I & NoInfer<Checked<I, M, 'input'>>, P & NoInfer<Checked<P, M, 'input'>>, L>,
): Program => {
  const { optimiser, accumulate: batches = 1 } = step
  const [inputs, parameters] = [step.inputs as Declarations, step.parameters as Declarations]
  const both = Object.keys(inputs).find((key) => key in parameters || key === 'optimiser') ??
    ('optimiser' in parameters ? 'optimiser' : undefined)
  const declarations = {
    ...(batches === 1 ? inputs : mapDeclarations(inputs, (one) => ({ ...one, spec: `batch:${batches} ${one.spec}`.trim() }))),
    ...parameters,
    optimiser: stateOf(optimiser, parameters, mesh),
  }
  const body = (given: Readonly<Record<string, unknown>>): unknown => {
    if (both !== undefined) refuse(`trainStep: '${both}' is the name of two things; inputs and parameters share one list of names`)
    const weights = pick(given, parameters) as Tensors<P, M>
    const { loss, gradients } = lossAndGradients(step as unknown as AnyStep, pick(given, inputs), weights, batches)
    return within(
      { phase: 'update', where: optimiser.name },
      () => updated(step, loss, leaves(weights), leaves(gradients), given['optimiser'] as State),
    )
  }
  return { name, mesh, inputs: declarations, outputs: undefined, body: body as Program['body'] }
}

type AnyStep = TrainStep<string, object, object, AnyTensor>

// ---- what is declared ----------------------------------------------------------------------------------------------

const mapDeclarations = (tree: DeclarationTree, change: (one: Declaration) => Declaration): Declarations =>
  Object.fromEntries(
    Object.entries(tree).map(([key, part]: [string, DeclarationTree]) => [
      key,
      isDeclaration(part) ? change(part) : mapDeclarations(part, change),
    ]),
  )

/** The optimiser's state: a count of steps, its numbers, and its moments by the parameters' names. */
const stateOf = (optimiser: Optimiser, parameters: Declarations, mesh: Mesh): Declarations => ({
  step: declareParameter('', 'i32', zeros),
  ...Object.fromEntries(optimiser.numbers.map((number) => [number, declareParameter('', zeros)])),
  ...Object.fromEntries(optimiser.moments.map((moment) => [
    moment,
    Object.fromEntries([...walkDeclarations(parameters)].map(({ name, declaration: { spec } }) => {
      const { shape, layout } = readSpec(`parameter '${name}'`, spec, 'f32')
      return [name, declareParameter(printSpec(shape, sharded(shape, layout, optimiser.shard, mesh)), zeros)]
    })),
  ])),
})

/** A layout with one more axis, along the longest dim that has no cut; as it is, where the axis cuts already or no dim is left. */
const sharded = (shape: Shape, layout: Layout, axis: string | undefined, mesh: Mesh): Layout => {
  if (axis === undefined) return layout
  if (!mesh.axes.some(({ name }) => name === axis)) {
    refuse(`${axis}: no mesh axis '${axis}' to cut the optimiser's state; the mesh has: ${axisNames(mesh)}`)
  }
  if (layout.cuts.some((cut) => cut.includes(axis))) return layout
  const open = shape.dims.flatMap(({ size }, i) => layout.cuts[i]!.length === 0 && size >= piecesAlong(mesh, [axis]) ? [{ size, i }] : [])
  const longest = open.reduce((best, one) => one.size > best.size ? one : best, { size: 0, i: -1 })
  return { ...layout, cuts: layout.cuts.map((cut, i) => i === longest.i ? [axis] : cut) }
}

// ---- what is computed ----------------------------------------------------------------------------------------------

const pick = (given: Readonly<Record<string, unknown>>, like: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.keys(like).map((key) => [key, given[key]]))

/** The tensors of a tree by their places in it. */
const leaves = (tree: unknown, path: readonly string[] = []): Readonly<Record<string, Tensor>> =>
  isSymbolic(tree)
    ? { [path.join('.')]: tree as unknown as Tensor }
    : Object.assign({}, ...Object.entries(tree as object).map(([key, part]) => leaves(part, [...path, key]))) as Record<string, Tensor>

/** The mean loss of all batches, and the mean of its gradients. */
const lossAndGradients = (
  { loss }: AnyStep,
  inputs: unknown,
  parameters: unknown,
  batches: number,
): { readonly loss: Tensor<''>; readonly gradients: unknown } => {
  const of = (batch: unknown) =>
    valueAndGrad((weights: never) => loss({ inputs: batch as never, parameters: weights }))(parameters as never)
  if (batches === 1) {
    const [value, gradients] = of(inputs)
    return { loss: value as unknown as Tensor<''>, gradients }
  }
  const rounds = Array.from({ length: batches }, (_, i) => of(mapLeaves(inputs as TensorTree, (x) => applied(select('batch', i))(x))))
  const mean = (parts: readonly AnyTensor[]): Tensor => {
    const total = addUp(parts.map((part) => part as Tensor))
    return pipe(total, multiply(1 / batches)) as Tensor
  }
  return {
    loss: mean(rounds.map(([value]) => value)) as Tensor<''>,
    gradients: Object.fromEntries(
      Object.keys(leaves(parameters)).map((name) => [name, mean(rounds.map(([, gradients]) => leaves(gradients)[name]!))]),
    ),
  }
}

/** A sum of tensors that lie alike once they are complete; those pending over the same axes are completed together. */
const addUp = (parts: readonly Tensor[]): Tensor => accumulate(parts, nodeOf(parts[0]!).layout.cuts) as Tensor

const mapKept = <A>(kept: Kept, change: (name: string, value: Tensor) => A): Readonly<Record<string, A>> =>
  Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, change(name, value)]))

type State = Readonly<Record<string, Tensor | Readonly<Record<string, Tensor>>>>

/** The results of a step: what it reports, and what the parameters and the state become. */
const updated = (
  { optimiser, clip }: Pick<AnyStep, 'optimiser' | 'clip'>,
  loss: Tensor<''>,
  parameters: Readonly<Record<string, Tensor>>,
  gradients: Readonly<Record<string, Tensor>>,
  state: State,
) => {
  const names = Object.keys(parameters)
  const momentsOf = (name: string): Kept =>
    Object.fromEntries(optimiser.moments.map((moment) => [moment, (state[moment] as Readonly<Record<string, Tensor>>)[name]!]))
  // Gradients and parameters are seen as the state lies: where it is cut, so is the work on them.
  const lies = (name: string): Layout => nodeOf(momentsOf(name)[optimiser.moments[0] ?? ''] ?? parameters[name]!).layout
  const seen = (name: string, x: Tensor): Tensor => declared(x, lies(name)) as Tensor
  const slopes = Object.fromEntries(names.map((name) => [name, seen(name, gradients[name]!)]))

  const squares = names.map((name) => {
    const inner = nodeOf(slopes[name]!).shape.dims.map((dim) => dim.name)
    const square = call('multiply', operand(0), operand(0))
    return fused({
      name: 'norm',
      operands: [slopes[name]!],
      result: { dims: [], type: 'f32' },
      ...(inner.length === 0
        ? { expression: square }
        : { inner, folds: [{ combine: 'sum', expression: square }], per: 'row', expression: fold(0) }),
    }) as Tensor
  })
  const norm = pipe(complete(addUp(squares)) as Tensor<''>, sqrt)
  const finite = fused({
    name: 'finite',
    operands: [loss, norm],
    result: { dims: [], type: 'bool' },
    expression: call('and', call('isFinite', operand(0)), call('isFinite', operand(1))),
  }) as Tensor<'', '', string, 'bool'>
  /** A next value where the step is taken, the present one where it is not. */
  const taken = <X extends AnyTensor>(before: X, after: AnyTensor): X =>
    pipe(finite, where(after as Tensor, before as unknown as Tensor) as never)
  const change = (before: AnyTensor, after: AnyTensor): Change => pipe(after as never, becomes(before) as never) as Change

  const done = state['step'] as unknown as Tensor<'', '', string, 'i32'>
  const rate = rateAt(optimiser.rate, pipe(done, cast('f32')))
  const numbers = Object.fromEntries(optimiser.numbers.map((number) => [number, state[number] as Tensor]))
  const counted = mapKept(optimiser.count(numbers), (number, next) => taken(numbers[number]!, next))
  const scale = clip === undefined ? undefined : fused({
    name: 'clip',
    operands: [norm],
    result: { dims: [], type: 'f32' },
    expression: call('minimum', real(1), call('divide', real(clip), call('maximum', operand(0), real(1e-30)))),
  }) as Tensor
  const changes = Object.fromEntries(names.map((name) => {
    const gradient = scale === undefined ? slopes[name]! : pipe(slopes[name]!, multiply(scale))
    const [before, parameter] = [momentsOf(name), seen(name, parameters[name]!)]
    const moments = mapKept(optimiser.remember({ parameter, gradient, moments: before }), (moment, next) => taken(before[moment]!, next))
    const moved = taken(parameter, optimiser.move({ parameter, gradient, moments, numbers: counted, rate }))
    return [name, {
      parameter: change(parameters[name]!, declared(moved, nodeOf(parameters[name]!).layout)),
      moments: mapKept(moments, (moment, next) => change(before[moment]!, next)),
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
