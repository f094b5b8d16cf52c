import { printBytes, printSeconds } from '../report/print.ts'
import { type Compared, comparedIn, type Comparison, isRefused, type Measurement, measurementOf } from './codec.ts'

/** A table of texts, the same on the terminal and on the page. The first column names the program. */
export interface TextTable {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}
export interface Column {
  readonly head: string
  /** What its numbers are. */
  readonly means: string
}

interface Filled extends Column {
  readonly cell: (program: Compared) => string
  /** Whether there is anything in it. */
  readonly there: boolean
}

export const nothing = '–'

/** What each program is called: its name, or its file where several have one name. What all names end with is left out. */
export const labelsOf = ({ programs }: Comparison): readonly string[] => {
  const names = programs.map((program) => isRefused(program) ? program.file : program.name)
  const planned = names.filter((_, i) => !isRefused(programs[i]!))
  const ending = planned.length > 1 ? sharedEnding(planned) : ''
  return programs.map((program, i) => {
    const name = names[i]!
    if (names.indexOf(name) !== names.lastIndexOf(name)) return program.file
    return isRefused(program) ? name : name.slice(0, name.length - ending.length)
  })
}

/** `, forward and backward` of names that all end with it. */
const sharedEnding = ([first, ...others]: readonly string[]): string => {
  const [, ending = ''] = /(, [^,]*)$/.exec(first!) ?? []
  return others.every((name) => name.endsWith(ending)) ? ending : ''
}

/** `12.4 MFLOP`, `3.1 TFLOP`. */
const printFlops = (flops: number): string => {
  const power = Math.min(5, Math.max(0, Math.floor(Math.log10(Math.max(1, flops)) / 3)))
  return `${Number((flops / 1000 ** power).toPrecision(3))} ${['', 'k', 'M', 'G', 'T', 'P'][power]}FLOP`
}

const printPercent = (part: number, of: number): string => `${of === 0 ? 0 : Math.round(100 * part / of)} %`

/** `1.5 ×` what the first has; nothing where the first has none. */
const printRatio = (amount: number, first: number | undefined): string =>
  first === undefined || first === 0 ? nothing : `${(amount / first).toFixed(2)} ×`

const bytes = (amount: number): string => amount === 0 ? nothing : printBytes(amount)

/** The tables of a comparison. Empty columns are left out, and so are tables that have nothing else. */
export const tablesOf = (comparison: Comparison): readonly TextTable[] =>
  ([
    ['Sent per rank', sentColumns(comparison)],
    ['Work and memory per rank', needColumns(comparison)],
    ['Time of a run', timeColumns(comparison)],
    ['Where the measured time goes', activityColumns(comparison)],
  ] as const).map(([title, columns]) => tableOf(comparison, title, columns)).filter(({ columns }) => columns.length > 1)

const tableOf = (comparison: Comparison, title: string, columns: readonly Filled[]): TextTable => {
  const labels = labelsOf(comparison)
  const there = columns.filter((column) => column.there)
  return {
    title,
    columns: [{ head: 'program', means: 'the name of the program, or its file' }, ...there.map(({ head, means }) => ({ head, means }))],
    rows: comparison.programs.flatMap((program, i) => isRefused(program) ? [] : [[labels[i]!, ...there.map(({ cell }) => cell(program))]]),
  }
}

const sentColumns = (comparison: Comparison): readonly Filled[] => {
  const programs = comparedIn(comparison)
  const [first] = programs
  const phases = (['forward', 'recompute', 'backward', 'update'] as const).filter((phase) =>
    programs.some(({ plan }) => plan.sent[phase] > 0)
  )
  return [
    {
      head: 'sent',
      means: 'bytes that the rank which sends most sends in a run',
      cell: ({ plan }) => bytes(plan.sentInAll),
      there: true,
    },
    {
      head: '× first',
      means: 'the same, as a multiple of what the first program sends',
      cell: ({ plan }) => printRatio(plan.sentInAll, first?.plan.sentInAll),
      there: programs.length > 1 && first!.plan.sentInAll > 0,
    },
    ...phases.map((phase): Filled => ({
      head: phase,
      means: `bytes that the rank which sends most in the ${phase} ${phase === 'update' ? 'of parameters' : 'pass'} sends there`,
      cell: ({ plan }) => bytes(plan.sent[phase]),
      there: phases.length > 1,
    })),
    {
      head: 'messages',
      means: 'messages that a rank sends, one to each peer in each exchange that has something for it',
      cell: ({ plan }) => `${plan.messages}`,
      there: true,
    },
  ]
}

const needColumns = (comparison: Comparison): readonly Filled[] => {
  const programs = comparedIn(comparison)
  return [
    {
      head: 'work',
      means: 'floating-point operations of the rank that has most: two for each multiply-add of products, and everything else',
      cell: ({ plan }) => printFlops(plan.flops.matrix + plan.flops.vector),
      there: true,
    },
    {
      head: 'stored',
      means: 'activations stored: results of the forward pass that are still needed after it',
      cell: ({ plan }) => bytes(plan.memory.stored),
      there: programs.some(({ plan }) => plan.memory.stored > 0),
    },
    {
      head: 'transient',
      means: 'how far memory rises at its peak above inputs, parameters, optimiser state and stored activations, messages included',
      cell: ({ plan }) => bytes(plan.memory.transient),
      there: true,
    },
    {
      head: 'peak',
      means: 'all buffers of the rank that needs most, as explain tells them, and the messages of the largest exchange',
      cell: ({ plan }) => bytes(plan.memory.peak.total + plan.memory.messages),
      there: true,
    },
  ]
}

const timeColumns = (comparison: Comparison): readonly Filled[] => {
  const { estimatedFor, measuredWith } = comparison
  const first = comparedIn(comparison)[0]
  const baseline = first === undefined ? undefined : measurementOf(first)?.median
  return [
    {
      head: 'estimated',
      means: `seconds that a run should take on ${estimatedFor?.cluster}`,
      cell: ({ estimate }) => estimate === null ? nothing : `${printSeconds(estimate.seconds)}${estimate.fits ? '' : ' (does not fit)'}`,
      there: estimatedFor !== null,
    },
    {
      head: 'exchanging',
      means: 'the share of the estimated time in which a rank communicates and does not compute',
      cell: ({ estimate }) => estimate === null ? nothing : printPercent(estimate.exposed, estimate.seconds),
      there: estimatedFor !== null,
    },
    measured(comparison, 'measured', `median of ${measuredWith?.repeat} runs on this machine`, ({ median }) => printSeconds(median)),
    measured(
      comparison,
      'spread',
      'the quickest and the slowest of those runs',
      ({ least, most }) => `${printSeconds(least)} … ${printSeconds(most)}`,
    ),
    measured(
      comparison,
      '× first',
      'the measured time as a multiple of that of the first program',
      ({ median }) => printRatio(median, baseline),
    ),
  ]
}

const activityColumns = (comparison: Comparison): readonly Filled[] => {
  const activity = (head: string, name: keyof Measurement['activities'], means: string): Filled =>
    measured(
      comparison,
      head,
      `${means}, in one further run that waits for each kernel, mean of the ranks`,
      ({ activities }) => activities[name] === 0 ? nothing : printSeconds(activities[name]),
    )
  return [
    activity('compute', 'compute', 'time in kernels'),
    activity('pack', 'pack', 'time to make messages contiguous and to read them from the device'),
    activity('wire', 'wire', 'time in which bytes are on their way'),
    activity('wait', 'wait', 'time of waiting for ranks that are not there yet'),
    activity('unpack', 'unpack', 'time to put what came where it belongs'),
    activity('in and out', 'inOut', 'time to take inputs and to hand in outputs'),
  ]
}

const measured = (comparison: Comparison, head: string, means: string, cell: (measurement: Measurement) => string): Filled => ({
  head,
  means,
  cell: (program) => {
    const measurement = measurementOf(program)
    return measurement === null ? nothing : cell(measurement)
  },
  there: comparison.measuredWith !== null,
})
