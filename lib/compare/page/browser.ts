import type { BarChart, PageChart, TimelineChart } from './charts.ts'

/** The script of the page. It runs in a browser, beside Chart.js, and imports nothing but types. */

interface Context {
  fillStyle: unknown
  strokeStyle: unknown
  lineWidth: number
  readonly fillRect: (x: number, y: number, width: number, height: number) => void
  readonly beginPath: () => void
  readonly moveTo: (x: number, y: number) => void
  readonly lineTo: (x: number, y: number) => void
  readonly arc: (x: number, y: number, radius: number, from: number, to: number) => void
  readonly fill: () => void
  readonly stroke: () => void
  readonly createPattern: (image: Canvas, repeat: string) => unknown
}
interface Element {
  readonly textContent: string
  readonly dataset: Readonly<Record<string, string>>
  readonly style: Record<string, string>
  readonly parentElement: Element
  readonly addEventListener: (type: string, listener: (event: PointerEvent) => void) => void
  readonly getBoundingClientRect: () => { readonly left: number; readonly width: number }
  readonly setPointerCapture: (id: number) => void
  readonly querySelector: (selector: string) => Element | null
  disabled: boolean
}
interface Canvas extends Element {
  width: number
  height: number
  readonly getContext: (kind: '2d') => Context
}
interface PointerEvent {
  readonly clientX: number
  readonly pointerId: number
  readonly pointerType: string
}
interface Scale {
  readonly left: number
  readonly right: number
  readonly getValueForPixel: (pixel: number) => number
  readonly getPixelForValue: (value: number) => number
}
interface Drawn {
  readonly ctx: Context
  readonly chartArea: { readonly top: number; readonly bottom: number }
  readonly scales: { readonly x: Scale; readonly y: Scale }
  readonly options: { readonly scales: { readonly x: { min: number; max: number } } }
  readonly update: (mode?: string) => void
  readonly destroy: () => void
}
interface Hovered {
  readonly datasetIndex: number
  readonly dataIndex: number
}

declare const Chart: { new (canvas: Element, config: unknown): Drawn; readonly defaults: { animation: boolean; font: { family: string } } }
declare const document: {
  readonly body: Element
  readonly documentElement: Element
  readonly getElementById: (id: string) => Element
  readonly createElement: (name: 'canvas') => Canvas
  readonly querySelectorAll: (selector: string) => Iterable<Canvas>
}
declare const getComputedStyle: (element: Element) => { readonly getPropertyValue: (name: string) => string; readonly fontFamily: string }
declare const matchMedia: (query: string) => {
  readonly matches: boolean
  readonly addEventListener: (type: 'change', listener: () => void) => void
}

const { charts, activities, activityLooks } = JSON.parse(document.getElementById('charts').textContent) as {
  readonly charts: readonly PageChart[]
  readonly activities: readonly string[]
  readonly activityLooks: readonly number[]
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** A colour with marks on it. Marks are drawn in the colour of the ground, and go on from tile to tile. */
const patternOf = (look: number): unknown => {
  const tile = document.createElement('canvas')
  const size = 8
  tile.width = tile.height = size
  const context = tile.getContext('2d')
  context.fillStyle = colour(`--look-${look}`)
  context.fillRect(0, 0, size, size)
  context.strokeStyle = context.fillStyle = colour('--ground')
  context.lineWidth = 1.5
  const line = (x1: number, y1: number, x2: number, y2: number): void => {
    context.beginPath()
    context.moveTo(x1, y1)
    context.lineTo(x2, y2)
    context.stroke()
  }
  const up = (): void => [-size, 0, size].forEach((x) => line(x - 1, size + 1, x + size + 1, -1))
  const down = (): void => [-size, 0, size].forEach((x) => line(x - 1, -1, x + size + 1, size + 1))
  const dot = (x: number, y: number, radius: number): void => {
    context.beginPath()
    context.arc(x, y, radius, 0, 7)
    context.fill()
  }
  const marks: readonly (() => void)[] = [
    () => undefined,
    up,
    () => [[2, 2], [6, 6]].forEach(([x, y]) => dot(x!, y!, 1.4)),
    () => line(0, 4, size, 4),
    down,
    () => [up, down].forEach((draw) => draw()),
    () => line(4, 0, 4, size),
    () => dot(4, 4, 2.4),
  ]
  marks[look % marks.length]!()
  return context.createPattern(tile, 'repeat')
}

const round = (value: number): string => String(Number(value.toPrecision(4)))
const shortened = (label: string, most: number): string => label.length > most ? `${label.slice(0, most - 1)}…` : label
const narrow = (): boolean => matchMedia('(max-width: 600px)').matches

/** What all charts have in common: axes with names, in the colours of the page. */
const common = ({ axis, rows }: PageChart, stacked: boolean) => ({
  indexAxis: 'y',
  responsive: true,
  maintainAspectRatio: false,
  scales: {
    x: {
      stacked,
      title: { display: true, text: axis, color: colour('--quiet') },
      ticks: { color: colour('--quiet'), maxRotation: 0, autoSkipPadding: 16, includeBounds: false },
      grid: { color: colour('--line') },
      border: { color: colour('--line') },
    },
    y: {
      stacked,
      ticks: {
        color: colour('--text'),
        autoSkip: false,
        callback: (_: unknown, row: number) => shortened(rows[row] ?? '', narrow() ? 14 : 30),
      },
      grid: { display: false },
      border: { color: colour('--line') },
    },
  },
})

const bars = (chart: BarChart): unknown => {
  const shared = common(chart, true)
  // Whiskers must not reach over the end of the axis.
  const most = Math.max(0, ...chart.series.flatMap(({ spread = [] }) => spread.map((range) => range?.[1] ?? 0)))
  return {
    type: 'bar',
    data: {
      labels: chart.rows,
      datasets: chart.series.map(({ name, look, values }) => ({
        label: name,
        data: values,
        backgroundColor: patternOf(look),
        borderColor: colour(`--look-${look}`),
        borderWidth: 1,
        maxBarThickness: 26,
      })),
    },
    options: {
      ...shared,
      scales: { ...shared.scales, x: { ...shared.scales.x, beginAtZero: true, suggestedMax: most } },
      interaction: { mode: 'nearest', axis: 'y', intersect: false },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            title: ([item]: readonly Hovered[]) => chart.rows[item?.dataIndex ?? 0],
            label: ({ datasetIndex, dataIndex }: Hovered) => {
              const { name, values, spread } = chart.series[datasetIndex]!
              const [value, range] = [values[dataIndex], spread?.[dataIndex]]
              const told = value === null || value === undefined ? 'none' : `${round(value)} ${chart.unit}`
              return `${name}: ${told}${range ? ` (${round(range[0])} … ${round(range[1])})` : ''}`
            },
          },
        },
      },
    },
    plugins: [{ id: 'whiskers', afterDatasetsDraw: (drawn: Drawn) => whiskers(chart, drawn) }],
  }
}

/** A line from the least to the most of a bar, with a short line at each end. */
const whiskers = ({ series }: BarChart, { ctx, scales: { x, y } }: Drawn): void => {
  ctx.strokeStyle = colour('--text')
  ctx.lineWidth = 2
  for (const { spread = [] } of series) {
    spread.forEach((range, row) => {
      if (range === null) return
      const [from, to] = [x.getPixelForValue(range[0]), x.getPixelForValue(range[1])]
      const middle = y.getPixelForValue(row)
      ctx.beginPath()
      for (
        const [x1, y1, x2, y2] of [[from, middle, to, middle], [from, middle - 6, from, middle + 6], [
          to,
          middle - 6,
          to,
          middle + 6,
        ]] as const
      ) {
        ctx.moveTo(x1, y1)
        ctx.lineTo(x2, y2)
      }
      ctx.stroke()
    })
  }
}

const timeline = (chart: TimelineChart): unknown => {
  const of = activities.map((_, activity) => chart.bars.filter((bar) => bar.activity === activity))
  const shared = common(chart, false)
  return {
    type: 'bar',
    data: {
      labels: chart.rows,
      datasets: activities.map((label, activity) => ({
        label,
        data: of[activity]!.map(({ row, start, end }) => ({ y: chart.rows[row], x: [start, end] })),
        backgroundColor: patternOf(activityLooks[activity]!),
        grouped: false,
        barPercentage: 0.95,
        categoryPercentage: 0.9,
      })),
    },
    options: {
      ...shared,
      scales: { ...shared.scales, x: { ...shared.scales.x, min: 0, max: chart.end } },
      interaction: { mode: 'nearest', intersect: true },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            title: ([item]: readonly Hovered[]) => {
              const bar = item && of[item.datasetIndex]![item.dataIndex]!
              return bar && chart.rows[bar.row]
            },
            label: ({ datasetIndex, dataIndex }: Hovered) => {
              const { start, end, text } = of[datasetIndex]![dataIndex]!
              return [`${activities[datasetIndex]} for ${round(end - start)} ${chart.unit}, from ${round(start)}`, shortened(text, 60)]
            },
          },
        },
      },
    },
  }
}

/** To draw over a timeline sideways shows that stretch alone; the button beside it shows all again. */
const zooming = (canvas: Canvas, { end }: TimelineChart, drawn: () => Drawn): void => {
  const button = canvas.parentElement.parentElement.querySelector('button')!
  const show = (from: number, to: number): void => {
    const { x } = drawn().options.scales
    ;[x.min, x.max] = [from, to]
    drawn().update('none')
    button.disabled = from === 0 && to === end
  }
  const valueAt = ({ clientX }: PointerEvent): number =>
    Math.max(0, Math.min(end, drawn().scales.x.getValueForPixel(clientX - canvas.getBoundingClientRect().left)))
  let began: number | null = null
  canvas.addEventListener('pointerdown', (event) => {
    began = valueAt(event)
    canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener('pointerup', (event) => {
    const [from, to] = [began ?? 0, valueAt(event)].sort((a, b) => a - b) as [number, number]
    const { min, max } = drawn().options.scales.x
    if (began !== null && to - from > (max - min) / 100) show(from, to)
    began = null
  })
  button.addEventListener('click', () => show(0, end))
}

const drawnOn = new Map<Canvas, Drawn>()

const drawAll = (): void => {
  Chart.defaults.animation = false
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily
  for (const canvas of document.querySelectorAll('canvas[data-look]')) {
    const context = canvas.getContext('2d')
    context.fillStyle = patternOf(Number(canvas.dataset['look']))
    context.fillRect(0, 0, canvas.width, canvas.height)
  }
  for (const canvas of document.querySelectorAll('canvas[data-chart]')) {
    const chart = charts[Number(canvas.dataset['chart'])]!
    drawnOn.get(canvas)?.destroy()
    drawnOn.set(canvas, new Chart(canvas, chart.kind === 'bars' ? bars(chart) : timeline(chart)))
  }
}

drawAll()
for (const canvas of document.querySelectorAll('canvas[data-chart]')) {
  const chart = charts[Number(canvas.dataset['chart'])]!
  if (chart.kind === 'timeline') zooming(canvas, chart, () => drawnOn.get(canvas)!)
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll)
