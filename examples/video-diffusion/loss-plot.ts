/** The losses of a run, from step 0 on. */
export interface Curve {
  readonly name: string
  readonly losses: readonly number[]
}

const [width, height] = [800, 450]
const frame = { left: 70, right: 780, top: 44, bottom: 400 }
const colours = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf']

/** What a float32 can hold; a loss that is no number, or overflowed, leaves a gap. */
const isDrawn = (loss: number): boolean => Math.abs(loss) < 2 ** 128

/** Numbers 1, 2 or 5 × 10ⁿ apart, about `count` of them, that reach from `least` or below to `most` or above. */
export const roundTicks = (least: number, most: number, count: number): readonly number[] => {
  const largest = Math.max(Math.abs(least), Math.abs(most))
  const margin = most - least > 1e-6 * largest ? 0 : largest / 20 || 1 // what is flat lies in the middle
  const [low, high] = [least - margin, most + margin]
  const rough = (high - low) / count
  const power = Math.floor(Math.log10(rough))
  const factor = [1, 2, 5].find((factor) => factor * 10 ** power >= 0.999 * rough) ?? 10
  const step = factor * 10 ** power
  const first = Math.floor(low / step)
  return Array.from({ length: Math.ceil(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** Powers of ten from `least` or below to `most` or above, both positive; where those are few, also 2 and 5 times them. */
export const logTicks = (least: number, most: number): readonly number[] => {
  const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))]
  const every = Math.ceil((last - first) / 8)
  const ticks = Array.from({ length: Math.ceil((last - first) / every) + 1 }, (_, i) => first + i * every)
    .flatMap((power) => (last - first > 3 ? [1] : [1, 2, 5]).map((factor) => Number(`${factor}e${power}`)))
  return ticks.slice(ticks.findLastIndex((tick) => tick <= least), ticks.findIndex((tick) => tick >= most) + 1)
}

/** The mean of the losses around each step, as far ahead as back (but for the end), so that the curve doesn't lag where they fall. */
const smooth = (losses: readonly number[]): readonly number[] =>
  losses.map((loss, step) => {
    const reach = Math.min(Math.floor(losses.length / 60), step)
    const near = losses.slice(step - reach, step + reach + 1).filter(isDrawn)
    return isDrawn(loss) ? near.reduce((sum, each) => sum + each, 0) / near.length : NaN
  })

const label = (tick: number): string =>
  tick !== 0 && (Math.abs(tick) < 1e-3 || Math.abs(tick) >= 1e6) ? tick.toExponential().replace('e+', 'e') : String(tick)

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

/**
 * Loss curves as an SVG of its own: each as it is, pale, and smoothed, strong; on a logarithmic axis where the losses span more
 * than a decade.
 */
export const lossPlot = (curves: readonly Curve[], { title }: { readonly title: string }): string => {
  const drawn = curves.flatMap(({ losses }) => losses.filter(isDrawn))
  const [least, most] = drawn.length === 0
    ? [0, 1]
    : drawn.reduce(([low, high], loss) => [Math.min(low, loss), Math.max(high, loss)], [Infinity, -Infinity])
  const lastStep = Math.max(1, ...curves.map(({ losses }) => losses.length - 1))
  const logarithmic = least > 0 && most > 10 * least
  const scale = logarithmic ? Math.log10 : (loss: number): number => loss
  const [xTicks, yTicks] = [
    roundTicks(0, lastStep, Math.min(10, lastStep)),
    logarithmic ? logTicks(least, most) : roundTicks(least, most, 6),
  ]
  const [low, high] = [scale(yTicks[0]!), scale(yTicks.at(-1)!)]
  const x = (step: number): string => (frame.left + (step / xTicks.at(-1)!) * (frame.right - frame.left)).toFixed(2)
  const y = (loss: number): string => (frame.bottom - ((scale(loss) - low) / (high - low)) * (frame.bottom - frame.top)).toFixed(2)

  const polylines = (losses: readonly number[], style: string): readonly string[] => {
    const runs: string[][] = [[]]
    for (const [step, loss] of losses.entries()) {
      if (isDrawn(loss)) runs.at(-1)!.push(`${x(step)},${y(loss)}`)
      else runs.push([])
    }
    // a point alone is drawn as a line from itself to itself, with round ends
    return runs.filter((run) => run.length > 0).map((run) => `<polyline points="${[...run, run.at(-1)].join(' ')}" ${style}/>`)
  }
  const line = (x1: number | string, y1: number | string, x2: number | string, y2: number | string, style: string): string =>
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${style}/>`
  const text = (x: number | string, y: number | string, content: string, style: string): string =>
    `<text x="${x}" y="${y}" ${style}>${escape(content)}</text>`

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
    ' font-family="system-ui, sans-serif" font-size="12" fill="#333">',
    `<title>${escape(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text((frame.left + frame.right) / 2, 26, title, 'text-anchor="middle" font-size="16"'),
    ...xTicks.flatMap((tick) => [
      line(x(tick), frame.top, x(tick), frame.bottom, 'stroke="#eee"'),
      text(x(tick), frame.bottom + 18, label(tick), 'text-anchor="middle"'),
    ]),
    ...yTicks.flatMap((tick) => [
      line(frame.left, y(tick), frame.right, y(tick), 'stroke="#eee"'),
      text(frame.left - 8, y(tick), label(tick), 'text-anchor="end" dy="4"'),
    ]),
    `<path d="M${frame.left} ${frame.top}V${frame.bottom}H${frame.right}" fill="none" stroke="#333"/>`,
    text((frame.left + frame.right) / 2, height - 10, 'step', 'text-anchor="middle"'),
    text(0, 0, 'loss', `text-anchor="middle" transform="translate(16 ${(frame.top + frame.bottom) / 2}) rotate(-90)"`),
    '<g fill="none" stroke-linecap="round" stroke-linejoin="round">',
    ...curves.flatMap(({ losses }, i) => polylines(losses, `stroke="${colours[i % colours.length]}" stroke-opacity="0.3"`)),
    ...curves.flatMap(({ losses }, i) => polylines(smooth(losses), `stroke="${colours[i % colours.length]}" stroke-width="2"`)),
    '</g>',
    ...curves.flatMap(({ name }, i) => [
      line(
        frame.right - 34,
        frame.top + 16 + 18 * i,
        frame.right - 10,
        frame.top + 16 + 18 * i,
        `stroke="${colours[i % colours.length]}" stroke-width="2"`,
      ),
      text(frame.right - 42, frame.top + 20 + 18 * i, name, 'text-anchor="end"'),
    ]),
    '</svg>',
    '',
  ].join('\n')
}
