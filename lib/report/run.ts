import colours from 'picocolors'
import { printLinks } from '../cluster/parse-links.ts'
import type { Plan } from '../plan/plan.ts'
import type { RunResult, SessionDescription } from '../run/session.ts'
import type { Times } from '../run/timeline.ts'
import { printBytes, table } from './print.ts'

const milliseconds = (time: number): string => `${time.toFixed(1)} ms`

/**
 * What took how long. Where spans were measured each activity stands alone; else kernels run while later calls wait for them,
 * so that their time shows in packing and reading, and only the device as a whole can be told.
 */
const activities = ({ write, compute, pack, wire, wait, unpack, read }: Times, measured: boolean): string =>
  Object.entries(
    measured
      ? { compute, pack, wire, wait, unpack, 'in and out': write + read }
      : { 'on the device': compute + pack + unpack + read, 'on the wire': wire, waiting: wait },
  ).map(([what, time]) => `${milliseconds(time)} ${what}`).join(', ')

/** What a run did, a line per rank: where it ran, what it sent, how long it took; and whether the bytes are the plan's. */
export const printRun = (plan: Plan, { link, throttle, ranks }: SessionDescription, { sent, times, spans }: RunResult): string => {
  const planned = ranks.map((_, rank) => plan.steps.reduce((sum, step) => step.do === 'move' ? sum + step.bytes[rank]! : sum, 0))
  const rows = ranks.map(({ rank, runtime, pid, backend }) => [
    `rank ${rank}`,
    `${runtime} ${pid}`,
    `${backend.backend}: ${backend.adapter}`,
    `sent ${printBytes(sent[rank]!)}`,
    `${milliseconds(times[rank]!.total)} in all`,
    colours.dim(activities(times[rank]!, spans[rank]!.length > 0)),
  ])
  const equal = planned.every((bytes, rank) => bytes === sent[rank])
  return [
    table(rows),
    link === 'none'
      ? 'one rank: no link'
      : `link: ${link}${throttle === null ? '' : `, as slow as ${printLinks(throttle)}`}; bytes counted on the wire ${
        equal ? '= bytes in the plan' : colours.red(`differ from the plan's ${planned.map(printBytes).join(', ')}`)
      }`,
  ].join('\n')
}
