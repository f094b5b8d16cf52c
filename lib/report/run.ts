import colours from 'picocolors'
import type { Plan } from '../plan/plan.ts'
import type { Times } from '../run/executor.ts'
import type { RunResult, SessionDescription } from '../run/session.ts'
import { printBytes, table } from './print.ts'

const milliseconds = (time: number): string => `${time.toFixed(1)} ms`

/** Kernels run while later calls wait for them, so their time shows in packing and reading. */
const deviceTime = ({ queue, pack, unpack, read }: Times): number => queue + pack + unpack + read

/** What a run did, a line per rank: where it ran, what it sent, how long it took; and whether the bytes are the plan's. */
export const printRun = (plan: Plan, { link, ranks }: SessionDescription, { sent, times }: RunResult): string => {
  const planned = ranks.map((_, rank) => plan.steps.reduce((sum, step) => step.do === 'move' ? sum + step.bytes[rank]! : sum, 0))
  const rows = ranks.map(({ rank, runtime, pid, backend }) => [
    `rank ${rank}`,
    `${runtime} ${pid}`,
    `${backend.backend}: ${backend.adapter}`,
    `sent ${printBytes(sent[rank]!)}`,
    `${milliseconds(times[rank]!.total)} in all`,
    colours.dim(`${milliseconds(deviceTime(times[rank]!))} on the device, ${milliseconds(times[rank]!.wire)} on the wire`),
  ])
  const equal = planned.every((bytes, rank) => bytes === sent[rank])
  return [
    table(rows),
    link === 'none'
      ? 'one rank: no link'
      : `link: ${link}; bytes counted on the wire ${
        equal ? '= bytes in the plan' : colours.red(`differ from the plan's ${planned.map(printBytes).join(', ')}`)
      }`,
  ].join('\n')
}
