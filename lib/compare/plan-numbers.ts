import { bytesPerElement } from '../dtype.ts'
import { elementsOf, type Exchange, type Kernel, type Parcel, type RankProgram } from '../kernel/kernel.ts'
import { workOf } from '../kernel/work.ts'
import type { Phase } from '../language/scope.ts'
import { instantiate, peakOf } from '../lower/instantiate.ts'
import type { Move, Plan } from '../plan/plan.ts'
import { alikeRanks } from '../simulate/alike.ts'
import type { Memory, PlanNumbers } from './codec.ts'
import { constraintsOf } from './constraints.ts'
import { storedActivations } from './stored.ts'

/** What a plan costs wherever it runs: bytes, messages, operations and memory, each of the rank that has most of it. */
export const planNumbers = (plan: Plan): PlanNumbers => {
  const everywhere = [{ name: 'any', ranks: null, bandwidth: 1, latency: 0 }]
  const ranks = alikeRanks(plan, everywhere).map(([first]) => first!)
  const programs = ranks.map((rank) => instantiate(plan, rank))
  const memories = ranks.map((rank, i) => memoryOf(plan, rank, programs[i]!))
  const flops = programs.map(flopsOf)
  return {
    sent: { forward: 0, recompute: 0, backward: 0, update: 0, ...sentByPhase(plan) },
    sentInAll: busiest(plan, movesOf(plan)),
    exchanges: movesOf(plan).filter(({ bytes }) => bytes.some((sent) => sent > 0)).length,
    messages: Math.max(...programs.map(messagesOf)),
    flops: flops.reduce((most, one) => one.matrix + one.vector > most.matrix + most.vector ? one : most),
    memory: memories.reduce((most, one) => one.peak.total + one.messages > most.peak.total + most.messages ? one : most),
    constraints: constraintsOf(plan),
  }
}

const movesOf = (plan: Plan): readonly Move[] => plan.steps.filter((step): step is Move => step.do === 'move')

/** Bytes of the rank that sends most in these moves. */
const busiest = ({ ranks }: Plan, moves: readonly Move[]): number =>
  Math.max(...Array.from({ length: ranks }, (_, rank) => moves.reduce((sum, { bytes }) => sum + bytes[rank]!, 0)))

const sentByPhase = (plan: Plan): Partial<Record<Phase, number>> =>
  Object.fromEntries(
    [...new Set(movesOf(plan).map(({ phase }) => phase))].map((phase) => [
      phase,
      busiest(plan, movesOf(plan).filter((move) => move.phase === phase)),
    ]),
  )

const exchangesIn = ({ steps }: RankProgram): readonly Exchange[] => steps.filter((step) => step.kind === 'exchange')

/** Every exchange is one message to each peer that is sent something. */
const messagesOf = (program: RankProgram): number =>
  exchangesIn(program).reduce((count, { sends }) => count + new Set(sends.map(({ peer }) => peer)).size, 0)

const flopsOf = ({ steps }: RankProgram): PlanNumbers['flops'] => {
  const works = steps.filter((step): step is Kernel => step.kind !== 'exchange').map(workOf)
  const sum = (of: 'matrix' | 'vector'): number => works.reduce((all, work) => all + work[of], 0)
  return { matrix: sum('matrix'), vector: sum('vector') }
}

const memoryOf = (plan: Plan, rank: number, program: RankProgram): Memory => {
  const peak = peakOf(plan, rank)
  const stored = storedActivations(plan, rank)
  const bytesOf = (parcels: readonly Parcel[]): number =>
    bytesPerElement * parcels.reduce((elements, { sizes }) => elements + elementsOf(sizes), 0)
  const messages = exchangesIn(program).reduce((most, { sends, receives }) => Math.max(most, bytesOf(sends) + bytesOf(receives)), 0)
  const resident = peak.inputs + peak.parameters + peak.optimiser
  return { peak, stored, messages, transient: Math.max(0, peak.total + messages - resident - stored) }
}
