import assert from 'node:assert/strict'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { openReference } from '#backends/mod.ts'
import type { Elements } from '#lib/dtype.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { buildGraph } from '#lib/graph/graph.ts'
import { elementsOf, type RankProgram, reads } from '#lib/kernel/kernel.ts'
import { trace } from '#lib/language/trace.ts'
import { cutBox, placeBox } from '#lib/layout/pieces.ts'
import { fuse } from '#lib/lower/fuse.ts'
import { instantiate } from '#lib/lower/instantiate.ts'
import { lower } from '#lib/lower/lower.ts'
import { mesh, type Program } from '#lib/mod.ts'
import { type Plan, sign } from '#lib/plan/plan.ts'
import { plan } from '#lib/plan/planner.ts'
import { boxOf } from '#lib/plan/read-value.ts'
import { largestExchange, makeExecutor } from '#lib/run/executor.ts'
import { capacityFor } from '#lib/run/link/arena.ts'
import { localLinks } from '#lib/run/link/local.ts'

export const right = <A>(result: E.Either<Fault, A>): A => {
  if (E.isLeft(result)) assert.fail(sentence(result.left))
  return result.right
}
const done = async <A>(task: TaskEither<Fault, A>): Promise<A> => right(await task())

/** A program's plan, with and without fusion; on a mesh of the same axes with one rank, if asked. */
export const plansOf = (program: Program, { alone = false } = {}): { readonly fused: Plan; readonly unfused: Plan } => {
  const traced = right(trace(program))
  const graph = buildGraph(alone ? { ...traced, mesh: mesh(traced.mesh.text.replace(/=\d+/g, '=1')) } : traced)
  const unfused = lower(graph, plan(graph))
  return { fused: sign(fuse(unfused)), unfused: sign(unfused) }
}

/** Elements between -1 and 1 for every input of a plan; the same names get the same elements. */
export const inputsFor = ({ inputs }: Plan): Readonly<Record<string, Elements>> =>
  Object.fromEntries(inputs.map(({ name, sizes, type }, n) => {
    const wave = (i: number): number => Math.sin(1 + 7 * n + 1.7 * i)
    const count = elementsOf(sizes)
    return [
      name,
      type === 'f32' ? Float32Array.from({ length: count }, (_, i) => wave(i)) : Int32Array.from({ length: count }, (_, i) => i % 2),
    ]
  }))

export interface Ran {
  readonly outputs: Readonly<Record<string, Elements>>
  /** Bytes that each rank sent, counted by its link. */
  readonly sent: readonly number[]
}

/** Runs a plan on the reference backend, all ranks in this process, with every buffer full of NaN beforehand if asked. */
export const runPlan = async (plan: Plan, tensors: Readonly<Record<string, Elements>>, { poison = false } = {}): Promise<Ran> => {
  const programs = Array.from({ length: plan.ranks }, (_, rank) => instantiate(plan, rank))
  const capacity = Math.max(...programs.map((program) => largestExchange(program, capacityFor)))
  const links = localLinks(plan.ranks, capacity, { timeout: 10_000 })
  const outputs: Record<string, Elements> = {}
  for (const { name, sizes, type } of plan.outputs) {
    outputs[name] = type === 'f32' ? new Float32Array(elementsOf(sizes)) : new Int32Array(elementsOf(sizes))
  }
  const runs = await Promise.all(programs.map(async (program, rank) => {
    const backend = await done(openReference())
    const executable = await done(backend.load(program))
    if (poison) {
      for (const [buffer, length] of program.buffers.entries()) {
        await done(executable.write({ buffer, type: 'f32', offset: 0, strides: [1] }, [length], new Float32Array(length).fill(NaN)))
      }
    }
    const pieces = Object.fromEntries(
      plan.inputs.map((port) => [port.name, cutBox(tensors[port.name]!, port.sizes, boxOf(plan, port, rank))]),
    )
    const run = await done(
      makeExecutor(program, executable, links[rank]!, () => undefined).run(pieces, plan.outputs.map(({ name }) => name)),
    )
    for (const port of plan.outputs) placeBox(outputs[port.name]!, port.sizes, boxOf(plan, port, rank), run.outputs[port.name]!)
    await executable.free()
    await backend.close()
    return run
  }))
  await Promise.all(links.map((link) => link.close()))
  return { outputs, sent: runs.map(({ sent }) => sent.reduce((sum, bytes) => sum + bytes, 0)) }
}

/** Bytes that the plan says each rank sends. */
export const plannedBytes = (plan: Plan): readonly number[] =>
  Array.from({ length: plan.ranks }, (_, rank) => plan.steps.reduce((sum, step) => step.do === 'move' ? sum + step.bytes[rank]! : sum, 0))

/** No step of a rank's program writes into a buffer that it reads. */
export const assertApart = ({ steps }: RankProgram): void => {
  const written = (step: RankProgram['steps'][number]): readonly number[] =>
    step.kind === 'exchange'
      ? [...step.receives.map(({ view }) => view.buffer), ...(step.keeps === null ? [] : [step.keeps.to.buffer])]
      : [step.output.buffer]
  for (const step of steps) {
    const read = step.kind === 'exchange'
      ? [...step.sends.map(({ view }) => view.buffer), ...(step.keeps === null ? [] : [step.keeps.from.buffer])]
      : reads(step).map(({ buffer }) => buffer)
    for (const buffer of written(step)) {
      assert.ok(!read.includes(buffer), `${step.kind} writes the buffer it reads`)
    }
  }
}

/** Equal but for rounding; not a number is equal to itself. */
export const assertClose = (got: Elements, wanted: ArrayLike<number>, tolerance: number): void => {
  assert.equal(got.length, wanted.length)
  for (let i = 0; i < got.length; i++) {
    if (Object.is(got[i], wanted[i])) continue
    const near = Math.abs(got[i]! - wanted[i]!) <= tolerance * Math.max(1, Math.abs(wanted[i]!))
    assert.ok(near, `element ${i} is ${got[i]}, not ${wanted[i]}`)
  }
}
