import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { DType } from '../dtype.ts'
import type { Fault } from '../fault.ts'
import type { RankProgram } from '../kernel/kernel.ts'
import type { Box } from '../layout/pieces.ts'
import { instantiate } from '../lower/instantiate.ts'
import { decodePlan, encodePlan, type Plan } from '../plan/plan.ts'
import { boxOf } from '../plan/read-value.ts'

/** What a session runs, as far as running goes: a program for each rank, and how tensors are cut for them. */
export interface Workload {
  /** Tells whether two processes mean the same. */
  readonly hash: string
  readonly ranks: number
  readonly inputs: readonly TensorPort[]
  readonly outputs: readonly TensorPort[]
  readonly programOf: (rank: number) => RankProgram
  /** The part of the whole tensor that a rank holds. */
  readonly boxOf: (port: TensorPort, rank: number) => Box
  /** As JSON, for the ranks. */
  readonly encoded: unknown
}

/** A whole tensor that goes in or comes out. */
export interface TensorPort {
  readonly name: string
  readonly parameter: boolean
  readonly type: DType
  readonly dims: readonly string[]
  readonly sizes: readonly number[]
}

export const workloadOf = (plan: Plan): Workload => {
  const programs = new Map<number, RankProgram>()
  // Reading a layout takes longer than looking a box up, and every run cuts its inputs.
  const ranks = Array.from({ length: plan.ranks }, (_, rank) => rank)
  const boxes = new Map(
    [...plan.inputs, ...plan.outputs].map((
      port,
    ): [TensorPort, readonly Box[]] => [port, ranks.map((rank) => boxOf(plan, port, rank))]),
  )
  return {
    hash: plan.hash,
    ranks: plan.ranks,
    inputs: plan.inputs,
    outputs: plan.outputs,
    programOf: (rank) => {
      const program = programs.get(rank) ?? instantiate(plan, rank)
      programs.set(rank, program)
      return program
    },
    boxOf: (port, rank) => boxes.get(port)![rank]!,
    encoded: encodePlan(plan),
  }
}

export const decodeWorkload = (json: unknown): E.Either<Fault, Workload> => pipe(decodePlan(json), E.map(workloadOf))
