import type { Cluster, Precision } from '../cluster/cluster.ts'
import { kernelSeconds, scaleOf } from '../cluster/kernel-seconds.ts'
import { sendSeconds, stagedSeconds } from '../cluster/links.ts'
import { bytesPerElement } from '../dtype.ts'
import { elementsOf, type Exchange, type Kernel, type Parcel, type RankProgram, reads } from '../kernel/kernel.ts'
import { type Work, workOf } from '../kernel/work.ts'
import type { Phase } from '../language/scope.ts'
import { instantiateWithPeak, type Peak } from '../lower/instantiate.ts'
import type { Plan } from '../plan/plan.ts'

/** A step of a rank's program with the seconds that it takes. */
export type Priced = PricedKernel | PricedExchange

interface Common {
  readonly step: number
  readonly phase: Phase
  readonly name: string
}
export interface PricedKernel extends Common {
  readonly kind: 'kernel'
  readonly seconds: number
  readonly work: Work
  /** Buffers. */
  readonly reads: readonly number[]
  readonly writes: number
}
export interface PricedExchange extends Common {
  readonly kind: 'exchange'
  /** Seconds to make parcels contiguous, to send and to receive them, and to put them where they belong. */
  readonly pack: number
  readonly send: number
  readonly receive: number
  readonly unpack: number
  /** Bytes sent. */
  readonly bytes: number
  /** Bytes of all parcels, sent and received, which lie in memory beside the buffers. */
  readonly parcels: number
  /** Buffers; null where the rank gives or gets nothing. */
  readonly from: number | null
  readonly to: number | null
  /** Whether a part is copied from one to the other, after the parcels are packed. */
  readonly keeps: boolean
  /** The ranks from which something comes, and all with which something is exchanged. */
  readonly sources: readonly number[]
  readonly peers: readonly number[]
}

/** A rank's program on a device of the cluster. */
export interface PricedProgram {
  readonly rank: number
  readonly buffers: number
  /** In bytes, as the plan has it. */
  readonly peak: Peak
  readonly steps: readonly Priced[]
}

/**
 * Prices a rank's steps. In bf16 everything is half as long in memory and on the wire, except in the kernels of the update,
 * which is made in float32 as in mixed-precision training.
 */
export const priceProgram = (plan: Plan, rank: number, cluster: Cluster, precision: Precision, staged: boolean): PricedProgram => {
  const { program, peak } = instantiateWithPeak(marked(plan), rank)
  const phases = phasesOf(plan, program)
  const steps = program.steps.map((step, at): Priced => {
    const common = { step: at, phase: phases[at]!, name: nameOf(program, at) }
    return step.kind === 'exchange'
      ? { ...common, ...priceExchange(step, rank, cluster, precision, staged) }
      : { ...common, ...priceKernel(step, cluster, common.phase === 'update' ? 'f32' : precision) }
  })
  return { rank, buffers: program.buffers.length, peak, steps }
}

const priceKernel = (kernel: Kernel, cluster: Cluster, precision: Precision): Omit<PricedKernel, keyof Common> => {
  const work = workOf(kernel)
  return {
    kind: 'kernel',
    seconds: kernelSeconds(cluster, precision, work),
    work,
    reads: [...new Set(reads(kernel).map(({ buffer }) => buffer))],
    writes: kernel.output.buffer,
  }
}

const priceExchange = (
  exchange: Exchange,
  rank: number,
  cluster: Cluster,
  precision: Precision,
  staged: boolean,
): Omit<PricedExchange, keyof Common> => {
  const { device, links } = cluster
  const { sends, receives, keeps, combine } = exchange
  const type = (sends[0] ?? receives[0])?.view.type ?? keeps?.from.type
  const scale = bytesPerElement * (type === 'f32' ? scaleOf(precision) : 1)
  const bytesOf = (parcels: readonly Parcel[]): readonly number[] => {
    const bytes: number[] = []
    for (const { peer, sizes } of parcels) bytes[peer] = (bytes[peer] ?? 0) + scale * elementsOf(sizes)
    return bytes
  }
  const sum = (bytes: readonly number[]): number => bytes.reduce((all, some) => all + some, 0)
  const most = (bytes: readonly number[]): number => bytes.reduce((largest, some) => Math.max(largest, some), 0)
  const [sent, received] = [bytesOf(sends), bytesOf(receives)]
  const kept = keeps === null ? 0 : scale * elementsOf(keeps.sizes)
  // Parcels are read and written once on each side; parts that are folded together are written once for all.
  const placed = combine === 'place' ? 2 * (sum(received) + kept) : sum(received) + kept + (kept || Math.max(0, ...received))
  const copying = (bytes: number): number => bytes === 0 ? 0 : device.launch + bytes / device.bandwidth
  const sources = receives.map(({ peer }) => peer)
  const peers = [...new Set([...sources, ...sends.map(({ peer }) => peer)])]
  const inStages = staged && (combine !== 'place' || sendsTheSame(sends))
  const seconds = (bytes: readonly number[]): number =>
    inStages ? stagedSeconds(links, rank, peers, most(bytes)) : sendSeconds(links, rank, bytes)
  return {
    kind: 'exchange',
    // A part that is handed on is packed once.
    pack: copying(2 * (inStages && combine === 'place' ? most(sent) : sum(sent))),
    send: seconds(sent),
    receive: seconds(received),
    unpack: copying(placed),
    bytes: sum(sent),
    parcels: sum(sent) + sum(received),
    from: sends[0]?.view.buffer ?? keeps?.from.buffer ?? null,
    to: receives[0]?.view.buffer ?? keeps?.to.buffer ?? null,
    keeps: keeps !== null,
    sources,
    peers,
  }
}

/** Whether all others get one and the same part, which may then be handed on. */
const sendsTheSame = (sends: readonly Parcel[]): boolean =>
  sends.every(({ sizes, view }) => view.offset === sends[0]!.view.offset && sizes.every((size, i) => size === sends[0]!.sizes[i]))

// ---- which step of the plan a step of the program comes from --------------------------------------------------------

/** The plan with each step's number in its place in the source, so that the program's labels carry it. */
const marked = (plan: Plan): Plan => ({ ...plan, steps: plan.steps.map((step, i) => ({ ...step, where: `‹${i}›${step.where}` })) })

/** Copies of results belong to the step before them, changes of parameters to the update. */
const phasesOf = (plan: Plan, { labels }: RankProgram): readonly Phase[] => {
  const trains = plan.steps.some(({ phase }) => phase === 'update')
  let phase: Phase = plan.steps[0]?.phase ?? 'forward'
  return labels.map((label) => {
    const [, at] = /‹(\d+)›/.exec(label) ?? []
    if (at !== undefined) phase = plan.steps[Number(at)]!.phase
    else if (trains && label.startsWith('in the change')) return 'update'
    return phase
  })
}

/** `linear at video.ts:12`, `all-to-all t→s over sp for video.ts:14`. */
const nameOf = ({ labels }: RankProgram, step: number): string => labels[step]!.replace(/^in (the )?/, '').replace(/‹\d+›/, '')
