import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LaunchOptions, Program } from '#lib/mod.ts'
import { readGolden, relativeError } from '../../examples/video/golden.ts'
import type { Sizes } from '../../examples/video/model.ts'
import { right } from '../lower/run-plan.ts'
import { baselines, inPatches, onTwoAxes, runOnce } from './baselines.ts'
import { goldenTraining, named } from './golden-training.ts'

/**
 * Every baseline is the same model: PyTorch's prediction, loss and gradients (float64) on any number of ranks, uneven pieces
 * included, so the same as on one rank.
 */
type Case = 'small' | 'odd'
interface Programs {
  readonly forward: (on: string, sizes: Sizes) => Program
  readonly training: (on: string, sizes: Sizes) => Program
}

const assertPrediction = async (name: Case, { forward }: Programs, on: string): Promise<void> => {
  const { sizes, weights, inputs, outputs } = right(await readGolden(name)())
  const { plan, result } = await runOnce(forward(on, sizes), { ...named(weights), ...named(inputs) })
  const error = relativeError(result.outputs['prediction']!, inPatches(outputs['prediction']!.elements, sizes))
  assert.ok(error <= 1e-6, `the prediction differs by ${error}`)
  assert.equal(result.sent.reduce((sum, bytes) => sum + bytes, 0), plan.certificate.bytes)
}

const assertGradients = async (
  name: Case,
  { training }: Programs,
  on: string,
  options: LaunchOptions,
  tolerance: number,
): Promise<void> => {
  const { sizes, weights, inputs, gradients: { latent: _, ...wanted }, about } = await goldenTraining(name)
  const { result: { outputs } } = await runOnce(training(on, sizes), { ...weights, ...inputs }, options)
  assert.ok(Math.abs(outputs['loss']![0]! - about.loss) <= tolerance * about.loss)
  assert.equal(Object.keys(outputs).length, 1 + Object.keys(wanted).length)
  for (const [key, gradient] of Object.entries(wanted)) {
    const error = relativeError(outputs[`gradients.${key}`]!, gradient)
    assert.ok(error <= tolerance, `the gradient by ${key} differs by ${error}`)
  }
}

for (const [title, programs] of Object.entries<Programs>(baselines)) {
  describe(title, () => {
    for (const [name, counts] of [['small', [1, 2, 3, 4]], ['odd', [5]]] as const) {
      for (const ranks of counts) {
        it(`predicts what PyTorch does, ${name} on ${ranks} ranks`, () => assertPrediction(name, programs, `sp=${ranks}`))
        it(`has PyTorch's gradients, ${name} on ${ranks} ranks`, () =>
          assertGradients(name, programs, `sp=${ranks}`, { backend: 'reference' }, 1e-6))
      }
    }
  })
}

describe('on WebGPU', () => {
  it('keys and values go round and give PyTorch’s gradients', () =>
    assertGradients('odd', baselines['Ring Attention, patches cut'], 'sp=3', { backend: 'webgpu' }, 1e-4))
})

for (const [title, { axes: [first, second], ...programs }] of Object.entries(onTwoAxes)) {
  describe(title, () => {
    // In `odd` there are more ranks than frames, and heads in uneven pieces.
    for (const [name, a, b] of [['small', 2, 2], ['small', 4, 2], ['odd', 3, 2]] as const) {
      const on = `${first}=${a} ${second}=${b}`
      it(`predicts what PyTorch does, ${name} on ${on}`, () => assertPrediction(name, programs, on))
      if (name === 'odd') {
        it(`has PyTorch's gradients, ${name} on ${on}`, () => assertGradients(name, programs, on, { backend: 'reference' }, 1e-6))
      }
    }
  })
}
