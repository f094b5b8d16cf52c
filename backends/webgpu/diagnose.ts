import * as E from 'fp-ts/lib/Either.js'
import { sentence } from '#lib/fault.ts'
import { chooseAdapter, type Origin } from './dawn.ts'

/** What an adapter says about itself. */
export interface AdapterFacts {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly software: boolean
  readonly limits: { readonly [L in typeof limitNames[number]]: number }
  readonly features: readonly string[]
}

/** What was looked for, what was found, and why one was taken: for `doctor`. */
export interface Diagnosis {
  readonly attempts: readonly { readonly origin: Origin; readonly adapter: AdapterFacts | null; readonly problem: string | null }[]
  readonly chosen: Origin | null
  readonly reason: string
  /** Where nothing was chosen: what is wrong and what to do. */
  readonly problem: string | null
}

const limitNames = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
] as const

const factsOf = ({ info, limits, features }: GPUAdapter): AdapterFacts => ({
  vendor: info.vendor,
  architecture: info.architecture,
  device: info.device,
  description: info.description,
  software: info.isFallbackAdapter,
  limits: Object.fromEntries(limitNames.map((name) => [name, limits[name]])) as AdapterFacts['limits'],
  features: [...features].sort(),
})

export const diagnose = async (): Promise<Diagnosis> => {
  const { attempts, chosen, reason } = await chooseAdapter()
  return {
    attempts: attempts.map(({ origin, found }) => ({
      origin,
      adapter: E.isRight(found) ? factsOf(found.right.adapter) : null,
      problem: E.isLeft(found) ? found.left : null,
    })),
    chosen: E.isRight(chosen) ? chosen.right.origin : null,
    reason,
    problem: E.isLeft(chosen) ? sentence(chosen.left) : null,
  }
}
