import { comparedIn, type Comparison, isRefused } from '../codec.ts'
import { conditions } from '../print.ts'
import { labelsOf, tablesOf, type TextTable } from '../tables.ts'
import { activityLooks, type BarChart, barCharts, type PageChart, type TimelineChart, timelineCharts } from './charts.ts'
import { type Html, html, jsonScript, raw } from './html.ts'
import { scripts } from './scripts.ts'
import { style } from './style.ts'
import { activities } from './timeline.ts'

/** Nothing is fetched and nothing runs but what the page brings. */
const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"

/** A comparison as one HTML file that needs nothing else: tables, plots, and what each rank does when. */
export const comparisonPage = async (comparison: Comparison): Promise<string> => {
  const [bars, timelines] = [barCharts(comparison), timelineCharts(comparison)]
  const charts: readonly PageChart[] = [...bars, ...timelines]
  const title = titleOf(comparison)
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="${policy}">
        <title>${title}</title>
        <style>${raw(style)}</style>
      </head>
      <body>
    <main>
    <h1>${title}</h1>
    ${conditions(comparison).map((line) => html`<p class="quiet">${sentenceOf(line)}</p>`)}
    ${tablesOf(comparison).map((one, i) => tableSection(comparison, one, i === 0))}
    ${constraints(comparison)}
    ${bars.map((chart, i) => barSection(chart, i))}
    ${timelines.length === 0 ? [] : [timelineIntroduction()]}
    ${timelines.map((chart, i) => timelineSection(chart, bars.length + i))}
    </main>
    ${jsonScript('comparison', withoutSpans(comparison))}
    ${jsonScript('charts', { charts, activities, activityLooks })}
    ${await scripts()}
      </body>
    </html>
  `
  return page.html.trimStart()
}

const titleOf = (comparison: Comparison): string => {
  const labels = labelsOf(comparison)
  const meshes = [...new Set(comparedIn(comparison).map(({ mesh }) => mesh))].filter((mesh) => mesh !== '')
  const named = labels.length > 4 ? `${labels.length} programs` : labels.join(', ')
  return `${named}${meshes.length === 0 ? '' : ` on ${meshes.join(' and ')}`}`
}

const sentenceOf = (line: string): string => `${line[0]!.toUpperCase()}${line.slice(1)}.`

/** Spans are in the charts; the page would be twice as long with both. */
const withoutSpans = (comparison: Comparison): Comparison => ({
  ...comparison,
  programs: comparison.programs.map((program) => {
    if (isRefused(program)) return program
    const { estimate, measurement } = program
    return {
      ...program,
      estimate: estimate && { ...estimate, lanes: [] },
      measurement: measurement === null || 'failed' in measurement ? measurement : { ...measurement, lanes: [] },
    }
  }),
})

const tableSection = (comparison: Comparison, { title, columns, rows }: TextTable, first: boolean): Html => {
  const labels = labelsOf(comparison)
  const refusals = !first ? [] : comparison.programs.flatMap((program, i) =>
    isRefused(program)
      ? [html`
        <tr>
          <th scope="row">${labels[i]!}</th>
          <td class="refusal alarm" colspan="${columns.length - 1}">refused: ${program.refused}</td>
        </tr>
      `]
      : []
  )
  return html`
    <section>
      <h2>${title}</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="${title}">
        <table>
          <thead>
            <tr>${columns.map(({ head, means }) => html`<th scope="col" title="${means}">${head}</th>`)}</tr>
          </thead>
          <tbody>${rows.map(([label, ...cells]) =>
            html`<tr><th scope="row">${label!}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`
          )}${refusals}</tbody>
        </table>
      </div>
      <details>
        <summary>What the columns mean</summary>
        <dl>${columns.slice(1).map(({ head, means }) =>
          html`
            <dt>${head}</dt>
            <dd>${means}</dd>
          `
        )}</dl>
      </details>
    </section>
  `
}

const constraints = (comparison: Comparison): Html => {
  const labels = labelsOf(comparison)
  const items = comparison.programs.flatMap((program, i) => {
    if (isRefused(program)) return []
    const failed = program.measurement !== null && 'failed' in program.measurement
      ? [html`<li class="alarm">${labels[i]!} was not measured: ${program.measurement.failed}</li>`]
      : []
    const uneven = program.plan.constraints
    return [...failed, ...(uneven.length === 0 ? [] : [html`<li><strong>${labels[i]!}</strong>: ${uneven.join('; ')}</li>`])]
  })
  return items.length === 0 ? html`` : html`
    <section>
      <h2>Constraints that bite</h2>
      <p class="quiet">Dims that the ranks don't divide evenly: the longest piece decides how long all take.</p>
      <ul>${items}</ul>
    </section>
  `
}

const legend = (entries: readonly { readonly name: string; readonly look: number }[]): Html =>
  html`<ul class="legend">${
    entries.map(({ name, look }) => html`<li><canvas data-look="${look}" width="26" height="14" aria-hidden="true"></canvas>${name}</li>`)
  }</ul>`

const barSection = ({ title, note, rows, series }: BarChart, i: number): Html =>
  html`<section>
<h2>${title}</h2>
<p class="quiet">${note}</p>
${series.length > 1 ? [legend(series)] : []}
<div class="chart" style="height: ${rows.length * 40 + 70}px"><canvas data-chart="${i}" role="img" aria-label="${title}: ${
    rows.join(', ')
  }"></canvas></div>
</section>`

const timelineIntroduction = (): Html =>
  html`<section>
<h2>What each rank does when</h2>
<p class="quiet">Draw over a timeline sideways to see a part of it. In a measured run the device is waited for after each kernel. Of
ranks that are alike one was simulated.</p>
${legend(activities.map((name, i) => ({ name, look: activityLooks[i]! })))}
</section>`

const timelineSection = ({ title, rows }: TimelineChart, i: number): Html =>
  html`
    <section>
      <h3>${title} <button type="button" disabled>show all</button></h3>
      <div class="chart" style="height: ${rows.length * 34 + 64}px">
        <canvas data-chart="${i}" role="img" aria-label="${title}: ${rows.join(', ')}"></canvas>
      </div>
    </section>
  `
