import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { decodeWith } from '#lib/codec.ts'
import { chartLibrary } from '#lib/compare/page/scripts.ts'
import { sentence } from '#lib/fault.ts'
import { withBrowser } from '../compare/page/browser.ts'

/**
 * Draws the figures of examples/baselines/FINDINGS.md from the results beside it, with the chart library of `shardwise compare`
 * in the browser that tests use.
 *
 *     npx tsx tests/benchmarks/plots.ts
 */
const results = new URL('../../examples/baselines/results/', import.meta.url)
const read = <A>(name: string, codec: t.Type<A, unknown>): A => {
  const decoded = decodeWith(name, codec, JSON.parse(readFileSync(new URL(name, results), 'utf8')))
  if (E.isLeft(decoded)) throw new Error(sentence(decoded.left))
  return decoded.right
}

const FiguresCodec = t.type({ name: t.string, seconds: t.number, memory: t.number })
const PaperCodec = t.type({
  rows: t.readonlyArray(
    t.type({ experiment: t.string, model: t.string, ranks: t.number, tokens: t.number, results: t.readonlyArray(FiguresCodec) }),
  ),
})
const SpreadCodec = t.type({ median: t.number, least: t.number, most: t.number })
const ThrottledCodec = t.type({
  measured: t.readonlyArray(
    t.type({
      rho: t.number,
      programs: t.readonlyArray(t.type({ name: t.string, speedUp: SpreadCodec, predictedWithItsCompute: t.number })),
    }),
  ),
})

interface Line {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
  readonly dashed?: boolean
  /** The colour of the line of this number. */
  readonly colour: number
}
interface Plot {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly lines: readonly Line[]
  readonly logarithmic: boolean
}
const colours = ['#0b6e99', '#c2410c', '#15803d', '#7c3aed', '#b45309', '#be185d']

/** A Chart.js configuration. */
const chartOf = ({ title, x, y, lines, logarithmic }: Plot) => ({
  type: 'line',
  data: {
    datasets: lines.map(({ name, points, dashed = false, colour }) => ({
      label: name,
      data: points,
      borderColor: colours[colour % colours.length],
      backgroundColor: colours[colour % colours.length],
      borderDash: dashed ? [6, 4] : [],
      pointRadius: dashed ? 0 : 4,
      borderWidth: 2,
    })),
  },
  options: {
    animation: false,
    responsive: false,
    plugins: { title: { display: true, text: title, font: { size: 16 } }, legend: { position: 'bottom' } },
    scales: {
      x: { type: logarithmic ? 'logarithmic' : 'linear', title: { display: true, text: x } },
      y: { type: logarithmic ? 'logarithmic' : 'linear', title: { display: true, text: y } },
    },
  },
})

const [width, height] = [620, 460]
const library = await chartLibrary()
const pageOf = (plots: readonly Plot[]): string =>
  `<!doctype html><meta charset="utf-8"><body style="margin:0;background:#fff;display:flex">
${plots.map((_, i) => `<canvas id="c${i}" width="${width}" height="${height}"></canvas>`).join('')}
<script>${library}</script>
<script>for (const [i, chart] of ${JSON.stringify(plots.map(chartOf))}.entries()) {
  chart.options.plugins.legend.labels = { filter: ({ text }) => text !== '' }
  new Chart(document.getElementById('c' + i), chart)
}</script>`

const scaling = (experiment: string, model: string): Plot => {
  const rows = read('paper.json', PaperCodec).rows.filter((row) => row.experiment === experiment && row.model === model)
  const names = [...new Set(rows.flatMap(({ results }) => results.map(({ name }) => name)))]
  return {
    title: `${model}, ${experiment}${
      experiment === 'strong scaling' ? `: ${(rows[0]!.tokens / 1e6).toFixed(2)}M tokens` : ': 65536 tokens per GPU'
    }`,
    x: 'GPUs that share a clip',
    y: 'seconds per step (simulated)',
    logarithmic: true,
    lines: names.map((name, colour) => ({
      name,
      colour,
      points: rows.flatMap(({ ranks, results }) =>
        results.filter((one) => one.name === name).map(({ seconds }) => ({ x: ranks, y: seconds }))
      ),
    })),
  }
}

const speedUps = (file: string, title: string): Plot => {
  const { measured } = read(file, ThrottledCodec)
  const names = measured[0]!.programs.map(({ name }) => name).slice(1)
  const line = (name: string, of: (one: (typeof measured)[number]['programs'][number]) => number) =>
    measured.map(({ rho, programs }) => ({ x: rho, y: of(programs.find((one) => one.name === name)!) }))
  return {
    title,
    x: 'ρ: communication of DSP ÷ its compute',
    y: 'time ÷ time of DSP (dashed: predicted)',
    logarithmic: true,
    lines: names.flatMap((name, colour) => [
      { name: name.replace(/, forward.*/, ''), colour, points: line(name, ({ speedUp }) => speedUp.median) },
      { name: '', colour, dashed: true, points: line(name, ({ predictedWithItsCompute }) => predictedWithItsCompute) },
    ]),
  }
}

const figures: readonly { readonly file: string; readonly plots: readonly Plot[] }[] = [
  { file: 'strong-scaling.png', plots: [scaling('strong scaling', '720M'), scaling('strong scaling', '3B')] },
  { file: 'weak-scaling.png', plots: [scaling('weak scaling', '720M'), scaling('weak scaling', '3B')] },
  {
    file: 'throttled.png',
    plots: [
      speedUps('throttled-forward.json', 'forward, 2 ranks, measured'),
      speedUps('throttled-training.json', 'forward and backward, 2 ranks, measured'),
    ],
  },
]
const failed = await withBrowser(async ({ show, picture, complaints }) => {
  for (const { file, plots } of figures) {
    await show(pageOf(plots), width * plots.length, height, 'light')
    if (complaints.length > 0) throw new Error(complaints.join('; '))
    writeFileSync(new URL(file, results), await picture())
    process.stdout.write(`${fileURLToPath(new URL(file, results))}\n`)
  }
})
if (failed !== null) throw new Error(failed)
