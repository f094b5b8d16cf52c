import * as E from 'fp-ts/lib/Either.js'
import type { Elements } from '#lib/dtype.ts'
import { sentence } from '#lib/fault.ts'
import { compile, explain, launch, type Program } from '#lib/mod.ts'
import { initialValues } from '#lib/train/mod.ts'
import { right } from '../lower/run-plan.ts'

export type Given = Readonly<Record<string, Elements>>

/** What a few steps of a training come to: what the last one tells, and the parameters and state after it. */
export interface Taken {
  readonly loss: number
  readonly norm: number
  readonly parameters: Given
}

/** Takes steps with the same inputs. */
export const take = async (program: Program, inputs: Given, steps = 1, backend: 'reference' | 'webgpu' = 'reference'): Promise<Taken> => {
  const session = right(
    await launch(right(compile(program)), { backend, inProcess: true, parameters: right(initialValues(program, { seed: 5 })) })(),
  )
  try {
    for (let i = 1; i < steps; i++) right(await session.run(inputs)())
    const { outputs } = right(await session.run(inputs)())
    return { loss: outputs['loss']![0]!, norm: outputs['norm']![0]!, parameters: right(await session.read()()) }
  } finally {
    await session.close()
  }
}

/** The sentence by which a program is refused, without its source line; '' if it is not. */
export const refusal = (program: Program): string => {
  const plan = compile(program)
  return E.isLeft(plan) ? sentence(plan.left).replace(/^\S+:\d+:? +/, '') : ''
}

export const notReached = (program: Program): readonly string[] => explain(right(compile(program))).notReached
