import { appendFileSync } from 'node:fs'
import process from 'node:process'
import Table from 'cli-table3'
import { deno, tsc6, tsc7 } from '../types/compilers.ts'
import { opsPerBlock, plainOptions, withDeepPrograms } from '../types/deep-program.ts'

/**
 * Seconds that checking a program of 1 000 ops takes more than an empty one, with each compiler, as whole processes in turn.
 *
 *     npx tsx tests/benchmarks/type-check.ts [runs]
 */
const runs = Number(process.argv[2] ?? 5)
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!

const compilers = {
  'tsc 6': (file: string) => tsc6('--noEmit', ...plainOptions, file),
  'tsc 7': (file: string) => tsc7('--noEmit', ...plainOptions, file),
  'deno check': (file: string) => deno('check', '--quiet', file),
} as const

await withDeepPrograms(
  { empty: 'empty', chain: { chain: 1000 / opsPerBlock }, variety: { variety: 1000 / opsPerBlock } },
  (files) => {
    const table = new Table({ head: ['compiler', 'empty', '1 000 ops', 'more', '1 000 ops, 40 widths', 'more'] })
    for (const [name, check] of Object.entries(compilers)) {
      const seconds: Record<string, number[]> = { empty: [], chain: [], variety: [] }
      for (let run = 0; run < runs; run++) {
        for (const program of Object.keys(seconds)) {
          // deno check remembers what it has seen, so it sees something new each time.
          appendFileSync(files[program]!, `// ${name} ${run}\n`)
          const start = performance.now()
          const said = check(files[program]!)
          if (/error|ERROR/.test(said)) throw new Error(`${name} said of ${program}: ${said}`)
          seconds[program]!.push((performance.now() - start) / 1000)
        }
      }
      const [empty, chain, variety] = ['empty', 'chain', 'variety'].map((program) => median(seconds[program]!))
      table.push([name, ...[empty!, chain!, chain! - empty!, variety!, variety! - empty!].map((value) => `${value.toFixed(2)} s`)])
    }
    process.stdout.write(`${table.toString()}\n`)
  },
)
