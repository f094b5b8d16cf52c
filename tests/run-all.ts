import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { executableOf } from '#lib/run/spawn.ts'

/**
 * Runs every test file under Node and under Deno, one file at a time (they share two cores and start processes of their
 * own). Words given on the command line pick files by name; `--node` or `--deno` picks one runtime.
 */
const home = fileURLToPath(new URL('../', import.meta.url))
const words = process.argv.slice(2)
const names = words.filter((word) => !word.startsWith('--'))
const files = readdirSync(join(home, 'tests'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && (names.length === 0 || names.some((name) => file.includes(name))))
  .map((file) => join('tests', file)).sort()

const runtimes = [
  { name: 'node', run: [executableOf('node'), '--import', 'tsx', '--test', '--test-concurrency=1', ...files] },
  { name: 'deno', run: [executableOf('deno'), 'test', '--allow-all', '--no-check', '--quiet', ...files] },
].filter(({ name }) => !words.includes('--node') && !words.includes('--deno') || words.includes(`--${name}`))

let failed = false
for (const { name, run: [command, ...options] } of runtimes) {
  process.stdout.write(`\n— ${files.length} test files under ${name}\n`)
  const { status } = spawnSync(command!, options, { cwd: home, stdio: 'inherit' })
  failed ||= status !== 0
}
process.exitCode = failed ? 1 : 0
