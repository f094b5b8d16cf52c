import Table from 'cli-table3'
import colours from 'picocolors'
import type { Peak } from '../lower/instantiate.ts'
import type { Explanation, PhaseTotal, Transition } from './explain.ts'

/** `4.5 MiB`, `96 B`. */
export const printBytes = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${Number.isInteger(value) ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[power]}`
}

/** Rows in columns without lines around them, fit for a terminal and for a file. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const edges = [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ]
  const lines = new Table({
    chars: { ...Object.fromEntries(edges.map((edge) => [edge, ''])), middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  lines.push(...rows.map((row) => [...row]))
  return lines.toString().split('\n').map((line) => line.trimEnd()).join('\n')
}

const times = (count: number): string => count === 1 ? '' : ` ×${count}`

const row =
  (trains: boolean) =>
  ({ phase, where, declares, name, what, collective, times: count, bytesPerRank, why }: Transition): readonly string[] => [
    ...(trains ? [colours.dim(phase)] : []),
    colours.dim(where),
    declares ?? '',
    `${name === 'keep' ? colours.dim(name) : colours.bold(name)} ${what}${times(count)}`,
    collective ?? colours.dim('nothing moves'),
    bytesPerRank === 0 ? '' : `${printBytes(bytesPerRank)} sent per rank`,
    colours.dim(why),
  ]

const printPhase = ({ phase, exchanges, bytesPerRank }: PhaseTotal): string =>
  `${phase} ${exchanges} ${exchanges === 1 ? 'exchange' : 'exchanges'}, ${printBytes(bytesPerRank)} per rank`

/** `1.25 ms on cluster h100 (f32), for which it was planned; lower bound 1.25 ms: fastest (proven)`. */
const printFastest = ({ cluster, precision, seconds, bound }: NonNullable<Explanation['total']['fastest']>): string =>
  `${printSeconds(seconds)} of work and exchanges on cluster ${cluster} (${precision}), for which it was planned; lower bound ${
    printSeconds(bound)
  }: ${seconds - bound <= 1e-9 + 1e-6 * seconds ? 'fastest (proven)' : 'not proven fastest'}`

/** `1.25 s`, `380 µs`. */
export const printSeconds = (seconds: number): string => {
  const [size, unit] = seconds >= 1 ? [seconds, 's'] : seconds >= 1e-3 ? [seconds * 1e3, 'ms'] : [seconds * 1e6, 'µs']
  return `${size.toPrecision(3)} ${unit}`
}

/** `12 MiB per rank`, and for training what it is made of. */
const printPeak = ({ total, ...kinds }: Peak): string => {
  if (kinds.gradients === 0 && kinds.optimiser === 0) return `${printBytes(total)} per rank`
  const words = { optimiser: 'optimiser state', unused: 'between them' } as const
  const parts = Object.entries(kinds).filter(([, bytes]) => bytes > 0).map(([kind, bytes]) =>
    `${kind in words ? words[kind as keyof typeof words] : kind} ${printBytes(bytes)}`
  )
  return `${printBytes(total)} per rank: ${parts.join(', ')}`
}

/** An explanation for people: a line per change of layout, then the totals and what is proven about them. */
export const printExplanation = (explanation: Explanation): string => {
  const { program, mesh, ranks, transitions, total, phases, notReached, peak } = explanation
  const proof = total.minimal
    ? `lower bound ${printBytes(total.lowerBound)}: minimal (proven)`
    : `lower bound ${printBytes(total.lowerBound)}: not proven minimal`
  const declared = total.declaredBytes === null
    ? 'the program leaves layouts to the planner'
    : total.declaredBytes === total.bytes
    ? 'as declared'
    : `the program as declared would send ${printBytes(total.declaredBytes)}`
  return [
    `${colours.bold(program)} on ${mesh === '' ? 'one process' : mesh} (${ranks} ${ranks === 1 ? 'rank' : 'ranks'})`,
    ...(transitions.length === 0 ? ['nothing moves'] : [table(transitions.map(row(phases.length > 1)))]),
    `${colours.bold('total')}  ${total.exchanges} ${total.exchanges === 1 ? 'exchange' : 'exchanges'}, ${
      printBytes(total.bytesPerRank)
    } sent per rank, ${printBytes(total.bytes)} by all; ${proof}; ${declared}`,
    ...(phases.length > 1 ? [`       ${phases.map(printPhase).join('; ')}`] : []),
    ...(total.fastest === null ? [] : [`${colours.bold('time')}   ${printFastest(total.fastest)}`]),
    ...(notReached.length === 0 ? [] : [`${colours.bold('not reached by the loss')}: ${notReached.join(', ')}; they stay as they are`]),
    `${colours.bold('peak')}   ${printPeak(peak)}`,
  ].join('\n')
}
