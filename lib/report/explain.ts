import type { Phase } from '../language/scope.ts'
import { type Peak, peakOf } from '../lower/instantiate.ts'
import type { Move, Plan } from '../plan/plan.ts'

/** What a plan does and why, as data: what `explain` prints, and its JSON. */
export interface Explanation {
  readonly program: string
  readonly mesh: string
  readonly ranks: number
  readonly transitions: readonly Transition[]
  readonly total: {
    readonly exchanges: number
    /** Bytes of the rank that sends most, and of all ranks. */
    readonly bytesPerRank: number
    readonly bytes: number
    readonly lowerBound: number
    readonly minimal: boolean
    /** Bytes of the program as declared; null where it leaves dims to the planner. */
    readonly declaredBytes: number | null
    /** Where the plan was made for the least time: on which cluster, what it should take, and a lower bound, in seconds. */
    readonly fastest: Plan['certificate']['fastest']
    readonly method: string
  }
  /** Of each phase of a training step, in order; a program without gradients has one. */
  readonly phases: readonly PhaseTotal[]
  /** Parameters of a training that are to be trained, but that the loss doesn't reach: they stay as they are. */
  readonly notReached: readonly string[]
  /** Bytes of all buffers of the rank that needs most, and what they hold when they hold most. */
  readonly peakBytesPerRank: number
  readonly peak: Peak
}

export interface PhaseTotal {
  readonly phase: Phase
  readonly exchanges: number
  /** Bytes of the rank that sends most, and of all ranks. */
  readonly bytesPerRank: number
  readonly bytes: number
}

/** One change of layout; equal ones of one source line are counted together. */
export interface Transition {
  readonly phase: Phase
  readonly where: string
  /** `layout('s@sp')` where the line declares one. */
  readonly declares: string | null
  /** DSP's name: keep, switch, split, gather, reduce … */
  readonly name: string
  readonly what: string
  readonly collective: string | null
  readonly times: number
  readonly bytesPerRank: number
  readonly why: string
}

/** Explains a plan: every change of layout by source line, with its bytes and what forces it. */
export const explain = (plan: Plan): Explanation => {
  const moves = plan.steps.filter((step): step is Move => step.do === 'move')
  const sending = moves.filter(({ bytes }) => bytes.some((sent) => sent > 0))
  const perRank = Array.from({ length: plan.ranks }, (_, rank) => sending.reduce((sum, { bytes }) => sum + bytes[rank]!, 0))
  const { bytes, bound, minimal, declaredBytes, fastest, method } = plan.certificate
  const peak = peakMemory(plan)
  return {
    program: plan.program,
    mesh: plan.mesh,
    ranks: plan.ranks,
    transitions: transitionsOf(plan, moves),
    total: {
      exchanges: sending.length,
      bytesPerRank: Math.max(0, ...perRank),
      bytes,
      lowerBound: bound,
      minimal,
      declaredBytes,
      fastest,
      method,
    },
    phases: phasesOf(plan, sending),
    notReached: notReachedBy(plan),
    peakBytesPerRank: peak.total,
    peak,
  }
}

/** A step of a training changes all parameters but those that are declared so, or that its loss doesn't reach. */
const notReachedBy = ({ steps, inputs, changes }: Plan): readonly string[] => {
  if (!steps.some(({ phase }) => phase === 'update')) return []
  const changed = new Set(changes.map(({ parameter }) => parameter))
  return inputs.filter(({ parameter, trained, name }) => parameter && trained !== false && !changed.has(name)).map(({ name }) => name)
}

/** The memory of the rank that needs most. Pieces are longest on low ranks, so the first few decide. */
const peakMemory = (plan: Plan): Peak =>
  Array.from({ length: Math.min(plan.ranks, 4) }, (_, rank) => peakOf(plan, rank))
    .reduce((most, peak) => peak.total > most.total ? peak : most)

const phasesOf = (plan: Plan, sending: readonly Move[]): readonly PhaseTotal[] =>
  (['forward', 'recompute', 'backward', 'update'] as const).flatMap((phase) => {
    if (!plan.steps.some((step) => step.phase === phase)) return []
    const moves = sending.filter((move) => move.phase === phase)
    const perRank = Array.from({ length: plan.ranks }, (_, rank) => moves.reduce((sum, { bytes }) => sum + bytes[rank]!, 0))
    return [{
      phase,
      exchanges: moves.length,
      bytesPerRank: Math.max(0, ...perRank),
      bytes: perRank.reduce((sum, bytes) => sum + bytes, 0),
    }]
  })

const transitionsOf = (plan: Plan, moves: readonly Move[]): readonly Transition[] => {
  const rows = new Map<string, Transition>()
  for (const move of moves) {
    const { phase, where, name, collective, bytes, why } = move
    const most = Math.max(...bytes)
    // Gradients and updates of all parameters stand on no line of the program: they are told together, whatever dims are cut.
    const own = /:\d+$/.test(where)
    const declares = own ? move.declares : null
    const what = own ? move.what : move.what.split(', ').map((change) => change.replace(/^.*( over )/, 'over ')).join(', ')
    const key = own ? `${phase} ${where} ${declares} ${name} ${what} ${most}` : `${phase} ${where} ${name} ${what}`
    const before = rows.get(key)
    rows.set(key, {
      phase,
      where,
      declares: declares === null ? null : written(declares),
      name,
      what,
      collective: most === 0 ? null : collective,
      times: (before?.times ?? 0) + 1,
      bytesPerRank: (before?.bytesPerRank ?? 0) + most,
      why: before?.why ?? why,
    })
  }
  const kept = plan.declarations.filter(({ where, layout }) =>
    /:\d+$/.test(where) && !moves.some((move) => move.where === where && move.declares === layout)
  ).map(
    (
      { where, layout },
    ): Transition => ({
      phase: 'forward',
      where,
      declares: written(layout),
      name: 'keep',
      what: '',
      collective: null,
      times: 1,
      bytesPerRank: 0,
      why: 'it lies so already',
    }),
  )
  return [...rows.values(), ...kept]
}

const written = (layout: string): string => `layout('${layout}')`
