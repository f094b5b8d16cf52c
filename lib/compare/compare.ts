import * as E from 'fp-ts/lib/Either.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { Cluster } from '../cluster/cluster.ts'
import { type Fault, sentence } from '../fault.ts'
import type { Plan } from '../plan/plan.ts'
import type { NamedElements } from '../run/executor.ts'
import type { LaunchOptions } from '../run/session.ts'
import type { SimulateOptions } from '../simulate/simulate.ts'
import type { Compared, Comparison } from './codec.ts'
import { estimate } from './estimate.ts'
import { measure, measureSteps } from './measure.ts'
import { planNumbers } from './plan-numbers.ts'

/** A program file with its plan, or with what speaks against it. */
export interface Candidate {
  readonly file: string
  readonly plan: E.Either<Fault, Plan>
}

export interface CompareOptions {
  /** The machines to estimate times for; none are estimated without it. */
  readonly cluster?: Cluster
  readonly simulation?: SimulateOptions
  /** How to measure times on this machine; none are measured without it. */
  readonly measurement?: {
    readonly repeat: number
    readonly launch: LaunchOptions
    /** What a plan is run on. */
    readonly tensors: (plan: Plan) => { readonly inputs: NamedElements; readonly parameters: NamedElements }
  }
  /** Told what was done last. */
  readonly step?: (doing: string) => void
}

/** How often `compare` calls `step`. */
export const compareSteps = (candidates: readonly Candidate[], { measurement }: CompareOptions): number => {
  const planned = candidates.filter(({ plan }) => E.isRight(plan)).length
  return planned + (measurement === undefined ? 0 : measureSteps(planned, measurement.repeat))
}

/** Compares plans: by their numbers, by estimates for a cluster, and by times on this machine. */
export const compare = (candidates: readonly Candidate[], options: CompareOptions): Task<Comparison> => async () => {
  const { cluster, simulation = {}, measurement, step = () => undefined } = options
  const plans = candidates.flatMap(({ plan }) => E.isRight(plan) ? [plan.right] : [])
  const compared = new Map<Plan, Omit<Compared, 'file'>>()
  for (const plan of plans) {
    // Between two plans the bar is drawn.
    await new Promise((resolve) => setImmediate(resolve))
    const { program: name, mesh, ranks } = plan
    const estimated = cluster === undefined ? null : estimate(plan, cluster, simulation)
    compared.set(plan, { name, mesh, ranks, plan: planNumbers(plan), estimate: estimated, measurement: null })
    step(`counted ${name}`)
  }
  const measured = measurement && await measure(
    plans.map((plan) => ({ plan, ...measurement.tensors(plan) })),
    measurement.repeat,
    measurement.launch,
    step,
  )()
  plans.forEach((plan, i) => compared.set(plan, { ...compared.get(plan)!, measurement: measured?.results[i] ?? null }))
  const { throttle } = measurement?.launch ?? {}
  return {
    format: 'shardwise-comparison',
    version: 1,
    estimatedFor: cluster === undefined
      ? null
      : { cluster: cluster.name, precision: simulation.precision ?? 'f32', overlap: simulation.overlap ?? cluster.overlap },
    measuredWith: measurement === undefined || measured === undefined ? null : {
      repeat: measurement.repeat,
      devices: [...new Set(measured.session?.ranks.map(({ runtime, backend }) => `${backend.backend}: ${backend.adapter} (${runtime})`))],
      link: measured.session?.link ?? 'none',
      throttle: throttle?.map(({ name }) => name).join(', ') ?? null,
    },
    programs: candidates.map(({ file, plan }) =>
      E.isRight(plan) ? { file, ...compared.get(plan.right)! } : { file, refused: sentence(plan.left) }
    ),
  }
}
