/**
 * Everything that can go wrong, as one tagged union. Faults are values: they travel in `Either` and
 * `TaskEither`, cross process borders as JSON, and end as one sentence that says what, where and what to do.
 */
export type Fault =
  /** The program itself is wrong: a dim, size, layout or pending sum that does not fit. `message` carries the fix. */
  | { readonly tag: 'Refused'; readonly message: string; readonly where?: string }
  /** A command line, option or environment that cannot be used. */
  | { readonly tag: 'Usage'; readonly message: string }
  /** Something from outside the process (file, message, plan) does not have the form it must have. */
  | { readonly tag: 'Malformed'; readonly what: string; readonly path: string; readonly expected: string; readonly got: string }
  /** A tensor given by the caller does not fit the program's declaration. */
  | { readonly tag: 'BadTensor'; readonly name: string; readonly message: string }
  /** A file cannot be read or written. */
  | { readonly tag: 'File'; readonly path: string; readonly message: string }
  /** No adapter, no driver, or an adapter that lacks what the plan needs. */
  | { readonly tag: 'Device'; readonly message: string; readonly rank?: number }
  /** A rank's process ended by itself. */
  | { readonly tag: 'RankDied'; readonly rank: number; readonly step: string; readonly cause: string }
  /** A rank's process is there but no longer answers. */
  | { readonly tag: 'RankHung'; readonly rank: number; readonly step: string; readonly milliseconds: number }
  /** A rank failed in a step and said so. */
  | { readonly tag: 'RankFailed'; readonly rank: number; readonly step: string; readonly cause: string }
  /** Two ranks met in different collectives, or hold different plans. */
  | { readonly tag: 'Mismatch'; readonly rank: number; readonly peer: number; readonly mine: string; readonly theirs: string }
  /** A wait inside a collective took longer than allowed. */
  | { readonly tag: 'Timeout'; readonly rank: number; readonly step: string; readonly milliseconds: number }
  /** An operation made NaN or an infinity of finite numbers; told by sessions that are launched with `debug`. */
  | { readonly tag: 'NotFinite'; readonly rank: number; readonly step: string; readonly value: 'NaN' | 'an infinity' }
  /** A training's loss or its gradients are no longer finite; the state is that of the step before. */
  | { readonly tag: 'Diverged'; readonly step: number; readonly what: string; readonly cause: string }
  /** The session was closed, or had failed before this call. */
  | { readonly tag: 'Closed'; readonly message: string }

/** The one sentence a person reads. */
export const sentence = (fault: Fault): string => {
  switch (fault.tag) {
    case 'Refused':
      return fault.where === undefined ? fault.message : `${fault.where}: ${fault.message}`
    case 'Usage':
    case 'Closed':
      return fault.message
    case 'Malformed':
      return `${fault.what}: expected ${fault.expected} at ${fault.path}, got ${fault.got}`
    case 'BadTensor':
      return `tensor '${fault.name}': ${fault.message}`
    case 'File':
      return `${fault.path}: ${fault.message}`
    case 'Device':
      return fault.rank === undefined ? fault.message : `rank ${fault.rank}: ${fault.message}`
    case 'RankDied':
      return `rank ${fault.rank} died ${fault.step}: ${fault.cause}`
    case 'RankHung':
      return `rank ${fault.rank} did not answer for ${fault.milliseconds} ms ${fault.step}; it was stopped`
    case 'RankFailed':
      return `rank ${fault.rank} failed ${fault.step}: ${fault.cause}`
    case 'Mismatch':
      return `rank ${fault.peer} is at ${fault.theirs}, but rank ${fault.rank} is at ${fault.mine}: all ranks must run the same plan`
    case 'NotFinite':
      return `rank ${fault.rank} made ${fault.value} of finite numbers ${fault.step}`
    case 'Diverged':
      return `step ${fault.step} made ${fault.what} and was not taken: ${fault.cause}`
    case 'Timeout':
      return `rank ${fault.rank} waited ${fault.milliseconds} ms ${fault.step} and gave up`
  }
}

export const refused = (message: string, where?: string): Fault =>
  where === undefined ? { tag: 'Refused', message } : { tag: 'Refused', message, where }
export const usage = (message: string): Fault => ({ tag: 'Usage', message })
export const device = (message: string): Fault => ({ tag: 'Device', message })
export const closed = (message: string): Fault => ({ tag: 'Closed', message })
export const badTensor = (name: string, message: string): Fault => ({ tag: 'BadTensor', name, message })
export const file = (path: string, message: string): Fault => ({ tag: 'File', path, message })

/** What a thrown thing says, in one line; a missing file is said in words. */
export const reasonOf = (thrown: unknown): string =>
  !(thrown instanceof Error)
    ? String(thrown)
    : 'code' in thrown && thrown.code === 'ENOENT'
    ? 'there is no such file'
    : thrown.message.split('\n')[0]!

/** The fault of reading or writing a file. */
export const fileFault = (path: string) => (thrown: unknown): Fault => file(path, reasonOf(thrown))
