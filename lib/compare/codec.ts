import * as t from 'io-ts'
import type { Either } from 'fp-ts/lib/Either.js'
import { PrecisionCodec } from '../cluster/cluster.ts'
import { decodeWith } from '../codec.ts'
import type { Fault } from '../fault.ts'
import type { Phase } from '../language/scope.ts'
import { SpanCodec } from '../run/span.ts'

/** Programs side by side, as data: what the tables and the page show. It is written as JSON and can be read again. */

const PhaseCodec: t.Type<Phase, Phase, unknown> = t.keyof({ forward: null, recompute: null, backward: null, update: null })

const PeakCodec = t.strict({
  inputs: t.number,
  parameters: t.number,
  optimiser: t.number,
  activations: t.number,
  gradients: t.number,
  update: t.number,
  unused: t.number,
  total: t.number,
})

const MemoryCodec = t.strict({
  /** What the rank's buffers hold when they hold most, by kind, and all buffers in total: the peak that `explain` tells. */
  peak: PeakCodec,
  /** Results of the forward pass that are still needed when it ends. */
  stored: t.number,
  /** How far the peak, with the messages of the largest exchange, lies above what is there between two runs and what is stored. */
  transient: t.number,
  /** Messages of the largest exchange, sent and received: they lie beside the buffers. */
  messages: t.number,
})
export type Memory = t.TypeOf<typeof MemoryCodec>

const PlanNumbersCodec = t.strict({
  /** Bytes that the rank which sends most in a phase sends in it; 0 where a program has no such phase. */
  sent: t.strict({ forward: t.number, recompute: t.number, backward: t.number, update: t.number }),
  /** Bytes that the rank which sends most sends in all phases together. */
  sentInAll: t.number,
  /** Exchanges, which all ranks take part in, and messages of the rank that sends most of them. */
  exchanges: t.number,
  messages: t.number,
  /** Floating-point operations of the rank that has most: of products, and of everything else. */
  flops: t.strict({ matrix: t.number, vector: t.number }),
  /** Of the rank that needs most. */
  memory: MemoryCodec,
  /** Dims that their axes don't divide: `h:4 over sp=3: pieces of 2, 1, 1`. */
  constraints: t.readonlyArray(t.string),
})
export type PlanNumbers = t.TypeOf<typeof PlanNumbersCodec>

const seconds = { seconds: t.number, compute: t.number, communication: t.number, hidden: t.number, exposed: t.number }

/** What a rank does when; `ranks` are alike, and the first one stands for them. */
const LaneCodec = t.strict({ ranks: t.readonlyArray(t.number), spans: t.readonlyArray(SpanCodec) })
export type Lane = t.TypeOf<typeof LaneCodec>

const EstimateCodec = t.strict({
  /** Of the rank that is done last: all of it, computing, communicating, and the part of that which is hidden or not. */
  ...seconds,
  phases: t.readonlyArray(t.strict({ phase: PhaseCodec, ...seconds })),
  fits: t.boolean,
  lanes: t.readonlyArray(LaneCodec),
})
export type Estimate = t.TypeOf<typeof EstimateCodec>

const MeasurementCodec = t.strict({
  /** Seconds of each run, from its begin to the end of the rank that was done last. */
  runs: t.readonlyArray(t.number),
  median: t.number,
  least: t.number,
  most: t.number,
  /** Bytes of the rank that sent most, counted by the link. */
  sent: t.number,
  /** Seconds of one further run in which the device was waited for after each kernel: means over the ranks. */
  activities: t.strict({ compute: t.number, pack: t.number, wire: t.number, wait: t.number, unpack: t.number, inOut: t.number }),
  lanes: t.readonlyArray(LaneCodec),
})
export type Measurement = t.TypeOf<typeof MeasurementCodec>

const ComparedCodec = t.strict({
  file: t.string,
  name: t.string,
  mesh: t.string,
  ranks: t.number,
  plan: PlanNumbersCodec,
  estimate: t.union([EstimateCodec, t.null]),
  /** What was measured, or why it could not be; null where nothing was to be measured. */
  measurement: t.union([MeasurementCodec, t.strict({ failed: t.string }), t.null]),
})
export type Compared = t.TypeOf<typeof ComparedCodec>

/** A program that cannot be on the mesh, and why. */
const RefusedCodec = t.strict({ file: t.string, refused: t.string })
export type Refused = t.TypeOf<typeof RefusedCodec>

const ComparisonCodec = t.strict({
  format: t.literal('shardwise-comparison'),
  version: t.literal(1),
  /** The machines that times are estimated for. */
  estimatedFor: t.union([t.strict({ cluster: t.string, precision: PrecisionCodec, overlap: t.boolean }), t.null]),
  /** How times were measured: runs of each program, on what, over which link, and how that was slowed. */
  measuredWith: t.union([
    t.strict({ repeat: t.number, devices: t.readonlyArray(t.string), link: t.string, throttle: t.union([t.string, t.null]) }),
    t.null,
  ]),
  programs: t.readonlyArray(t.union([ComparedCodec, RefusedCodec])),
})
export type Comparison = t.TypeOf<typeof ComparisonCodec>

export const isRefused = (program: Comparison['programs'][number]): program is Refused => 'refused' in program

/** The programs that could be planned. */
export const comparedIn = ({ programs }: Comparison): readonly Compared[] =>
  programs.flatMap((program) => isRefused(program) ? [] : [program])

/** The measurement of a program, if there is one. */
export const measurementOf = ({ measurement }: Compared): Measurement | null =>
  measurement === null || 'failed' in measurement ? null : measurement

/** Reads a comparison from JSON. */
export const decodeComparison = (json: unknown): Either<Fault, Comparison> => decodeWith('comparison', ComparisonCodec, json)
