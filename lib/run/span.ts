/** What a rank does in a stretch of time. `wire` is bytes on their way, `wait` is waiting for a rank that is not there yet. */
export type Activity = 'write' | 'compute' | 'pack' | 'wire' | 'wait' | 'unpack' | 'read'

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
