import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import * as E from 'fp-ts/lib/Either.js'
import { loadCluster } from '#lib/cluster/load.ts'
import { parseLinks, printLinks } from '#lib/cluster/parse-links.ts'
import { sentence } from '#lib/fault.ts'
import { compile, type Program } from '#lib/mod.ts'
import { simulate } from '#lib/simulate/simulate.ts'
import type { Sizes } from '../../examples/video/model.ts'

/**
 * The paper's comparison on 128 H100, simulated: training steps (forward, recompute, backward; bf16) of its two models, on groups of
 * N GPUs that share one clip; the other 128 - N GPUs work on other clips. A clip has frames of 1024 × 1024 pixels, 4096 patches.
 *
 * Blocks are all alike, so plans of 2 and 3 blocks tell the time and memory of 28 (`--whole` plans all 28 instead).
 *
 *     npx tsx tests/benchmarks/paper.ts --cluster h100 --json FILE
 */
const { values: given } = parseArgs({
  options: {
    cluster: { type: 'string', default: 'h100' },
    programs: { type: 'string', default: 'dsp,ulysses-frames,ring-patches,megatron-sp' },
    whole: { type: 'boolean', default: false },
    /** Other links than the cluster's: '350GB/s 10us x8, 12.5GB/s 30us'. */
    links: { type: 'string' },
    /** The one number of GPUs to be tried, each way. */
    ranks: { type: 'string' },
    json: { type: 'string' },
  },
})
const loaded = await loadCluster(given.cluster)()
if (E.isLeft(loaded)) throw new Error(sentence(loaded.left))
const links = given.links === undefined ? E.right(loaded.right.links) : parseLinks(given.links)
if (E.isLeft(links)) throw new Error(sentence(links.left))
const cluster = { ...loaded.right, links: links.right }

const devices = 128
const depth = 28
/** Patches along a side of a frame. */
const side = 64
const models = [
  // STDiT-XL/2: 20 · 1152² parameters in each of 28 blocks, 743 million.
  { name: '720M', width: 1152, heads: 16 },
  // The paper does not give its 3B model's sizes: 28 blocks of this width have 2.97 billion.
  { name: '3B', width: 2304, heads: 32 },
]
type Model = (typeof models)[number]

const sizesOf = ({ width, heads }: Model, frames: number, depth: number): Sizes => ({
  batch: 1,
  frames,
  rows: side,
  columns: side,
  width,
  heads,
  depth,
  words: 120,
  captionWidth: 4096,
  channels: 4,
  outputChannels: 8,
})

interface Figures {
  readonly seconds: number
  readonly compute: number
  readonly exposed: number
  /** Bytes of the fullest device. */
  readonly memory: number
  readonly sent: number
}
type Training = (on: string, sizes: Sizes, options: { readonly recompute: boolean }) => Program

const figuresOf = (training: Training, ranks: number, sizes: Sizes): Figures => {
  const plan = compile(training(`sp=${ranks}`, sizes, { recompute: true }))
  if (E.isLeft(plan)) throw new Error(sentence(plan.left))
  const { seconds, compute, exposed, memory } = simulate(plan.right, cluster, { precision: 'bf16', staged: true })
  const sent = Math.max(...plan.right.steps.reduce(
    (sum, step) => step.do === 'move' ? sum.map((bytes, rank) => bytes + step.bytes[rank]!) : sum,
    new Array<number>(ranks).fill(0),
  ))
  return { seconds, compute, exposed, memory: memory.total, sent: sent / 2 }
}

/** What two depths say of a third, since each block adds the same. */
const extended = (few: Figures, more: Figures): Figures =>
  Object.fromEntries(
    Object.entries(few).map(([name, value]) => [name, value + (more[name as keyof Figures] - value) * (depth - 2)]),
  ) as unknown as Figures

/** What a training step holds besides: the optimiser's state, twice as large as the parameters and cut over all devices (ZeRO). */
const stateBytes = ({ width }: Model): number => 8 * 20 * width ** 2 * depth / devices

const programs: { readonly name: string; readonly training: Training }[] = []
for (const name of given.programs.split(',')) {
  programs.push({ name, training: (await import(`../../examples/baselines/${name}.ts`) as { readonly training: Training }).training })
}

const rows: unknown[] = []
const run = (experiment: string, model: Model, frames: number, ranks: number): void => {
  const tokens = frames * side ** 2
  // A ring of 128 ranks is thousands of exchanges, and its simulation minutes.
  const results = programs.filter(({ name }) => ranks <= 64 || !name.startsWith('ring')).map(({ name, training }) => {
    process.stderr.write(`${experiment}: ${model.name}, ${(tokens / 1e6).toFixed(2)}M tokens, N = ${ranks}, ${name}\n`)
    const figures = given.whole
      ? figuresOf(training, ranks, sizesOf(model, frames, depth))
      : extended(figuresOf(training, ranks, sizesOf(model, frames, 2)), figuresOf(training, ranks, sizesOf(model, frames, 3)))
    // Megatron's plans hold 1/N of the parameters; the others' all of them.
    return { name, ...figures, memory: figures.memory + stateBytes(model) }
  })
  rows.push({ experiment, model: model.name, frames, tokens, ranks, results })
  const [dsp] = results
  table.push([
    experiment,
    model.name,
    `${(tokens / 1e6).toFixed(2)}M`,
    ranks,
    ...programs.map(({ name }) => results.find((one) => one.name === name)).map((result) => {
      if (result === undefined) return ''
      const { seconds, exposed, memory } = result
      return `${seconds.toFixed(2)} s, ${(seconds / dsp!.seconds).toFixed(2)}×, ${Math.round(100 * exposed / seconds)} %, ${
        (memory / 1e9).toFixed(0)
      } GB`
    }),
  ])
}
const table = new Table({
  head: ['experiment', 'model', 'tokens', 'N', ...programs.map(({ name }) => `${name}: step, of DSP's, communication, memory`)],
  style: { head: [], border: [] },
})
for (const model of models) {
  if (given.ranks !== undefined) {
    run('tokens', model, 256, Number(given.ranks))
    continue
  }
  for (const frames of [128, 256, 512, 1024]) run('tokens', model, frames, 16)
  for (const ranks of [8, 16, 32, 64, 128]) run('strong scaling', model, 256, ranks)
  for (const ranks of [8, 16, 32, 64, 128]) run('weak scaling', model, 16 * ranks, ranks)
}
process.stdout.write(`${table.toString()}\n`)
if (given.json !== undefined) {
  writeFileSync(given.json, `${JSON.stringify({ cluster: cluster.name, links: printLinks(cluster.links), devices, rows }, null, 2)}\n`)
}
