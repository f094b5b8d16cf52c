import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Commands as a person types them: processes, with what they print and their exit codes. */
export const home = fileURLToPath(new URL('../../', import.meta.url))

export interface Answer {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

const start = process.versions['deno'] === undefined ? ['--import', 'tsx'] : ['run', '--allow-all', '--quiet']

/** `shardwise` with these words, in the runtime that we are in. */
export const shardwise = (...words: readonly string[]): Answer => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...start, 'lib/cli/main.ts', ...words], {
    cwd: home,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { code: status, out: stdout, error: stderr }
}

/** A folder that is gone after the tests of a file. */
export const folderFor = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), `shardwise-${name}-`))
  after(() => rmSync(folder, { recursive: true }))
  return folder
}
