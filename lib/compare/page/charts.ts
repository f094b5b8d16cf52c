import { type Compared, comparedIn, type Comparison, isRefused, type Measurement, measurementOf } from '../codec.ts'
import { labelsOf } from '../tables.ts'
import { activities, type Timeline, timelineOf } from './timeline.ts'

/** Bars side by side or on top of one another, one row for each program. */
export interface BarChart {
  readonly kind: 'bars'
  readonly title: string
  readonly note: string
  /** What the axis shows, with its unit: `KiB sent per rank`. */
  readonly axis: string
  readonly unit: string
  readonly rows: readonly string[]
  readonly series: readonly Series[]
}
export interface Series {
  readonly name: string
  /** Which colour and pattern it has. */
  readonly look: number
  /** In the unit of the axis; null where there is nothing to show. */
  readonly values: readonly (number | null)[]
  /** From the least to the most, drawn as whiskers. */
  readonly spread?: readonly (readonly [number, number] | null)[]
}

export interface TimelineChart extends Timeline {
  readonly kind: 'timeline'
  readonly title: string
  readonly axis: string
  readonly unit: string
}

export type PageChart = BarChart | TimelineChart

/** What has which colour and pattern (page/style.ts, page/browser.ts): the same activity has the same look everywhere. */
const looks = { compute: 0, pack: 1, wire: 2, wait: 3, unpack: 4, 'in and out': 5 } as const
export const activityLooks: readonly number[] = activities.map((activity) => looks[activity])

/** A unit in which the largest number is at least 1, and what to multiply by. */
interface Unit {
  readonly name: string
  readonly scale: number
}
const bytesUnit = (largest: number): Unit => {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, largest)) / 10)))
  return { name: ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'][power]!, scale: 1024 ** -power }
}
const secondsUnit = (largest: number): Unit =>
  largest >= 1 ? { name: 's', scale: 1 } : largest >= 1e-3 ? { name: 'ms', scale: 1e3 } : { name: 'µs', scale: 1e6 }

/** The plots of a comparison that need its numbers alone. */
export const barCharts = (comparison: Comparison): readonly BarChart[] => {
  const programs = comparedIn(comparison)
  if (programs.length === 0) return []
  const labels = labelsOf(comparison).filter((_, i) => !isRefused(comparison.programs[i]!))
  return [
    sentChart(programs, labels),
    ...(comparison.estimatedFor === null ? [] : [estimateChart(programs, labels, comparison.estimatedFor.cluster)]),
    ...measuredCharts(programs, labels, comparison),
    memoryChart(programs, labels),
  ]
}

/** A timeline of each program, measured and estimated. */
export const timelineCharts = (comparison: Comparison): readonly TimelineChart[] => {
  const labels = labelsOf(comparison)
  return comparison.programs.flatMap((program, i) => {
    if (isRefused(program)) return []
    const measurement = measurementOf(program)
    const chart = (title: string, lanes: Measurement['lanes']): TimelineChart => {
      const { rows, bars, end } = timelineOf(lanes)
      const unit = secondsUnit(end / 1000)
      const scale = unit.scale / 1000
      return {
        kind: 'timeline',
        title,
        axis: `${unit.name} since the run began`,
        unit: unit.name,
        rows,
        bars: bars.map((bar) => ({ ...bar, start: bar.start * scale, end: bar.end * scale })),
        end: end * scale,
      }
    }
    return [
      ...(measurement === null ? [] : [chart(`${labels[i]}, measured`, measurement.lanes)]),
      ...(program.estimate === null
        ? []
        : [chart(`${labels[i]}, estimated for ${comparison.estimatedFor?.cluster}`, program.estimate.lanes)]),
    ]
  })
}

const sentChart = (programs: readonly Compared[], rows: readonly string[]): BarChart => {
  const phases = (['forward', 'recompute', 'backward', 'update'] as const).filter((phase) =>
    phase === 'forward' || programs.some(({ plan }) => plan.sent[phase] > 0)
  )
  const unit = bytesUnit(Math.max(...programs.map(({ plan }) => phases.reduce((sum, phase) => sum + plan.sent[phase], 0))))
  return {
    kind: 'bars',
    title: 'Bytes sent per rank',
    note: 'Of the rank that sends most in each phase.',
    axis: `${unit.name} sent per rank`,
    unit: unit.name,
    rows,
    series: phases.map((name, look) => ({ name, look, values: programs.map(({ plan }) => plan.sent[name] * unit.scale) })),
  }
}

const estimateChart = (programs: readonly Compared[], rows: readonly string[], cluster: string): BarChart => {
  const unit = secondsUnit(Math.max(...programs.map(({ estimate }) => estimate?.seconds ?? 0)))
  const values = (of: 'compute' | 'exposed'): readonly (number | null)[] =>
    programs.map(({ estimate }) => estimate === null ? null : estimate[of] * unit.scale)
  return {
    kind: 'bars',
    title: `Estimated time on ${cluster}`,
    note: 'Of the rank that is done last.',
    axis: `${unit.name} per run`,
    unit: unit.name,
    rows,
    series: [
      { name: 'computing', look: looks.compute, values: values('compute') },
      { name: 'communicating, not computing', look: looks.wire, values: values('exposed') },
    ],
  }
}

const measuredCharts = (programs: readonly Compared[], rows: readonly string[], { measuredWith }: Comparison): readonly BarChart[] => {
  const measurements = programs.map(measurementOf)
  if (measuredWith === null || measurements.every((one) => one === null)) return []
  const values = (of: (measurement: Measurement) => number): readonly (number | null)[] =>
    measurements.map((one) => one === null ? null : of(one))
  const unit = secondsUnit(Math.max(...measurements.map((one) => one?.most ?? 0)))
  const parts = [
    ['compute', 'compute'],
    ['pack', 'pack'],
    ['wire', 'wire'],
    ['wait', 'wait'],
    ['unpack', 'unpack'],
    ['in and out', 'inOut'],
  ] as const
  const longest = Math.max(
    ...measurements.map((one) => one === null ? 0 : Object.values(one.activities).reduce((sum, time) => sum + time, 0)),
  )
  const partsUnit = secondsUnit(longest)
  return [
    {
      kind: 'bars',
      title: 'Measured time',
      note: `Median of ${measuredWith.repeat} runs in turn on this machine; whiskers from the quickest to the slowest.`,
      axis: `${unit.name} per run`,
      unit: unit.name,
      rows,
      series: [{
        name: 'median',
        look: looks.compute,
        values: values(({ median }) => median * unit.scale),
        spread: measurements.map((one) => one === null ? null : [one.least * unit.scale, one.most * unit.scale]),
      }],
    },
    {
      kind: 'bars',
      title: 'Where the time goes',
      note: 'In one further run that waits for each kernel, and so takes longer; mean of the ranks.',
      axis: `${partsUnit.name} per run`,
      unit: partsUnit.name,
      rows,
      series: parts.map(([name, key]) => ({
        name,
        look: looks[name],
        values: values(({ activities }) => activities[key] * partsUnit.scale),
      })),
    },
  ]
}

const memoryChart = (programs: readonly Compared[], rows: readonly string[]): BarChart => {
  const kinds = [
    ['parameters', 'parameters'],
    ['optimiser state', 'optimiser'],
    ['inputs', 'inputs'],
    ['activations', 'activations'],
    ['gradients', 'gradients'],
    ['update', 'update'],
    ['between them', 'unused'],
  ] as const
  const unit = bytesUnit(Math.max(...programs.map(({ plan: { memory } }) => memory.peak.total + memory.messages)))
  const of = (name: string, look: number, amount: (program: Compared) => number): Series => ({
    name,
    look,
    values: programs.map((program) => amount(program) * unit.scale),
  })
  const series = [
    ...kinds.map(([name, kind], look) => of(name, look, ({ plan }) => plan.memory.peak[kind])),
    of('messages', kinds.length, ({ plan }) => plan.memory.messages),
  ]
  return {
    kind: 'bars',
    title: 'Memory per rank at its peak',
    note: 'What the buffers of the rank that needs most hold when they hold most, and the messages of the largest exchange beside them.',
    axis: `${unit.name} per rank`,
    unit: unit.name,
    rows,
    series: series.filter(({ values }) => values.some((value) => value !== 0)),
  }
}
