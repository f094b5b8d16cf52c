import process from 'node:process'
import { table, writePart } from './document.ts'
import { errorOf, longSums } from './long-sums.ts'

/**
 * Measures the relative errors of long sums of equal numbers on each backend, and over three ranks:
 *
 *     npx tsx tests/numbers/sums.ts           prints a table
 *     npx tsx tests/numbers/sums.ts --write   puts it into docs/numbers.md
 */
const rows: string[][] = []
for (const sum of longSums) {
  const errors = [await errorOf(sum, 'reference'), await errorOf(sum, 'webgpu'), await errorOf(sum, 'webgpu', 3)]
  const row = [sum.name, ...errors.map((error) => error === 0 ? '0' : error.toExponential(1))]
  console.error(row.join('  '))
  rows.push(row)
}
const text = table(['sum', 'reference', 'webgpu', 'webgpu, 3 ranks'], rows)
if (process.argv.includes('--write')) writePart('sums', text)
else console.log(text)
