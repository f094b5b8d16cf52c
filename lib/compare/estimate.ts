import type { Cluster } from '../cluster/cluster.ts'
import type { Plan } from '../plan/plan.ts'
import { simulate, type SimulateOptions } from '../simulate/simulate.ts'
import type { Estimate } from './codec.ts'

/** What a run of a plan would take on a cluster. */
export const estimate = (plan: Plan, cluster: Cluster, options: SimulateOptions): Estimate => {
  const { seconds, compute, communication, hidden, exposed, phases, fits, groups } = simulate(plan, cluster, options)
  return {
    ...{ seconds, compute, communication, hidden, exposed, fits },
    phases: phases.map((one) => ({
      phase: one.phase,
      seconds: one.seconds,
      compute: one.compute,
      communication: one.communication,
      hidden: one.hidden,
      exposed: one.exposed,
    })),
    lanes: groups.map(({ ranks, spans }) => ({ ranks, spans })),
  }
}
