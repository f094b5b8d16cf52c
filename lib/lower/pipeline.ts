import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Fault } from '../fault.ts'
import { buildGraph } from '../graph/graph.ts'
import type { Program } from '../language/program.ts'
import { trace } from '../language/trace.ts'
import { plan } from '../plan/planner.ts'
import { type Plan, sign } from '../plan/plan.ts'
import { fuse } from './fuse.ts'
import { lower } from './lower.ts'

/** From a program to a plan: the passes, in order. */
export const compile = (program: Program): E.Either<Fault, Plan> =>
  pipe(
    trace(program),
    E.map(buildGraph),
    E.map((graph) => lower(graph, plan(graph))),
    E.map(fuse),
    E.map(sign),
  )
