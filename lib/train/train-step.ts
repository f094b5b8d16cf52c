import * as E from 'fp-ts/lib/Either.js'
import { reachedBy } from '../grad/gradient.ts'
import * as say from '../language/messages.ts'
import { axisNames, type Mesh } from '../language/mesh.ts'
import { type Checked, type Declarations, type Program, type Tensors, walkDeclarations } from '../language/program.ts'
import { isSymbolic } from '../language/record.ts'
import { atLine, refuse } from '../language/refusal.ts'
import { within } from '../language/scope.ts'
import { sourceLine } from '../language/source.ts'
import type { AnyTensor, Tensor } from '../language/tensor.ts'
import { trace } from '../language/trace.ts'
import { lossAndGradients } from './batches.ts'
import { checkGroups } from './groups.ts'
import type { Optimiser } from './optimiser.ts'
import { knownOptions, mustBe, positive, wholeFrom } from '../language/options.ts'
import { type Named, stacked, stateOf } from './state.ts'
import { type NamedTensors, type State, updated } from './update.ts'

/** A step of training: what comes in, what is learned, what is to be made small, and how. */
export interface TrainStep<M extends string, I, P, L> {
  /** Given anew at each step. */
  readonly inputs: I
  /**
   * Learned; their names are those of the checkpoints. Those that no gradient of the loss reaches, and those declared
   * `{ trained: false }`, stay as they are: there are no moments of them, and no weight decay.
   */
  readonly parameters: P
  /** A single number, like a mean over everything: it is exact on every mesh. */
  readonly loss: (given: { readonly inputs: Tensors<I, M>; readonly parameters: Tensors<P, M> }) => L
  readonly optimiser: Optimiser
  /** The largest norm that all gradients together may have, above 0: they are scaled down to it. */
  readonly clip?: number
  /**
   * Batches that make one step, one after another, their gradients added up and completed once. Each input then gets a
   * first dim `batch` in front, in memory as so many batches one behind the other. Loss and gradients are those of one batch
   * that holds them all, along the first dim of each input; a loss for which that cannot be had is refused (whole-batch.ts).
   * An input without dims belongs to its own batch: so does a seed that is one, while random numbers of a seed that is written
   * in the loss are the same in every batch.
   */
  readonly accumulate?: number
}

type AnyStep = TrainStep<string, object, object, AnyTensor>

/**
 * The program of one training step: forward, backward and update. Its outputs are the `loss`, the `norm` of all gradients
 * before clipping, and the `rate`; parameters and the optimiser's state stay on the ranks. A step whose loss or gradients are
 * not finite changes nothing.
 */
export const trainStep = <const M extends string, const I extends object, const P extends object, L extends AnyTensor>(
  name: string,
  mesh: Mesh<M>,
  given: TrainStep<M, I & NoInfer<Checked<I, M, 'input'>>, P & NoInfer<Checked<P, M, 'input'>>, L>,
): Program => {
  const where = sourceLine()
  const step = given as unknown as AnyStep
  const { optimiser, accumulate: batches = 1 } = step
  const [inputs, parameters] = [step.inputs as Declarations, step.parameters as Declarations]
  const dim = freeName('batch', inputs)
  // What the loss reaches is found by tracing it, which a program that is only declared need not do.
  const learned = once(() => learnedBy(step, mesh))
  const declarations = once(() => ({
    ...(batches > 1 && Number.isInteger(batches) ? stacked(inputs, dim, batches) : inputs),
    ...parameters,
    optimiser: stateOf(optimiser, learned(), mesh),
  }))
  const body = (given: Readonly<Record<string, unknown>>): unknown => {
    atLine(where, () => checkStep(step, mesh))
    const names = learned().map(({ name }) => name)
    const tensors = pick(given, parameters)
    const all = leaves(tensors)
    const { loss, gradients } = lossAndGradients({
      loss: (batch) => step.loss({ inputs: batch as never, parameters: tensors as never }),
      inputs: pick(given, inputs),
      targets: names.map((name) => all[name]!),
      batches: { dim, count: batches },
    })
    if (names.length === 0) atLine(where, () => refuse(say.nothingLearned))
    const named = Object.fromEntries(names.map((name, i) => [name, gradients[i]!]))
    return within(
      { phase: 'update', where: optimiser.name },
      () => updated(step, loss, all, named, given['optimiser'] as State),
    )
  }
  return {
    name,
    mesh,
    get inputs() {
      return declarations()
    },
    outputs: undefined,
    body: body as Program['body'],
  }
}

/** A value that is made when it is first asked for. */
const once = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

/** A name that no dim of the declarations has. */
const freeName = (name: string, declarations: Declarations): string =>
  [...walkDeclarations(declarations)].some(({ declaration }) => declaration.spec.split(' ').some((part) => part.startsWith(`${name}:`)))
    ? freeName(`${name}'`, declarations)
    : name

const trainedAmong = (parameters: Declarations): readonly Named[] =>
  [...walkDeclarations(parameters)].filter(({ declaration }) => declaration.trained !== false)

/** Refuses what is wrong with a step beside its loss. */
const checkStep = (step: AnyStep, mesh: Mesh): void => {
  const { optimiser, clip, accumulate = 1 } = step
  knownOptions('trainStep', step, ['inputs', 'parameters', 'loss', 'optimiser', 'clip', 'accumulate'])
  const both = Object.keys(step.inputs).find((key) => key in step.parameters || key === 'optimiser') ??
    ('optimiser' in step.parameters ? 'optimiser' : undefined)
  if (both !== undefined) refuse(`trainStep: '${both}' is the name of two things; inputs and parameters share one list of names`)
  mustBe(wholeFrom(1), 'trainStep', 'accumulate', accumulate)
  if (clip !== undefined) mustBe(positive, 'trainStep', 'clip', clip, 'leave it out to clip nothing')
  const trained = trainedAmong(step.parameters as Declarations)
  const other = trained.find(({ declaration }) => declaration.type !== 'f32')
  if (other !== undefined) refuse(say.notTrainable(other.name, other.declaration.type))
  optimiser.check()
  checkGroups(optimiser.name, optimiser.groups, trained.map(({ name }) => name))
  const { shard } = optimiser
  if (shard !== undefined && !mesh.axes.some(({ name }) => name === shard)) {
    refuse(`${optimiser.name}: no mesh axis '${shard}' to cut the optimiser's state; the mesh has: ${axisNames(mesh)}`)
  }
}

/**
 * The parameters that are trained: those that a gradient of the loss reaches. Where the loss cannot be traced it is all of
 * them, since the trace of the step itself says why.
 */
const learnedBy = (step: AnyStep, mesh: Mesh): readonly Named[] => {
  const trained = trainedAmong(step.parameters as Declarations)
  let reached: readonly boolean[] = []
  const probe: Program = {
    name: 'what the loss reaches',
    mesh,
    inputs: { inputs: step.inputs as Declarations, parameters: step.parameters as Declarations },
    outputs: undefined,
    body: ((given: { readonly inputs: never; readonly parameters: never }) => {
      const [value, all] = [step.loss(given), leaves(given.parameters)]
      reached = reachedBy(value, trained.map(({ name }) => all[name]!))
      return value
    }) as Program['body'],
  }
  const traced = E.tryCatch(() => trace(probe), (thrown) => thrown)
  return E.isLeft(traced) || E.isLeft(traced.right) ? trained : trained.filter((_, i) => reached[i])
}

const pick = (given: Readonly<Record<string, unknown>>, like: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.keys(like).map((key) => [key, given[key]]))

/** The tensors of a tree by their places in it. */
const leaves = (tree: unknown, path: readonly string[] = []): NamedTensors =>
  isSymbolic(tree)
    ? { [path.join('.')]: tree as unknown as Tensor }
    : Object.assign({}, ...Object.entries(tree as object).map(([key, part]) => leaves(part, [...path, key]))) as NamedTensors
