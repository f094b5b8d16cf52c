import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { tokenVariable } from './link/address.ts'

export type Runtime = 'node' | 'deno'

/** The runtime this process runs in. */
export const currentRuntime: Runtime = process.versions['deno'] === undefined ? 'node' : 'deno'

/** A rank's process, seen from outside. */
export interface RankProcess {
  readonly runtime: Runtime
  readonly pid: number | undefined
  /** Resolves with the cause when the process has ended and all it wrote has been read. */
  readonly ended: Promise<string>
  readonly isAlive: () => boolean
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => void
}

export interface SpawnOptions {
  readonly runtime: Runtime
  readonly entry: URL
  readonly address: string
  readonly rank: number
  readonly token: string
}

const keptLines = 20
/** How long after a process's end its output is still waited for, in milliseconds. */
const patience = 200

/** Starts a rank. That it can't be started shows as its end. */
export const spawnRank = ({ runtime, entry, address, rank, token }: SpawnOptions): RankProcess => {
  const [command, ...options] = runtime === 'node' ? nodeCommand(entry) : denoCommand()
  const child = spawn(command, [...options, fileURLToPath(entry), address, String(rank)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [tokenVariable]: token },
  })
  let alive = true
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-64 * 1024).split('\n').slice(-keptLines - 1).join('\n')
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)

  const ended = new Promise<string>((resolve) => {
    const finish = (cause: string): void => {
      alive = false
      const last = output.trim()
      resolve(last === '' ? cause : `${cause}; it last wrote:\n${last}`)
    }
    child.on('error', (error) => finish(`${command} cannot be started: ${error.message}`))
    child.on('exit', (code, signal) => {
      alive = false
      const cause = signal === null ? `it ended with exit code ${code}` : `it was killed by ${signal}`
      const timer = setTimeout(() => finish(cause), patience)
      child.on('close', () => {
        clearTimeout(timer)
        finish(cause)
      })
    })
  })
  return { runtime, pid: child.pid, ended, isAlive: () => alive, kill: (signal) => void child.kill(signal) }
}

const require = createRequire(import.meta.url)

/** The executable that ranks of a runtime are started with. */
export const executableOf = (runtime: Runtime): string =>
  runtime === currentRuntime ? process.execPath : runtime === 'node' ? 'node' : findDeno()

/** TypeScript sources need tsx, named by its full path because the user's folder may be anywhere. */
const nodeCommand = (entry: URL): readonly [string, ...string[]] => {
  const node = executableOf('node')
  return entry.pathname.endsWith('.ts') ? [node, '--import', pathToFileURL(require.resolve('tsx')).href] : [node]
}

const denoCommand = (): readonly [string, ...string[]] => [
  executableOf('deno'),
  ...['run', '--allow-all', '--quiet', '--no-lock', '--node-modules-dir=manual'],
]

/** The binary of npm's `deno` package (its launcher script would put a process between us and the rank), or PATH's. */
const findDeno = (): string => {
  const binary = process.platform === 'win32' ? 'deno.exe' : 'deno'
  const platform = `${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`
  try {
    const wrapper = require.resolve('deno/package.json')
    const packaged = createRequire(wrapper).resolve(`@deno/${platform}/package.json`)
    const found = [wrapper, packaged].map((file) => join(dirname(file), binary)).find(existsSync)
    return found ?? binary
  } catch {
    return binary
  }
}

/**
 * Whether the system says that a process is stopped (SIGSTOP, a debugger). Asking the system instead of awaiting signs
 * of life never mistakes a rank that is busy for one that hangs. Elsewhere than on Linux nothing is known.
 */
export const isStopped = (pid: number): boolean => {
  if (process.platform !== 'linux') return false
  try {
    // `pid (name) state …`, and the name may hold anything.
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return /^[Tt]/.test(status.slice(status.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}
