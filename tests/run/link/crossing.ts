import process from 'node:process'
import { parseLinks } from '#lib/cluster/parse-links.ts'
import { type LaunchOptions, startSession } from '#lib/run/session.ts'
import type { Span } from '#lib/run/span.ts'
import { recipe, tensorsFor, workloadOf } from '../workload.ts'
import { right } from './links.ts'

/**
 * As a script, `crossing.ts [LINKS]`: two ranks over TCP, each of which sends the other half a matrix, three times over the
 * network as it is, or throttled to links. Prints the bytes of both, and for each run the milliseconds that they took.
 */
const given = recipe(2, 512, 2048)
const allToAll = 1

/** From the first byte that left to the last that arrived. */
const crossing = (spans: readonly (readonly Span[])[]): number => {
  const startsOf = (activity: Span['activity']): readonly number[] =>
    spans.flat().filter((span) => span.step === allToAll && span.activity === activity).map(({ start }) => start)
  return Math.max(...startsOf('unpack')) - Math.min(...startsOf('wire'))
}

const [links] = process.argv.slice(2)
const { x, w } = tensorsFor(given)
const options: LaunchOptions = {
  backend: 'reference',
  link: 'tcp',
  spans: true,
  parameters: { w },
  ...(links !== undefined && { throttle: right(parseLinks(links)) }),
}
const session = right(await startSession(workloadOf(given), options, { entry: new URL('../rank.ts', import.meta.url) })())
const milliseconds: number[] = []
let bytes = 0
for (let i = 0; i < 3; i++) {
  const { spans } = right(await session.run({ x })())
  milliseconds.push(crossing(spans))
  bytes = spans.flat().reduce((sum, span) => sum + (span.step === allToAll ? span.bytes ?? 0 : 0), 0)
}
await session.close()
process.stdout.write(`${JSON.stringify({ bytes, milliseconds })}\n`)
