import assert from 'node:assert/strict'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import fc from 'fast-check'
import type { Backend, Executable } from '#backends/backend.ts'
import { openReference } from '#backends/reference/mod.ts'
import { openWebGpu } from '#backends/webgpu/mod.ts'
import type { DType, Elements } from '#lib/dtype.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { elementsOf, type Exchange, type Kernel, type RankProgram, type View } from '#lib/kernel/kernel.ts'

/** What the tests of the backends share: running one kernel on given buffers, and random views. */

export const right = async <A>(task: TaskEither<Fault, A>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) assert.fail(sentence(result.left))
  return result.right
}

export const left = async <A>(task: TaskEither<Fault, A>): Promise<Fault> => {
  const result = await task()
  if (E.isRight(result)) assert.fail('expected a fault')
  return result.left
}

export const program = (buffers: readonly number[], steps: readonly (Kernel | Exchange)[], rank = 0, ranks = 1): RankProgram => ({
  rank,
  ranks,
  buffers,
  inputs: [],
  outputs: [],
  steps,
  labels: steps.map(({ kind }) => kind),
})

/** A buffer's whole contents as a view. */
export const whole = (buffer: number, type: DType): View => ({ buffer, type, offset: 0, strides: [1] })

export interface Buffer {
  readonly type: DType
  readonly elements: Elements
}

/** Fills buffers, runs kernels, and gives back a buffer's contents. */
export const execute = async (
  backend: Backend,
  buffers: readonly Buffer[],
  kernels: readonly Kernel[],
  result: number,
): Promise<Elements> => {
  const executable: Executable = await right(backend.load(program(buffers.map(({ elements }) => elements.length), kernels)))
  try {
    for (const [n, { type, elements }] of buffers.entries()) {
      await right(executable.write(whole(n, type), [elements.length], elements))
    }
    await right(executable.run(0, kernels.length))
    const { type, elements } = buffers[result]!
    return await right(executable.read(whole(result, type), [elements.length]))
  } finally {
    await executable.free()
  }
}

export interface Backends {
  readonly reference: Backend
  /** The adapter's own shape of kernels, and the shape of the other kind of adapter. */
  readonly webgpu: readonly Backend[]
  readonly close: () => Promise<void>
}

export const openAll = async (): Promise<Backends> => {
  const reference = await right(openReference())
  const webgpu = [await right(openWebGpu({ shape: 'cpu' })), await right(openWebGpu({ shape: 'gpu' }))]
  return {
    reference,
    webgpu,
    close: async () => {
      for (const backend of webgpu) await backend.close()
    },
  }
}

/** Each number is as near as float32 arithmetic can be held to; NaN and infinities must be the same. */
export const assertClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number, absolute = relative): void => {
  assert.equal(actual.length, expected.length)
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i]!
    const b = expected[i]!
    if (Object.is(a, b) || a === b) continue
    const near = Math.abs(a - b) <= absolute + relative * Math.abs(b)
    if (!near) assert.fail(`element ${i} is ${a} instead of ${b}`)
  }
}

// ---- random parts ----------------------------------------------------------------------------------------------

/** How a view may lie over its loops: in which order in memory, with which gaps, and where repeated. */
export interface Lie {
  readonly order: readonly number[]
  readonly gaps: readonly number[]
  readonly repeated: readonly boolean[]
  readonly reversed: readonly boolean[]
  readonly offset: number
}

/** Mostly dense and in order, since that is what takes the fast ways; sometimes anything at all. */
export const lie = (loops: number): fc.Arbitrary<Lie> => {
  const inOrder = Array.from({ length: loops }, (_, i) => i)
  const all = <A>(of: fc.Arbitrary<A>) => fc.array(of, { minLength: loops, maxLength: loops })
  return fc.record({
    order: fc.oneof(fc.constant(inOrder), fc.shuffledSubarray(inOrder, { minLength: loops })),
    gaps: fc.oneof(fc.constant(inOrder.map(() => 0)), all(fc.constantFrom(0, 0, 1, 3, 4))),
    repeated: fc.oneof(fc.constant(inOrder.map(() => false)), all(fc.boolean())),
    reversed: fc.oneof({ weight: 3, arbitrary: fc.constant(inOrder.map(() => false)) }, { weight: 1, arbitrary: all(fc.boolean()) }),
    offset: fc.constantFrom(0, 0, 0, 4, 1, 7),
  })
}

/** A view that lies so, and how many elements its buffer needs. Outputs must not repeat. */
export const viewOf = (
  buffer: number,
  type: DType,
  sizes: readonly number[],
  lie: Lie,
  still: readonly boolean[] = [],
  output = false,
): { readonly view: View; readonly length: number } => {
  const strides = new Array<number>(sizes.length).fill(0)
  let step = 1
  let offset = lie.offset
  for (const loop of lie.order.toReversed()) {
    if (still[loop] === true || (!output && lie.repeated[loop]!)) continue
    const size = Math.max(1, sizes[loop]!)
    strides[loop] = step
    if (lie.reversed[loop]! && size > 1) {
      offset += step * (size - 1)
      strides[loop] = -step
    }
    step = step * size + lie.gaps[loop]!
  }
  return { view: { buffer, type, offset, strides }, length: lie.offset + step + 4 }
}

/** Reproducible numbers from a seed: the generator of "Numerical Recipes", good enough to fill tensors. */
export const randomElements = (type: DType, length: number, seed: number): Elements => {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  if (type === 'f32') return Float32Array.from({ length }, () => next() * 4 - 2)
  if (type === 'i32') return Int32Array.from({ length }, () => Math.floor(next() * 200) - 100)
  return Int32Array.from({ length }, () => Math.round(next()))
}

export const dtype = fc.constantFrom<DType>('f32', 'i32', 'bool')

/** Sizes that meet and miss every multiple the kernels care for. */
export const sizes = (least: number, most: number, values: readonly number[] = [1, 2, 3, 4, 5, 8, 12]): fc.Arbitrary<number[]> =>
  fc.array(fc.constantFrom(...values), { minLength: least, maxLength: most })

export { elementsOf }
