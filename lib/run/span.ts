import * as t from 'io-ts'

/**
 * What a rank does in a stretch of time, in the order in which a run comes to it. `wire` is bytes on their way, `wait` is
 * waiting for a rank that is not there yet.
 */
export const ActivityCodec = t.keyof({ write: null, compute: null, pack: null, wire: null, wait: null, unpack: null, read: null })
export type Activity = t.TypeOf<typeof ActivityCodec>

/** Which spans a session measures: none, one for each kernel, or one for each stretch of kernels between exchanges. */
export const MeasuredSpansCodec = t.union([t.boolean, t.literal('stretches')])
export type MeasuredSpans = t.TypeOf<typeof MeasuredSpansCodec>

/** A stretch of a rank's time, measured or simulated. */
export interface Span {
  readonly rank: number
  readonly activity: Activity
  /** `attention at video.ts:12`, `all-to-all t→s over sp for video.ts:14`. */
  readonly name: string
  /** The step of the rank's program that it belongs to; null outside of steps. */
  readonly step: number | null
  /** Milliseconds since the run began, on one clock for all ranks. */
  readonly start: number
  readonly end: number
  /** Bytes sent in it, for exchanges. */
  readonly bytes?: number
}

export const SpanCodec: t.Type<Span, Span, unknown> = t.exact(t.intersection([
  t.type({
    rank: t.number,
    activity: ActivityCodec,
    name: t.string,
    step: t.union([t.number, t.null]),
    start: t.number,
    end: t.number,
  }),
  t.partial({ bytes: t.number }),
]))
