import type { Cluster, Precision } from '../cluster/cluster.ts'
import type { Phase } from '../language/scope.ts'
import type { Peak } from '../lower/instantiate.ts'
import type { Plan } from '../plan/plan.ts'
import type { Span } from '../run/span.ts'
import { alikeRanks, type Group } from './alike.ts'
import { type PricedProgram, priceProgram } from './price.ts'
import { type RankSchedule, schedule, spansOf, type Stretch } from './schedule.ts'

export interface SimulateOptions {
  /** `f32` where nothing is said. */
  readonly precision?: Precision
  /** Whether devices compute while they communicate; as the cluster says where nothing is said. */
  readonly overlap?: boolean
  /**
   * Whether what all ranks get (all-gather), or what is summed over all (reduce-scatter), goes in stages over links of several levels,
   * as MPI and NCCL do it, and not from every rank to every other, as Shardwise's own links do and the
   * planner prices it. False where nothing is said.
   */
  readonly staged?: boolean
}

/** What a run of a plan would be like on a cluster. Times are seconds of the rank that is done last. */
export interface Simulation extends Seconds {
  readonly program: string
  readonly mesh: string
  readonly ranks: number
  readonly cluster: string
  readonly precision: Precision
  readonly overlap: boolean
  readonly phases: readonly (Seconds & { readonly phase: Phase })[]
  /** Of the rank that needs most. */
  readonly memory: Memory
  /** Bytes that a device has. */
  readonly capacity: number
  readonly fits: boolean
  /** Ranks that are alike; one of each group was simulated. */
  readonly groups: readonly SimulatedGroup[]
}

export interface Seconds {
  readonly seconds: number
  readonly compute: number
  /** Packing, being on the wire, waiting for ranks that are not there yet, unpacking. */
  readonly communication: number
  /** The part of the communication during which kernels run, and the part during which none does. */
  readonly hidden: number
  readonly exposed: number
}

/** Bytes: what buffers hold when they hold most, and the parcels of the largest exchange beside them. */
export interface Memory extends Peak {
  readonly parcels: number
}

export interface SimulatedGroup extends Seconds {
  readonly ranks: Group
  /** Floating-point operations of a rank: of products, and of everything else. */
  readonly matrix: number
  readonly vector: number
  /** Bytes that a rank sends. */
  readonly sent: number
  readonly memory: Memory
  /** What the first rank of the group does when. */
  readonly spans: readonly Span[]
}

/**
 * Prices a plan for a cluster: kernels by their arithmetic and memory traffic, exchanges by bytes over the links between the
 * ranks, and who waits for whom. In `bf16` activations, gradients and what travels take half of the bytes; parameters and
 * the optimiser's state stay float32, as in mixed-precision training.
 */
export const simulate = (plan: Plan, cluster: Cluster, options: SimulateOptions = {}): Simulation => {
  const { precision = 'f32', overlap = cluster.overlap, staged = false } = options
  const groups = alikeRanks(plan, cluster.links)
  const groupOf: number[] = []
  for (const [i, group] of groups.entries()) for (const rank of group) groupOf[rank] = i
  const programs = groups.map(([rank]) => priceProgram(plan, rank!, cluster, precision, staged))
  const timelines = schedule(programs, groupOf, overlap)
  const simulated = groups.map((ranks, i) => simulatedGroup(precision, ranks, programs[i]!, timelines[i]!))
  const last = timelines.reduce((latest, timeline) => timeline.end > latest.end ? timeline : latest)
  const memory = simulated.reduce((most, group) => bytesIn(group.memory) > bytesIn(most) ? group.memory : most, simulated[0]!.memory)
  return {
    program: plan.program,
    mesh: plan.mesh,
    ranks: plan.ranks,
    cluster: cluster.name,
    precision,
    overlap,
    ...secondsOf(last),
    phases: phasesOf(last),
    memory,
    capacity: cluster.device.memory,
    fits: bytesIn(memory) <= cluster.device.memory,
    groups: simulated,
  }
}

/** Bytes of buffers and parcels together. */
export const bytesIn = ({ total, parcels }: Memory): number => total + parcels

const simulatedGroup = (
  precision: Precision,
  ranks: Group,
  { peak, steps }: PricedProgram,
  timeline: RankSchedule,
): SimulatedGroup => {
  const kernels = steps.filter((step) => step.kind === 'kernel')
  const exchanges = steps.filter((step) => step.kind === 'exchange')
  return {
    ranks,
    ...secondsOf(timeline),
    matrix: kernels.reduce((sum, { work }) => sum + work.matrix, 0),
    vector: kernels.reduce((sum, { work }) => sum + work.vector, 0),
    sent: exchanges.reduce((sum, { bytes }) => sum + bytes, 0),
    memory: { ...inPrecision(peak, precision), parcels: exchanges.reduce((most, { parcels }) => Math.max(most, parcels), 0) },
    spans: spansOf(timeline),
  }
}

const inPrecision = (peak: Peak, precision: Precision): Peak => {
  if (precision === 'f32') return peak
  const halved = { inputs: peak.inputs / 2, activations: peak.activations / 2, gradients: peak.gradients / 2, unused: peak.unused / 2 }
  const { parameters, optimiser, update } = peak
  const total = parameters + optimiser + update + Object.values(halved).reduce((sum, bytes) => sum + bytes, 0)
  return { ...halved, parameters, optimiser, update, total }
}

const lengthOf = (stretches: readonly Stretch[]): number => stretches.reduce((sum, { start, end }) => sum + end - start, 0)

/** Wherever no kernel runs, a rank communicates: kernels wait for nothing else. */
const secondsOf = ({ computing, communicating, end }: RankSchedule): Seconds => {
  const [compute, communication] = [lengthOf(computing), lengthOf(communicating)]
  const exposed = Math.max(0, end - compute)
  return { seconds: end, compute, communication, exposed, hidden: Math.max(0, communication - exposed) }
}

/** Time in which no kernel runs belongs to the phase of the exchange that it is spent in. */
const phasesOf = ({ computing, communicating, end }: RankSchedule): Simulation['phases'] => {
  const sums = new Map<Phase, { compute: number; communication: number; exposed: number }>()
  const sumOf = (phase: Phase) => {
    const sum = sums.get(phase) ?? { compute: 0, communication: 0, exposed: 0 }
    sums.set(phase, sum)
    return sum
  }
  for (const { of, start, end } of computing) sumOf(of.phase).compute += end - start
  for (const { of, start, end } of communicating) sumOf(of.phase).communication += end - start
  let next = 0
  const idle = (from: number, to: number): void => {
    while (next < communicating.length && communicating[next]!.end <= from) next++
    for (let i = next; i < communicating.length && communicating[i]!.start < to; i++) {
      const { of, start, end } = communicating[i]!
      sumOf(of.phase).exposed += Math.min(end, to) - Math.max(start, from)
    }
  }
  let free = 0
  for (const { start, end } of computing) {
    if (start > free) idle(free, start)
    free = end
  }
  if (end > free) idle(free, end)
  return (['forward', 'recompute', 'backward', 'update'] as const).flatMap((phase) => {
    const sum = sums.get(phase)
    return sum === undefined
      ? []
      : [{ phase, ...sum, seconds: sum.compute + sum.exposed, hidden: Math.max(0, sum.communication - sum.exposed) }]
  })
}
