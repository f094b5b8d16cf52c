import type { Elements } from '#lib/dtype.ts'
import { compile, launch, type LaunchOptions, type Plan, type Program, type RunResult } from '#lib/mod.ts'
import type { Sizes } from '../../examples/video/model.ts'
import * as dspTwoAxes from '../../examples/baselines/dsp-2d.ts'
import * as dspBranch from '../../examples/baselines/dsp-branch.ts'
import * as dsp from '../../examples/baselines/dsp.ts'
import * as megatronSequenceAgain from '../../examples/baselines/megatron-sp-recompute.ts'
import * as megatronSequence from '../../examples/baselines/megatron-sp.ts'
import * as megatronTensor from '../../examples/baselines/megatron-tp.ts'
import * as ringFrames from '../../examples/baselines/ring-frames.ts'
import * as ringPatches from '../../examples/baselines/ring-patches.ts'
import * as ulyssesFrames from '../../examples/baselines/ulysses-frames.ts'
import * as ulyssesPatches from '../../examples/baselines/ulysses-patches.ts'
import * as usp from '../../examples/baselines/usp.ts'
import { right } from '../lower/run-plan.ts'

/** The baselines of one mesh axis, `sp`. */
export const baselines = {
  'DSP': dsp,
  'DSP, branch switched': dspBranch,
  'Ulysses, frames cut': ulyssesFrames,
  'Ulysses, patches cut': ulyssesPatches,
  'Ring Attention, frames cut': ringFrames,
  'Ring Attention, patches cut': ringPatches,
  'Megatron-LM, tensor parallel': megatronTensor,
  'Megatron-SP': megatronSequence,
  'Megatron-SP, gathers repeated': megatronSequenceAgain,
}

/** Those of two, each with its axes. */
export const onTwoAxes = {
  'DSP on two axes': { ...dspTwoAxes, axes: ['frames', 'patches'] },
  'USP, Ulysses and Ring': { ...usp, axes: ['ring', 'ulysses'] },
} as const

export const planOf = (program: Program): Plan => right(compile(program))

/** Runs a program once, all ranks in this process. */
export const runOnce = async (
  program: Program,
  tensors: Readonly<Record<string, Elements>>,
  options: LaunchOptions = { backend: 'reference' },
): Promise<{ readonly plan: Plan; readonly result: RunResult }> => {
  const plan = planOf(program)
  const given = Object.fromEntries(plan.inputs.map(({ name }) => [name, tensors[name]!]))
  const parameters = Object.fromEntries(plan.inputs.flatMap(({ name, parameter }) => parameter ? [[name, given[name]!]] : []))
  const inputs = Object.fromEntries(plan.inputs.flatMap(({ name, parameter }) => parameter ? [] : [[name, given[name]!]]))
  const session = right(await launch(plan, { ...options, inProcess: true, parameters })())
  try {
    return { plan, result: right(await session.run(inputs)()) }
  } finally {
    await session.close()
  }
}

/** Clips `b c t y x` in patches `b t s py px c`, as the baselines leave their prediction. */
export const inPatches = (clips: Elements, { batch, frames, rows, columns, outputChannels: channels }: Sizes): Float32Array => {
  const patches = new Float32Array(clips.length)
  const [height, width] = [2 * rows, 2 * columns]
  let at = 0
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < frames; t++) {
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          for (let py = 0; py < 2; py++) {
            for (let px = 0; px < 2; px++) {
              for (let c = 0; c < channels; c++) {
                patches[at++] = clips[(((b * channels + c) * frames + t) * height + 2 * y + py) * width + 2 * x + px]!
              }
            }
          }
        }
      }
    }
  }
  return patches
}
