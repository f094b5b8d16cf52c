import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Cluster, Precision } from '../cluster/cluster.ts'
import type { Fault } from '../fault.ts'
import { buildGraph, type Graph } from '../graph/graph.ts'
import type { Program } from '../language/program.ts'
import { trace } from '../language/trace.ts'
import { plan } from '../plan/planner.ts'
import { type Plan, sign, type Unsigned } from '../plan/plan.ts'
import { fuse } from './fuse.ts'
import { inMicroseconds } from './in-microseconds.ts'
import { lower } from './lower.ts'

/** Machines to plan for, and what they compute in. */
export interface PlanFor {
  readonly cluster: Cluster
  readonly precision?: Precision
}

/**
 * From a program to a plan: the passes, in order. The plan sends the fewest bytes; or, where a cluster is given, it takes the
 * least time there, as far as its description tells.
 */
export const compile = (program: Program, fastest?: PlanFor): E.Either<Fault, Plan> =>
  pipe(
    trace(program),
    E.map(buildGraph),
    E.map((graph) => fastest === undefined ? lower(graph, plan(graph), null) : planInTime(graph, fastest)),
    E.map(fuse),
    E.map(sign),
  )

const planInTime = (graph: Graph, { cluster, precision = 'f32' }: PlanFor): Unsigned => {
  const { bound, declaredBytes } = plan(graph)
  const decision = plan(graph, undefined, inMicroseconds(graph, cluster, precision))
  return lower(graph, { ...decision, declaredBytes }, { cluster: cluster.name, precision, bytesBound: bound })
}
