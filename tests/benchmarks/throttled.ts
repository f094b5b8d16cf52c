import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import * as E from 'fp-ts/lib/Either.js'
import { makeUpTensors } from '#lib/cli/tensors.ts'
import { sentence } from '#lib/fault.ts'
import type { Links } from '#lib/cluster/links.ts'
import { measure, type Runnable } from '#lib/compare/measure.ts'
import { compile } from '#lib/mod.ts'
import { spreadOf } from '#lib/spread.ts'
import type { Sizes } from '../../examples/video/model.ts'

/**
 * DSP against each baseline over links so slow that DSP's communication takes ρ times its compute, measured side by side on
 * this machine (A B C A B C …, medians), beside what the bytes predict: (c + k ρ) / (1 + ρ), where c is the baseline's compute
 * and k its bytes, each as a multiple of DSP's (c = 1 and k = 2 give (1 + 2ρ)/(1 + ρ)).
 *
 *     npx tsx tests/benchmarks/throttled.ts --ranks 2 --repeat 5 --pass training|forward --json FILE
 */
const { values: given } = parseArgs({
  options: {
    ranks: { type: 'string', default: '2' },
    repeat: { type: 'string', default: '5' },
    rho: { type: 'string', default: '0.05,0.5,1,3' },
    programs: { type: 'string', default: 'dsp,dsp-branch,ulysses-frames,ring-frames,ring-patches,megatron-sp' },
    pass: { type: 'string', default: 'training' },
    depth: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
})
const ranks = Number(given.ranks)
const repeat = Number(given.repeat)

const sizes: Sizes = {
  batch: 1,
  frames: 12,
  rows: 12,
  columns: 12,
  width: 48,
  heads: 4,
  depth: Number(given.depth),
  words: 8,
  captionWidth: 32,
  channels: 4,
  outputChannels: 8,
}

const runnables: Runnable[] = []
for (const name of given.programs.split(',')) {
  const baseline = await import(`../../examples/baselines/${name}.ts`) as typeof import('../../examples/baselines/dsp.ts')
  const plan = compile((given.pass === 'forward' ? baseline.forward : baseline.training)(`sp=${ranks}`, sizes))
  if (E.isLeft(plan)) throw new Error(`${name}: ${sentence(plan.left)}`)
  runnables.push({ plan: plan.right, ...makeUpTensors(plan.right) })
}

const note = (text: string): void => void process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
const runsOver = async (throttle: Links | undefined, what: string) => {
  const options = { timeout: 300_000, ...(throttle !== undefined && { throttle }) }
  const { results } = await measure(runnables, repeat, options, (doing) => note(`${what}: ${doing}`))()
  return results.map((result) => {
    if ('failed' in result) throw new Error(result.failed)
    return result
  })
}

// Over shared memory an exchange is copying alone: what is left is compute.
const unthrottled = await runsOver(undefined, 'not throttled')
const [dsp] = unthrottled
const computeOf = unthrottled.map((one) => one.median / dsp!.median)
const bytesOf = unthrottled.map((one) => one.sent / dsp!.sent)
const atRho = async (rho: number) => {
  const bandwidth = dsp!.sent / (rho * dsp!.median)
  const results = await runsOver([{ name: 'throttled', ranks: null, bandwidth, latency: 0 }], `ρ = ${rho}`)
  return {
    rho,
    bandwidth,
    programs: results.map((one, i) => ({
      name: runnables[i]!.plan.program,
      seconds: spreadOf(one.runs),
      // Of the runs that were made one right after the other.
      speedUp: spreadOf(one.runs.map((time, run) => time / results[0]!.runs[run]!)),
      predicted: (1 + bytesOf[i]! * rho) / (1 + rho),
      predictedWithItsCompute: (computeOf[i]! + bytesOf[i]! * rho) / (1 + rho),
    })),
  }
}
const measured: Awaited<ReturnType<typeof atRho>>[] = []
for (const rho of given.rho.split(',').map(Number)) measured.push(await atRho(rho))
note('')

const table = new Table({
  head: ['program', 'bytes', 'compute', ...measured.map(({ rho }) => `ρ = ${rho}: measured [least, most], predicted (own compute)`)],
  style: { head: [], border: [] },
})
runnables.forEach(({ plan }, i) =>
  table.push([
    plan.program.replace(/, forward.*/, ''),
    `${bytesOf[i]!.toFixed(2)}×`,
    `${computeOf[i]!.toFixed(2)}×`,
    ...measured.map(({ programs }) => {
      const { speedUp, predicted, predictedWithItsCompute } = programs[i]!
      const { median, least, most } = speedUp
      return `${median.toFixed(2)} [${least.toFixed(2)}, ${most.toFixed(2)}], ${predicted.toFixed(2)} (${
        predictedWithItsCompute.toFixed(2)
      })`
    }),
  ])
)
process.stdout.write(`${table.toString()}\n`)
if (given.json !== undefined) {
  const programs = runnables.map(({ plan }, i) => (
    {
      name: plan.program,
      unthrottled: spreadOf(unthrottled[i]!.runs),
      sentPerRank: unthrottled[i]!.sent,
      bytes: bytesOf[i],
      compute: computeOf[i],
    }
  ))
  writeFileSync(given.json, `${JSON.stringify({ ranks, repeat, sizes, programs, measured }, null, 2)}\n`)
}
