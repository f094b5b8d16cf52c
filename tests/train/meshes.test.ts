import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compile, launch } from '#lib/mod.ts'
import { adamW, initialValues, sgd, warmUp } from '#lib/train/mod.ts'
import type { Optimiser } from '#lib/train/mod.ts'
import { threefry } from '#lib/kernel/threefry.ts'
import type { Sizes } from '../../examples/video/model.ts'
import { stepProgram } from '../examples/golden-training.ts'
import { right } from '../lower/run-plan.ts'

/**
 * A training is the same on every mesh: clips and frames cut as one likes, the optimiser's state whole or cut over an axis,
 * a step made of one batch or of several, and whatever is recomputed.
 */
const sizes: Sizes = {
  batch: 4,
  frames: 3,
  rows: 2,
  columns: 3,
  width: 16,
  heads: 2,
  depth: 1,
  words: 2,
  captionWidth: 5,
  channels: 1,
  outputChannels: 1,
}
const steps = 50

/** Numbers from -1 to 1, the same for every mesh. */
const numbers = (seed: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => threefry(seed, i) * 2 ** -31 - 1)

const batchAt = (step: number, batch: number) => {
  const pixels = batch * sizes.channels * sizes.frames * 4 * sizes.rows * sizes.columns
  return {
    latent: numbers(4 * step, pixels),
    timestep: numbers(4 * step + 1, batch).map((x) => 500 * (x + 1)),
    caption: numbers(4 * step + 2, batch * sizes.words * sizes.captionWidth),
    target: numbers(4 * step + 3, pixels).map((x) => x / 4),
  }
}

interface Way {
  readonly on: string
  readonly shard?: string
  readonly accumulate?: number
  readonly recompute?: boolean
}

const optimisers: Readonly<Record<string, (shard: string | undefined) => Optimiser>> = {
  adamW: (shard) => adamW({ rate: warmUp(5, 3e-3), ...(shard === undefined ? {} : { shard }) }),
  'sgd with Nesterov momentum': (shard) => sgd({ rate: 0.05, momentum: 0.9, nesterov: true, ...(shard === undefined ? {} : { shard }) }),
}

/** The loss at each step. */
const curve = async (
  optimiser: Optimiser,
  { on, accumulate = 1, recompute = false }: Way,
  backend: 'reference' | 'webgpu',
): Promise<readonly number[]> => {
  const mini = { ...sizes, batch: sizes.batch / accumulate }
  const program = stepProgram(mini, on, optimiser, { clip: 1, accumulate, recompute })
  const session = right(
    await launch(right(compile(program)), { backend, inProcess: true, parameters: right(initialValues(program, { seed: 3 })) })(),
  )
  const losses: number[] = []
  try {
    for (let step = 0; step < steps; step++) losses.push(right(await session.run(batchAt(step, sizes.batch))()).outputs['loss']![0]!)
  } finally {
    await session.close()
  }
  return losses
}

const ways: readonly Way[] = [
  { on: 'dp=1 sp=2' },
  { on: 'dp=2 sp=1' },
  { on: 'dp=1 sp=3', recompute: true },
  { on: 'dp=2 sp=2', shard: 'dp' },
  { on: 'dp=2 sp=1', shard: 'dp', recompute: true },
  { on: 'dp=1 sp=2', shard: 'sp' },
  { on: 'dp=3 sp=1', shard: 'dp' },
  { on: 'dp=1 sp=1', accumulate: 2 },
  { on: 'dp=2 sp=1', accumulate: 2, shard: 'dp' },
]

for (const [name, make] of Object.entries(optimisers)) {
  describe(`${steps} steps of ${name}`, () => {
    const alone = new Map<string, Promise<readonly number[]>>()
    // What is special to a mesh does not depend on the optimiser.
    for (const way of name === 'adamW' ? ways : ways.slice(3, 5)) {
      const words = [
        way.on,
        ...(way.shard === undefined ? [] : [`state cut over ${way.shard}`]),
        ...(way.accumulate === undefined ? [] : [`${way.accumulate} batches a step`]),
        ...(way.recompute ? ['recomputed'] : []),
      ]
      it(`have the losses of one rank on ${words.join(', ')}`, async () => {
        const backend = name === 'adamW' && way.shard === 'sp' ? 'webgpu' : 'reference'
        if (!alone.has(backend)) alone.set(backend, curve(make(undefined), { on: 'dp=1 sp=1' }, backend))
        const [wanted, got] = [await alone.get(backend)!, await curve(make(way.shard), way, backend)]
        assert.ok(wanted[steps - 1]! < wanted[0]!, 'it learns')
        // Sums in another order differ in the last of float32's digits; 50 steps make more of it.
        got.forEach((loss, step) =>
          assert.ok(Math.abs(loss - wanted[step]!) <= 1e-4 * wanted[step]!, `step ${step}: ${loss}, not ${wanted[step]}`)
        )
      })
    }
  })
}
