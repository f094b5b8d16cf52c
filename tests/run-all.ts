import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { executableOf } from '#lib/run/spawn.ts'

/**
 * Runs every test file under Node and under Deno. Words given on the command line pick files by name; `--node` or `--deno` picks
 * one runtime.
 */
const home = fileURLToPath(new URL('../', import.meta.url))
const words = process.argv.slice(2)
const names = words.filter((word) => !word.startsWith('--'))
const files = readdirSync(join(home, 'tests'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && (names.length === 0 || names.some((name) => file.includes(name))))
  .map((file) => join('tests', file)).sort()

/** Files whose tests start processes and hold them to times run one after another, the others two at a time. */
const needsQuiet = (file: string): boolean => /^tests\/(run|train|cli|compare)\//.test(file.replaceAll('\\', '/'))
const groups = [
  { files: files.filter((file) => !needsQuiet(file)), atOnce: 2 },
  { files: files.filter(needsQuiet), atOnce: 1 },
].filter(({ files }) => files.length > 0)

const runtimes = [
  {
    name: 'node',
    run: (files: readonly string[], atOnce: number) => ({
      command: [executableOf('node'), '--import', 'tsx', '--test', `--test-concurrency=${atOnce}`, ...files],
      environment: {},
    }),
  },
  {
    name: 'deno',
    run: (files: readonly string[], atOnce: number) => ({
      command: [executableOf('deno'), 'test', '--allow-all', '--no-check', '--quiet', ...(atOnce > 1 ? ['--parallel'] : []), ...files],
      environment: { DENO_JOBS: String(atOnce) },
    }),
  },
].filter(({ name }) => !words.includes('--node') && !words.includes('--deno') || words.includes(`--${name}`))

let failed = false
for (const { name, run } of runtimes) {
  for (const { files, atOnce } of groups) {
    process.stdout.write(`\n— ${files.length} test files under ${name}${atOnce > 1 ? `, ${atOnce} at a time` : ''}\n`)
    const { command: [command, ...options], environment } = run(files, atOnce)
    const { status } = spawnSync(command!, options, { cwd: home, stdio: 'inherit', env: { ...process.env, ...environment } })
    failed ||= status !== 0
  }
}
process.exitCode = failed ? 1 : 0
