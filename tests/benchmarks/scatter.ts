import process from 'node:process'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import Table from 'cli-table3'
import type { Backend } from '#backends/backend.ts'
import { openWebGpu } from '#backends/mod.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { call, fold, index, input, real } from '#lib/kernel/expression.ts'
import type { GatherKernel, Kernel, RankProgram, RowKernel, ScatterKernel, View } from '#lib/kernel/kernel.ts'

/**
 * An embedding of `rows` rows and `features` features, looked up and differentiated, in milliseconds of wall time (medians):
 * looking up; the gradient by a scatter; and the gradient by a row kernel that looks at every id for every row (one-hot rows
 * times the cotangent), which is what a scatter is for. The last is run once, and left out where it would take minutes.
 *
 *   node --import tsx tests/benchmarks/scatter.ts
 */
interface Case {
  readonly rows: number
  readonly features: number
  readonly ids: number
  readonly equal: boolean
}
const cases: readonly Case[] = [
  { rows: 1_000, features: 64, ids: 512, equal: false },
  { rows: 32_000, features: 64, ids: 512, equal: false },
  { rows: 50_257, features: 128, ids: 1_024, equal: false },
  { rows: 50_257, features: 128, ids: 65_536, equal: false },
  { rows: 50_257, features: 128, ids: 65_536, equal: true },
]
const rounds = 7
const mostProducts = 2e9

const right = async <A>(task: TaskEither<Fault, A>): Promise<A> => {
  const result = await task()
  if (E.isRight(result)) return result.right
  console.error(sentence(result.left))
  process.exit(1)
}

/** Buffers are table, ids, values and gradient. */
const view = (buffer: number, type: View['type'], strides: readonly number[]): View => ({ buffer, type, offset: 0, strides })

const lookUp = ({ rows, features, ids }: Case): GatherKernel => ({
  kind: 'gather',
  sizes: [ids, features],
  ids: view(1, 'i32', [1, 0]),
  table: view(0, 'f32', [0, 1]),
  step: features,
  size: rows,
  outside: 'NaN',
  output: view(2, 'f32', [features, 1]),
})

const scatter = ({ rows, features, ids }: Case): ScatterKernel => ({
  kind: 'scatter',
  batch: [],
  inner: [ids],
  rest: [features],
  ids: view(1, 'i32', [1, 0]),
  values: view(2, 'f32', [features, 1]),
  first: 0,
  rows,
  step: features,
  output: view(3, 'f32', [0, 1]),
})

const oneHot = ({ rows, features, ids }: Case): RowKernel => ({
  kind: 'row',
  outer: [rows, features],
  inner: [ids],
  origin: [0, 0, 0],
  inputs: [view(1, 'i32', [0, 0, 1]), view(2, 'f32', [0, 1, features])],
  folds: [{ combine: 'sum', expression: call('select', call('equal', input(0), index(0)), input(1), real(0)) }],
  result: fold(0),
  per: 'row',
  output: view(3, 'f32', [features, 1, 0]),
})

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

const measure = async (backend: Backend, of: Case): Promise<readonly string[]> => {
  const { rows, features, ids, equal } = of
  const steps: readonly Kernel[] = [lookUp(of), scatter(of), oneHot(of)]
  const program: RankProgram = {
    rank: 0,
    ranks: 1,
    buffers: [rows * features, ids, ids * features, rows * features],
    inputs: [],
    outputs: [],
    steps,
    labels: ['look-up', 'scatter', 'one-hot rows'],
  }
  const executable = await right(backend.load(program))
  const numbers = Int32Array.from({ length: ids }, () => equal ? 7 : Math.floor(Math.random() * rows))
  await right(executable.write(view(0, 'f32', [1]), [rows * features], Float32Array.from({ length: rows * features }, Math.random)))
  await right(executable.write(view(1, 'i32', [1]), [ids], numbers))
  const timed = async (step: number, rounds: number): Promise<number> => {
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      await right(executable.run(step, step + 1))
      await right(executable.settle())
      times.push(performance.now() - start)
    }
    // The first of several warms up.
    return median(times.slice(rounds === 1 ? 0 : 1))
  }
  const taken = [
    await timed(0, rounds + 1),
    await timed(1, rounds + 1),
    ...rows * features * ids <= mostProducts ? [await timed(2, 1)] : [],
  ]
  await executable.free()
  return [...taken.map((ms) => ms.toFixed(1)), '(minutes)'].slice(0, steps.length)
}

const backend = await right(openWebGpu())
console.log(backend.describe.adapter)
const table = new Table({ head: ['table', 'ids', 'look-up', 'scatter', 'one-hot rows'], style: { head: [], border: [] } })
for (const of of cases) {
  const ids = `${of.ids}${of.equal ? ' equal' : ''}`
  table.push([`v:${of.rows} e:${of.features}`, ids, ...await measure(backend, of)])
}
console.log(table.toString())
await backend.close()
