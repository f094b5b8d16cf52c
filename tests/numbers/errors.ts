import process from 'node:process'
import { openReference } from '#backends/reference/mod.ts'
import { openWebGpu } from '#backends/webgpu/mod.ts'
import { right } from '../backends/support.ts'
import { boundsTable, edgesTable, table, writePart } from './document.ts'
import { measured } from './functions.ts'
import { errorsOf } from './measure.ts'

/**
 * Measures the largest errors of the scalar functions on each backend, at 2^20 points and more:
 *
 *     npx tsx tests/numbers/errors.ts           prints a table
 *     npx tsx tests/numbers/errors.ts --write   puts it into docs/numbers.md, with the rules and bounds that the tests hold
 */
const backends = [await right(openReference()), await right(openWebGpu())]
const rows: string[][] = []
for (const one of measured) {
  for (const backend of backends) {
    const { points, ulps, relative, at, wrong } = await errorsOf(backend, one, 2 ** 20)
    const { backend: name } = backend.describe
    const row = [one.name, name, String(points), ulps.toFixed(2), relative.toExponential(1), at.map(String).join(', '), String(wrong)]
    console.error(row.join('  '))
    rows.push(row)
  }
}
const text = table(['function', 'backend', 'points', 'largest error in ulp', 'relative', 'at', 'wrong'], rows)
if (process.argv.includes('--write')) {
  writePart('errors', text)
  writePart('edges', edgesTable())
  writePart('bounds', boundsTable())
} else console.log(text)
for (const backend of backends) await backend.close()
