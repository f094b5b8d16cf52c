import process from 'node:process'
import * as E from 'fp-ts/lib/Either.js'
import Table from 'cli-table3'
import { sentence } from '#lib/fault.ts'
import { buildGraph } from '#lib/graph/graph.ts'
import { trace } from '#lib/language/trace.ts'
import { fuse } from '#lib/lower/fuse.ts'
import { lower } from '#lib/lower/lower.ts'
import { sign } from '#lib/plan/plan.ts'
import { plan } from '#lib/plan/planner.ts'
import { type Declared, extraLarge, stdit } from '../plan/stdit.ts'

/**
 * How long the passes take on STDiT-XL/2: `node --import tsx tests/benchmarks/planner.ts [runs]`. The cases take turns, so
 * that a busy moment of the machine meets them all alike; the table shows medians in milliseconds.
 */
const runs = Number(process.argv[2] ?? 5)

const cases: readonly { readonly axes: string; readonly declared: Declared; readonly depth: number }[] = [
  { axes: 'sp=8', declared: 'sequence', depth: 28 },
  { axes: 'sp=8', declared: 'nothing', depth: 28 },
  { axes: 'sp=4 tp=2', declared: 'sequence', depth: 28 },
  { axes: 'sp=4 tp=2', declared: 'heads', depth: 28 },
  { axes: 'sp=4 tp=2', declared: 'nothing', depth: 28 },
  { axes: 'a=2 sp=2 tp=2', declared: 'sequence', depth: 28 },
  { axes: 'a=2 sp=2 tp=2', declared: 'nothing', depth: 28 },
]

interface Timed {
  readonly trace: number
  readonly plan: number
  readonly lower: number
  readonly ops: number
  readonly bytes: number
  readonly minimal: boolean
}

const timed = ({ axes, declared, depth }: (typeof cases)[number]): Timed => {
  const times = [performance.now()]
  const traced = trace(stdit({ ...extraLarge, depth }, axes, declared))
  if (E.isLeft(traced)) throw new Error(sentence(traced.left))
  const graph = buildGraph(traced.right)
  times.push(performance.now())
  const decision = plan(graph)
  times.push(performance.now())
  sign(fuse(lower(graph, decision)))
  times.push(performance.now())
  const [tracing, planning, lowering] = times.slice(1).map((time, i) => time - times[i]!)
  return {
    trace: tracing!,
    plan: planning!,
    lower: lowering!,
    ops: graph.nodes.length,
    bytes: decision.bytes,
    minimal: decision.bytes === decision.bound,
  }
}

const median = (numbers: readonly number[]): string => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!.toFixed(0)

const results: Timed[][] = cases.map(() => [])
for (let run = 0; run < runs; run++) cases.forEach((one, i) => results[i]!.push(timed(one)))

const table = new Table({
  head: ['mesh', 'declares', 'blocks', 'ops', 'trace', 'plan', 'lower', 'GB sent', 'minimal'],
  style: { head: [], border: [] },
})
cases.forEach(({ axes, declared, depth }, i) => {
  const own = results[i]!
  const { ops, bytes, minimal } = own[0]!
  table.push([
    axes,
    declared,
    depth,
    ops,
    median(own.map((one) => one.trace)),
    median(own.map((one) => one.plan)),
    median(own.map((one) => one.lower)),
    (bytes / 1e9).toFixed(3),
    minimal ? 'yes' : 'no',
  ])
})
process.stdout.write(`${table.toString()}\n`)
