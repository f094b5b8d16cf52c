import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Comparison, decodeComparison } from '#lib/compare/codec.ts'
import { barCharts, timelineCharts } from '#lib/compare/page/charts.ts'
import { comparisonPage } from '#lib/compare/page/page.ts'
import { tablesOf } from '#lib/compare/tables.ts'
import { compared, hostile } from '../programs.ts'
import { type Page, withBrowser } from './browser.ts'

/** The page in a real browser: what it shows, and what it leaves alone. */

const evaluateAll = <A>(page: Page, selector: string, of: string): Promise<readonly A[]> =>
  page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => ${of})`)

/** How many colours a canvas shows; the scripts' and the browser's own edges make some more than there are looks. */
const coloursOf = `(() => {
  const { data } = element.getContext('2d').getImageData(0, 0, element.width, element.height)
  const colours = new Set()
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2])
  return colours.size
})()`

const looksRight = async (page: Page, comparison: Comparison): Promise<void> => {
  assert.deepEqual(page.complaints, [])
  assert.deepEqual(page.requests, [])

  const cells = await page.evaluate<readonly (readonly (readonly string[])[])[]>(
    `[...document.querySelectorAll('table')].map((table) =>
      [...table.rows].map((row) => [...row.cells].map(({ textContent }) => textContent)))`,
  )
  const tables = tablesOf(comparison)
  assert.deepEqual(
    cells.map((rows) => rows.filter((row) => row.length > 2)),
    tables.map(({ columns, rows }) => [columns.map(({ head }) => head), ...rows]).map((rows) => rows.filter((row) => row.length > 2)),
  )
  assert.deepEqual(cells[0]!.at(-1), ['three.ts', 'refused: no <b>mesh</b> & no "axis"'])
  const told = decodeComparison(JSON.parse(await page.evaluate<string>(`document.getElementById('comparison').textContent`)))
  assert.ok(told._tag === 'Right')

  const charts = [...barCharts(comparison), ...timelineCharts(comparison)]
  const drawn = await evaluateAll<number>(page, 'canvas[data-chart]', coloursOf)
  assert.equal(drawn.length, charts.length)
  for (const [i, colours] of drawn.entries()) assert.ok(colours >= 3, `chart '${charts[i]!.title}' shows ${colours} colours`)
  const swatches = await evaluateAll<number>(page, 'canvas[data-look]', coloursOf)
  assert.ok(swatches.length > 0 && swatches.every((colours) => colours >= 1))
  // A row for each rank, in every timeline.
  const rows = await evaluateAll<readonly string[]>(page, 'canvas[data-chart]', 'Chart.getChart(element).data.labels')
  assert.deepEqual(rows, charts.map((chart) => chart.rows))
  for (const labels of rows.slice(barCharts(comparison).length)) assert.ok(labels.length > 0)
  const axes = await evaluateAll<string>(page, 'canvas[data-chart]', 'Chart.getChart(element).options.scales.x.title.text')
  for (const axis of axes) assert.match(axis, /^(bytes|KiB|MiB|s|ms|µs) (sent per rank|per rank|per run|since the run began)$/)
}

/** Points at the middle of a bar of a chart and gives what the tooltip says. */
const hover = async (page: Page, chart: number): Promise<readonly string[]> => {
  const { x, y } = await page.evaluate<{ readonly x: number; readonly y: number }>(`(() => {
    const canvas = document.querySelectorAll('canvas[data-chart]')[${chart}]
    canvas.scrollIntoView({ block: 'center' })
    const chart = Chart.getChart(canvas)
    const bars = chart.data.datasets.flatMap((_, i) => chart.getDatasetMeta(i).data)
    const widest = bars.reduce((most, bar) => bar.width > most.width ? bar : most)
    const { left, top } = canvas.getBoundingClientRect()
    return { x: left + widest.x - widest.width / 2, y: top + widest.y }
  })()`)
  await page.call('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y })
  return await page.evaluate(`new Promise((done) => setTimeout(() => {
    const { opacity, title, body } = Chart.getChart(document.querySelectorAll('canvas[data-chart]')[${chart}]).tooltip
    done(opacity === 0 ? [] : [...title, ...body.flatMap(({ lines }) => lines)])
  }, 100))`)
}

/** Draws over a timeline from a quarter to a half of its width, then asks for all again; gives the limits of its axis each time. */
const zoom = async (page: Page, chart: number): Promise<readonly (readonly [number, number])[]> => {
  const canvas = `document.querySelectorAll('canvas[data-chart]')[${chart}]`
  const limits = (): Promise<readonly [number, number]> =>
    page.evaluate(`(({ min, max }) => [min, max])(Chart.getChart(${canvas}).scales.x)`)
  const { from, to, y } = await page.evaluate<{ readonly from: number; readonly to: number; readonly y: number }>(`(() => {
    ${canvas}.scrollIntoView({ block: 'center' })
    const { left, top, height } = ${canvas}.getBoundingClientRect()
    const { x } = Chart.getChart(${canvas}).scales
    return { from: left + x.left + x.width / 4, to: left + x.left + x.width / 2, y: top + height / 3 }
  })()`)
  const before = await limits()
  const mouse = { button: 'left', buttons: 1, clickCount: 1, y }
  await page.call('Input.dispatchMouseEvent', { ...mouse, type: 'mousePressed', x: from })
  await page.call('Input.dispatchMouseEvent', { ...mouse, type: 'mouseMoved', x: to })
  await page.call('Input.dispatchMouseEvent', { ...mouse, type: 'mouseReleased', x: to })
  const zoomed = await limits()
  await page.evaluate(`${canvas}.closest('section').querySelector('button').click()`)
  return [before, zoomed, await limits()]
}

describe('the page of a comparison', () => {
  it('shows in a browser, light and dark, wide and narrow, all that was compared, and asks for nothing', async (test) => {
    const comparison = await compared(true)
    const html = await comparisonPage(comparison)
    const why = await withBrowser(async (page) => {
      for (const [width, scheme] of [[1200, 'light'], [390, 'dark']] as const) {
        await page.show(html, width, 900, scheme)
        await looksRight(page, comparison)
        const overflow = await page.evaluate(`document.documentElement.scrollWidth - document.documentElement.clientWidth`)
        assert.equal(overflow, 0, `nothing reaches over the edge of ${width} pixels`)
        // Texts of programs are texts: no image, no script of theirs.
        assert.deepEqual(await evaluateAll(page, 'img', 'element.src'), [])
        assert.ok((await evaluateAll<string>(page, 'tbody th', 'element.textContent')).includes(hostile))

        const bars = barCharts(comparison)
        const [program, sent] = await hover(page, 0)
        assert.ok(bars[0]!.rows.includes(program!))
        assert.match(sent!, /^(forward|backward): [\d.]+ (bytes|KiB)$/)
        const [rank, what] = await hover(page, bars.length)
        assert.match(rank!, /^rank \d$/)
        assert.match(what!, /^(compute|wait|wire|pack|unpack|in and out) for [\d.]+ (s|ms|µs), from [\d.]+/)
        if (width === 390) continue
        const [all, part, again] = await zoom(page, bars.length)
        assert.ok(part![0] > all![0] && part![1] < all![1])
        assert.deepEqual(again, all)
      }
      assert.deepEqual(page.complaints, [])
      assert.ok((await page.picture()).length > 10_000)
      // The browser does tell of what the page must not do.
      await page.show('<img src="http://127.0.0.1:9/x.png"><script>console.error("seen")</script>', 390, 900, 'light')
      assert.deepEqual(page.requests, ['http://127.0.0.1:9/x.png'])
      assert.ok(page.complaints.join().includes('seen'))
    })
    if (why !== null) test.skip(why)
  })

  it('has colours that stand out from their ground, in light and in dark', async () => {
    const { style } = await import('#lib/compare/page/style.ts')
    const [light, dark] = style.split('prefers-color-scheme: dark')
    for (const part of [light!, dark!]) {
      const of = (name: string): string => new RegExp(`${name}: (#[0-9a-f]{6})`).exec(part)![1]!
      for (let look = 0; look < 8; look++) assert.ok(contrast(of(`--look-${look}`), of('--ground')) >= 3, `look ${look}`)
      for (const text of ['--text', '--quiet', '--alarm']) {
        assert.ok(contrast(of(text), of('--ground')) >= 4.5 && contrast(of(text), of('--raised')) >= 4.5, text)
      }
    }
  })
})

/** WCAG 2.1, contrast ratio. */
const contrast = (a: string, b: string): number => {
  const luminance = (colour: string): number =>
    [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
      .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i]!, 0)
  const [dark, light] = [luminance(a), luminance(b)].sort((one, other) => one - other)
  return (light! + 0.05) / (dark! + 0.05)
}
