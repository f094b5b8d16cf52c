import type { Activity, Span } from '../run/span.ts'
import type { Priced, PricedExchange, PricedKernel, PricedProgram } from './price.ts'

/** What a rank does when. Seconds since the run began; computation and communication are each in order of time. */
export interface RankSchedule {
  readonly rank: number
  readonly computing: readonly Stretch[]
  readonly communicating: readonly Stretch[]
  readonly end: number
}
export interface Stretch {
  readonly of: Priced
  readonly activity: Activity
  readonly start: number
  readonly end: number
}

interface Rank {
  readonly program: PricedProgram
  readonly computing: Stretch[]
  readonly communicating: Stretch[]
  /** The next step. */
  at: number
  /** When the last kernel and the last exchange so far are done. */
  computed: number
  communicated: number
  /** When what was written last into each buffer is there, and when what was read last from it has been read. */
  readonly written: Float64Array
  readonly read: Float64Array
}

/**
 * When each step of the programs begins and ends. `groupOf` tells for each rank which of the programs is its own.
 *
 * Without overlap a rank does one thing after another. With it there are two streams, each in the order of the program: one of
 * kernels, one of exchanges. An exchange begins when what it sends is made and the exchange before it is over; a kernel waits for
 * what is still on its way to it, and for a buffer to be free that it writes to. Parcels travel when all ranks that exchange
 * with one another are there, and have arrived when the slowest of their senders has sent all of its own.
 */
export const schedule = (programs: readonly PricedProgram[], groupOf: readonly number[], overlap: boolean): readonly RankSchedule[] => {
  const ranks = programs.map((program): Rank => ({
    program,
    computing: [],
    communicating: [],
    at: 0,
    computed: 0,
    communicated: 0,
    written: new Float64Array(program.buffers),
    read: new Float64Array(program.buffers),
  }))
  for (;;) {
    for (const rank of ranks) computeUntilExchange(rank, overlap)
    const met = ranks.map(({ program, at }) => program.steps[at]).filter((step) => step !== undefined)
    if (met.length === 0) break
    // All ranks have the same exchanges in the same order.
    exchange(ranks, met as readonly PricedExchange[], groupOf, overlap)
  }
  return ranks.map(({ program, computing, communicating, computed, communicated }) => (
    { rank: program.rank, computing, communicating, end: Math.max(computed, communicated) }
  ))
}

const computeUntilExchange = (rank: Rank, overlap: boolean): void => {
  const { program: { steps }, written, read, computing } = rank
  for (let step = steps[rank.at]; step?.kind === 'kernel'; step = steps[++rank.at]) {
    const start = Math.max(rank.computed, overlap ? ready(rank, step) : rank.communicated)
    const end = start + step.seconds
    for (const buffer of step.reads) read[buffer] = Math.max(read[buffer]!, end)
    written[step.writes] = end
    rank.computed = end
    computing.push({ of: step, activity: 'compute', start, end })
  }
}

/** When all that a kernel reads is there, and nothing is read or written any more where it writes. */
const ready = ({ written, read }: Rank, { reads, writes }: PricedKernel): number =>
  reads.reduce((latest, buffer) => Math.max(latest, written[buffer]!), Math.max(written[writes]!, read[writes]!))

const exchange = (ranks: readonly Rank[], steps: readonly PricedExchange[], groupOf: readonly number[], overlap: boolean): void => {
  const began = ranks.map((rank, i) => {
    const { from } = steps[i]!
    return Math.max(rank.communicated, !overlap ? rank.computed : from === null ? 0 : rank.written[from]!)
  })
  const packed = began.map((start, i) => start + steps[i]!.pack)
  for (const [i, rank] of ranks.entries()) {
    const step = steps[i]!
    const { from, to, sources, peers, pack, send, receive, unpack, keeps } = step
    const met = peers.reduce((latest, peer) => Math.max(latest, packed[groupOf[peer]!]!), packed[i]!)
    const arrived = met + sources.reduce((longest, peer) => Math.max(longest, steps[groupOf[peer]!]!.send), Math.max(send, receive))
    // The place where they belong may still be in use by kernels of before.
    const free = to === null ? 0 : Math.max(rank.read[to]!, rank.written[to]!)
    const placing = Math.max(arrived, overlap ? free : 0)
    const end = placing + unpack
    if (from !== null) rank.read[from] = Math.max(rank.read[from]!, keeps ? end : packed[i]!)
    if (to !== null) rank.written[to] = end
    rank.communicated = end
    if (!overlap) rank.computed = end
    rank.at++
    const stretches: readonly Stretch[] = [
      { of: step, activity: 'pack', start: began[i]!, end: began[i]! + pack },
      { of: step, activity: 'wait', start: packed[i]!, end: met },
      { of: step, activity: 'wire', start: met, end: arrived },
      { of: step, activity: 'wait', start: arrived, end: placing },
      { of: step, activity: 'unpack', start: placing, end },
    ]
    rank.communicating.push(...stretches.filter((stretch) => stretch.end > stretch.start))
  }
}

/** The timeline as spans, for traces. */
export const spansOf = ({ rank, computing, communicating }: RankSchedule): readonly Span[] =>
  [...computing, ...communicating].sort((a, b) => a.start - b.start || a.end - b.end).map(({ of, activity, start, end }) => ({
    rank,
    activity,
    name: of.name,
    step: of.step,
    start: 1000 * start,
    end: 1000 * end,
    ...(activity === 'wire' && of.kind === 'exchange' ? { bytes: of.bytes } : {}),
  }))
