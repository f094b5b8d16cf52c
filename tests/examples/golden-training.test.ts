import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compile, launch, type LaunchOptions, type Plan } from '#lib/mod.ts'
import type { Elements } from '#lib/dtype.ts'
import type { Phase } from '#lib/language/scope.ts'
import { pieceOf } from '#lib/layout/pieces.ts'
import { adamW, initialValues } from '#lib/train/mod.ts'
import { relativeError } from '../../examples/video/golden.ts'
import type { Sizes } from '../../examples/video/model.ts'
import { right } from '../lower/run-plan.ts'
import { goldenTraining, gradientProgram, stepProgram } from './golden-training.ts'

/**
 * Gradients and optimiser steps of the video transformer against PyTorch's float64 results, on any mesh; and the bytes of the
 * backward pass against the closed form of Dynamic Sequence Parallelism.
 */
const gradientsOn = async (
  name: 'small' | 'odd',
  on: string,
  options: LaunchOptions,
  recompute = false,
): Promise<{ readonly plan: Plan; readonly outputs: Readonly<Record<string, Elements>> }> => {
  const golden = await goldenTraining(name)
  const plan = right(compile(gradientProgram(golden.sizes, on, { recompute })))
  const parameters = Object.fromEntries(Object.entries(golden.weights).map(([key, elements]) => [`weights.${key}`, elements]))
  const session = right(await launch(plan, { ...options, inProcess: true, parameters })())
  try {
    return { plan, outputs: right(await session.run(golden.inputs)()).outputs }
  } finally {
    await session.close()
  }
}

const assertGradients = async (name: 'small' | 'odd', outputs: Readonly<Record<string, Elements>>, tolerance: number): Promise<void> => {
  const { gradients, about } = await goldenTraining(name)
  assert.ok(Math.abs(outputs['loss']![0]! - about.loss) <= tolerance * about.loss)
  assert.deepEqual(Object.keys(outputs).filter((key) => key !== 'loss').sort(), Object.keys(gradients).sort())
  // The gradient by a key's bias is 0: it adds the same to all scores of a query. What is left of it is rounding, and is
  // measured against the other biases of its layer.
  for (const [key, wanted] of Object.entries(gradients)) {
    const error = relativeError(outputs[key]!, wanted)
    assert.ok(error <= tolerance, `the gradient by ${key} differs by ${error}`)
  }
}

// A software GPU takes most of the time: there each number of ranks is tried with one of the cases.
for (const [name, counts, onWebGpu] of [['small', [1, 2, 3], [1, 2]], ['odd', [1, 2, 3], [3]]] as const) {
  describe(`gradients of the video transformer, golden case ${name}`, () => {
    for (const ranks of counts) {
      it(`equal PyTorch's to 1e-6 on ${ranks} ranks of the reference`, async () => {
        const { plan, outputs } = await gradientsOn(name, `dp=1 sp=${ranks}`, { backend: 'reference' })
        await assertGradients(name, outputs, 1e-6)
        assert.ok(plan.certificate.minimal)
      })
    }
    for (const ranks of onWebGpu) {
      it(`equal PyTorch's to 1e-4 on ${ranks} ranks of WebGPU`, async () => {
        for (const recompute of ranks === 2 ? [false, true] : [false]) {
          const { outputs } = await gradientsOn(name, `dp=1 sp=${ranks}`, { backend: 'webgpu' }, recompute)
          await assertGradients(name, outputs, 1e-4)
        }
      })
    }
    it('equal it on meshes over clips and frames', async () => {
      for (const on of name === 'small' ? ['dp=2 sp=2'] : ['dp=3 sp=1']) {
        await assertGradients(name, (await gradientsOn(name, on, { backend: 'reference' })).outputs, 1e-6)
      }
    })
  })
}

/** Bytes that a rank sends in the switches of one phase. */
const switched = (plan: Plan, phase: Phase, rank: number): number =>
  plan.steps.reduce((sum, step) => step.do === 'move' && step.phase === phase && step.name === 'switch' ? sum + step.bytes[rank]! : sum, 0)

/** Two switches of the residual stream for each block: 2 M (N - 1) / N² bytes on each rank, if the pieces are even (DSP, table 3). */
const closedForm = ({ batch, frames, rows, columns, width, depth }: Sizes, ranks: number, rank: number): number => {
  const piece = (size: number, of: number): number => pieceOf(size, ranks, of).size
  let sent = 0
  for (let peer = 0; peer < ranks; peer++) {
    if (peer !== rank) sent += piece(frames, rank) * piece(rows * columns, peer) + piece(rows * columns, rank) * piece(frames, peer)
  }
  return depth * batch * width * 4 * sent
}

describe('bytes of a training step', () => {
  // Activations larger than parameters, as in life: where they are smaller, the planner cuts the feed-forward layers instead.
  const odd: Sizes = {
    batch: 2,
    frames: 7,
    rows: 5,
    columns: 7,
    width: 12,
    heads: 3,
    depth: 2,
    words: 3,
    captionWidth: 5,
    channels: 1,
    outputChannels: 1,
  }
  const even: Sizes = { ...odd, frames: 12, rows: 4, columns: 6, width: 16, heads: 4, depth: 3 }
  for (const [name, sizes] of Object.entries({ odd, even })) {
    for (const ranks of [2, 3, 4]) {
      it(`${name} sizes on ${ranks} ranks: two switches per block forward, two backward, two more if recomputed`, () => {
        for (const recompute of [false, true]) {
          const plan = right(compile(stepProgram(sizes, `dp=1 sp=${ranks}`, adamW({ rate: 1e-3 }), { recompute })))
          for (let rank = 0; rank < ranks; rank++) {
            const wanted = closedForm(sizes, ranks, rank)
            assert.equal(switched(plan, 'forward', rank), wanted)
            assert.equal(switched(plan, 'backward', rank), wanted)
            assert.equal(switched(plan, 'recompute', rank), recompute ? wanted : 0)
          }
          assert.ok(plan.certificate.minimal)
        }
      })
    }
  }

  it('each parameter’s gradient is completed once', async () => {
    const { sizes, weights } = await goldenTraining('small')
    const plan = right(compile(stepProgram(sizes, 'dp=1 sp=2', adamW({ rate: 1e-3 }))))
    const reduced = plan.steps.filter((step) => step.do === 'move' && step.phase === 'update' && step.name.startsWith('reduce'))
    // And one more for the loss; some gradients are complete already, since it was cheaper to complete what they are made of.
    assert.ok(reduced.length <= Object.keys(weights).length + 1)
  })
})

/** The part of a bias that is added to keys: its gradient is 0, and Adam makes steps of any size out of the rounding of 0. */
const keysOf = (name: string, elements: Elements): readonly [number, number] =>
  name.endsWith('qkv.bias')
    ? [elements.length / 3, (2 * elements.length) / 3]
    : name.endsWith('kv.bias')
    ? [0, elements.length / 2]
    : [0, 0]

describe('five steps of AdamW', () => {
  const cases = [
    ['small', 'dp=1 sp=1', undefined, ['webgpu']],
    ['small', 'dp=1 sp=2', undefined, ['webgpu']],
    ['small', 'dp=2 sp=2', 'dp', ['reference']],
    ['odd', 'dp=1 sp=3', 'sp', ['reference', 'webgpu']],
  ] as const
  for (const [name, on, shard, backends] of cases) {
    for (const backend of backends) {
      it(`${name} on ${on}${shard === undefined ? '' : `, state cut over ${shard}`}, ${backend}: losses are PyTorch's to 1e-4, and parameters`, async () => {
        const golden = await goldenTraining(name)
        const { lr: rate, weightDecay, lossPerStep } = golden.about.adamw
        const step = stepProgram(golden.sizes, on, adamW({ rate, weightDecay, ...(shard === undefined ? {} : { shard }) }))
        const parameters = { ...right(initialValues(step)), ...golden.weights }
        const session = right(await launch(right(compile(step)), { backend, inProcess: true, parameters })())
        try {
          for (const wanted of lossPerStep) {
            const { outputs } = right(await session.run(golden.inputs)())
            assert.ok(Math.abs(outputs['loss']![0]! - wanted) <= 1e-4 * wanted, `the loss is ${outputs['loss']![0]}, not ${wanted}`)
          }
          const after = right(await session.read()())
          for (const [key, wanted] of Object.entries(golden.after)) {
            const [from, to] = keysOf(key, wanted)
            const others = (of: Elements): readonly number[] => Array.from(of).filter((_, i) => i < from || i >= to)
            const error = relativeError(others(after[key]!), others(wanted))
            // In float32 a small gradient has a few digits, and Adam makes it as long a step as a large one.
            assert.ok(error <= (backend === 'reference' ? 1e-4 : 2e-4), `${key} differs by ${error}`)
            // No step of Adam is longer than its rate.
            for (let i = from; i < to; i++) assert.ok(Math.abs(after[key]![i]! - wanted[i]!) <= lossPerStep.length * 2 * rate)
          }
        } finally {
          await session.close()
        }
      })
    }
  }
})
