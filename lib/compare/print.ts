import colours from 'picocolors'
import { table } from '../report/print.ts'
import { type Comparison, isRefused } from './codec.ts'
import { labelsOf, tablesOf, type TextTable } from './tables.ts'

/** A comparison for the terminal: tables of what plans cost and of times, and under them what speaks against a program. */
export const printComparison = (comparison: Comparison): string =>
  [...tablesOf(comparison).map(printTable), ...aside(comparison)].filter((text) => text !== '').join('\n\n')

const printTable = ({ title, columns, rows }: TextTable): string =>
  rows.length === 0
    ? ''
    : `${colours.bold(title)}\n${
      table([columns.map(({ head }) => colours.dim(head)), ...rows.map(([label, ...cells]) => [shortened(label!), ...cells])])
    }`

/** The table must fit a terminal of 120 columns. */
const shortened = (label: string): string => label.length > 28 ? `${label.slice(0, 27)}…` : label

const aside = (comparison: Comparison): readonly string[] => {
  const labels = labelsOf(comparison)
  const lines = comparison.programs.flatMap((program, i) =>
    isRefused(program) ? [`${labels[i]}: ${colours.red('refused')}, ${program.refused}`] : [
      ...(program.plan.constraints.length === 0 ? [] : [`${labels[i]}: ${colours.dim(program.plan.constraints.join('; '))}`]),
      ...(program.measurement !== null && 'failed' in program.measurement
        ? [`${labels[i]}: ${colours.red('not measured')}, ${program.measurement.failed}`]
        : []),
    ]
  )
  return [lines.join('\n'), conditions(comparison).map((line) => colours.dim(line)).join('\n')]
}

/** Under what conditions the times hold. */
export const conditions = ({ estimatedFor, measuredWith }: Comparison): readonly string[] => [
  ...(estimatedFor === null ? [] : [
    `estimated for cluster ${estimatedFor.cluster} in ${estimatedFor.precision}, ${
      estimatedFor.overlap ? 'computing while it communicates' : 'one thing after another'
    }`,
  ]),
  ...(measuredWith === null ? [] : [
    `measured on this machine: ${measuredWith.repeat} runs of each program in turn, ranks on ${measuredWith.devices.join(' and ')}, link ${
      measuredWith.throttle === null ? measuredWith.link : `${measuredWith.link} slowed to ${measuredWith.throttle}`
    }`,
  ]),
]
