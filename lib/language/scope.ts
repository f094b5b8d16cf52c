/** What a node is recorded for. `recompute`: once more, so that its first result need not be kept for the backward pass. */
export type Phase = 'forward' | 'recompute' | 'backward' | 'update'

/** A part of a program whose results are not kept for the backward pass, and the one that it lies in. */
export interface Region {
  readonly within: Region | undefined
}

/** What holds for all nodes that are recorded now. */
export interface Scope {
  readonly phase: Phase
  readonly region: Region | undefined
  /** How often the node's part of the program has been recomputed before: such nodes are equal to none of an earlier time. */
  readonly replay: number
  /** The source line that they are recorded for, where it isn't the one being executed. */
  readonly where: string | undefined
}

let current: Scope = { phase: 'forward', region: undefined, replay: 0, where: undefined }

export const scope = (): Scope => current

/** Records with some of the scope changed. */
export const within = <A>(change: Partial<Scope>, run: () => A): A => {
  const before = current
  current = { ...before, ...change }
  try {
    return run()
  } finally {
    current = before
  }
}
