import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { call, fold, input, real } from '#lib/kernel/expression.ts'
import {
  type AttentionGradientKernel,
  type ContractKernel,
  elementsOf,
  type Kernel,
  type RowKernel,
  type View,
} from '#lib/kernel/kernel.ts'
import { type Backends, type Buffer, execute, openAll, randomElements } from './support.ts'

/** Kernels whose sums are long enough to go from level to level, or to be split, for both kinds of adapter. */

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

const view = (buffer: number, strides: readonly number[], offset = 0): View => ({ buffer, type: 'f32', offset, strides })
const random = (length: number, seed: number): Buffer => ({ type: 'f32', elements: randomElements('f32', length, seed) })
const equal = (length: number, x: number): Buffer => ({ type: 'f32', elements: new Float32Array(length).fill(x) })

/** Compares with float64, relative to the largest element. */
const agree = async (kernel: Kernel, buffers: readonly Buffer[], tolerance: number): Promise<void> => {
  const wanted = await execute(backends.reference, buffers, [kernel], 0)
  const most = Math.max(...Array.from(wanted, Math.abs))
  for (const backend of backends.webgpu) {
    const got = await execute(backend, buffers, [kernel], 0)
    got.forEach((x, i) => assert.ok(Math.abs(x - wanted[i]!) <= tolerance * most, `element ${i} is ${x} instead of ${wanted[i]}`))
  }
}

test('rows of many lengths, equal numbers, blocks of equal and of unequal length', async () => {
  for (const width of [128, 129, 4 * 128, 4 * 129, 4 * 1000, 5001, 3 * 16384, 65537]) {
    const row: RowKernel = {
      kind: 'row',
      outer: [3],
      inner: [width],
      origin: [0, 0],
      inputs: [view(1, [width, 1])],
      folds: [{ combine: 'sum', expression: input(0) }, { combine: 'max', expression: input(0) }],
      result: call('add', fold(0), call('multiply', fold(1), real(width))),
      per: 'row',
      output: view(0, [1, 0]),
    }
    await agree(row, [equal(3, 0), equal(3 * width, 0.7)], 5e-6)
  }
})

test('contractions over many positions, with what is added to them, however they are split', async () => {
  for (
    const [rows, columns, inner, batch] of [[33, 40, 1000, 1], [64, 64, 4096, 1], [65, 70, 777, 2], [4, 3, 5000, 2], [
      40,
      130,
      2048,
      1,
    ]] as const
  ) {
    const contract: ContractKernel = {
      kind: 'contract',
      batch: [batch],
      rows: [rows],
      columns: [columns],
      inner: [inner],
      left: view(1, [rows * inner, inner, 0, 1]),
      right: view(2, [inner * columns, 0, 1, columns]),
      extras: [view(3, [0, 0, 1, 0])],
      epilogue: call('add', call('multiply', input(0), real(0.5)), input(1)),
      output: view(0, [rows * columns, columns, 1, 0]),
    }
    const buffers = (of: (length: number, n: number) => Buffer) => [
      equal(batch * rows * columns, 0),
      of(batch * rows * inner, 1),
      of(batch * inner * columns, 2),
      of(columns, 3),
    ]
    await agree(contract, buffers(random), 3e-6)
    await agree(contract, buffers((length) => equal(length, 0.7)), 5e-6)
  }
})

test('gradients of attention over many pairs, with and without what is carried', async () => {
  const features = 8
  for (const  of of['queries', 'keys'] as const) {
    for (const [own, others, carried] of [[5, 1000, false], [3, 640, true], [2, 5000, false]] as const) {
      const [mine, theirs, byStats] = [[features, 0, 1], [0, features, 1], of === 'queries' ? [2, 0, 1] : [0, 2, 1]] as const
      const [ofQueries, ofKeys] = of === 'queries' ? [mine, theirs] : [theirs, mine]
      const [part, length] = [of === 'queries' ? 0 : own * features, Math.max(own, others) * features]
      const kernel: AttentionGradientKernel = {
        kind: 'attention-gradient',
        of,
        rows: [own],
        inner: [others],
        features,
        scale: 0.3,
        query: view(1, ofQueries),
        key: view(2, ofKeys),
        value: view(3, ofKeys),
        cotangent: view(4, ofQueries),
        stats: view(5, byStats),
        mask: null,
        carry: carried ? view(6, mine) : null,
        output: view(0, mine),
        part,
        carryPart: part,
      }
      const stats = random(2 * Math.max(own, others), 5)
      stats.elements.forEach((x, i) => stats.elements[i] = i % 2 === 0 ? 7 + x / 4 : x)
      const buffers = [
        equal(2 * elementsOf([own, features]), 0),
        ...[1, 2, 3, 4].map((seed) => random(length, seed)),
        stats,
        random(2 * own * features, 6),
      ]
      await agree(kernel, buffers, 3e-6)
    }
  }
})
