import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { defineCommand } from 'citty'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { pipe } from 'fp-ts/lib/function.js'
import colours from 'picocolors'
import { diagnose, type Diagnosis } from '#backends/mod.ts'
import { device, sentence } from '../fault.ts'
import { printBytes, table } from '../report/print.ts'
import { bindLibc } from '../run/link/libc.ts'
import { executableOf, type Runtime } from '../run/spawn.ts'
import { jsonArgument } from './arguments.ts'
import { finish } from './finish.ts'

export default defineCommand({
  meta: { name: 'doctor', description: 'Say which adapter, driver, links and runtimes this machine gives, what will be used, and why' },
  args: { ...jsonArgument },
  run: ({ args }) =>
    finish(pipe(
      TE.fromTask(examine),
      TE.chainEitherK((findings) =>
        findings.gpu.chosen === null && !args.json
          ? E.left(device(`${printFindings(findings)}\n\n${findings.gpu.problem ?? 'no adapter'}`))
          : E.right(args.json ? JSON.stringify(findings, null, 2) : printFindings(findings))
      ),
    )),
})

interface Findings {
  readonly platform: string
  readonly gpu: Diagnosis
  readonly sharedMemory: { readonly available: boolean; readonly why: string }
  readonly runtimes: Readonly<Record<'node' | 'deno', string | null>>
}

const examine = async (): Promise<Findings> => {
  const libc = await bindLibc()
  return {
    platform: `${process.platform} ${process.arch}, ${
      process.versions['deno'] === undefined ? `node ${process.versions.node}` : `deno ${process.versions['deno']}`
    }`,
    gpu: await diagnose(),
    sharedMemory: E.isRight(libc)
      ? { available: true, why: 'memfd and futex through FFI' }
      : { available: false, why: sentence(libc.left) },
    runtimes: { node: versionOf('node'), deno: versionOf('deno') },
  }
}

/** What the runtime says its version is, or null where it cannot be started. */
const versionOf = (runtime: Runtime): string | null => {
  const { stdout } = spawnSync(executableOf(runtime), ['--version'], { encoding: 'utf8' })
  return stdout === null || stdout === undefined || stdout === '' ? null : stdout.split('\n')[0]!.trim()
}

const yes = (text: string): string => `${colours.green('✓')} ${text}`
const no = (text: string): string => `${colours.dim('–')} ${text}`

const printFindings = ({ platform, gpu, sharedMemory, runtimes }: Findings): string =>
  table([
    [colours.bold('machine'), platform],
    ...gpu.attempts.map(({ origin, adapter, problem }) => [
      colours.bold(`${origin} driver`),
      adapter === null ? no(problem ?? 'none') : (gpu.chosen === origin ? yes : no)(
        `${adapter.description || adapter.device} (${adapter.vendor}, ${adapter.software ? 'software' : 'GPU'})`,
      ),
    ]),
    [colours.bold('backend'), gpu.chosen === null ? no(`reference only: ${gpu.reason}`) : yes(`webgpu: ${gpu.reason}`)],
    ...gpu.attempts.flatMap(({ origin, adapter }) =>
      adapter === null || origin !== gpu.chosen ? [] : [[
        colours.bold('limits'),
        `buffers up to ${printBytes(adapter.limits.maxBufferSize)}, bindings up to ${
          printBytes(adapter.limits.maxStorageBufferBindingSize)
        }, ${adapter.limits.maxStorageBuffersPerShaderStage} storage buffers per kernel, ${adapter.limits.maxComputeInvocationsPerWorkgroup} invocations per workgroup`,
      ]]
    ),
    [colours.bold('link'), sharedMemory.available ? yes(`shared memory: ${sharedMemory.why}`) : no(`sockets: ${sharedMemory.why}`)],
    ...(['node', 'deno'] as const).map((runtime) => [
      colours.bold(`${runtime} ranks`),
      runtimes[runtime] === null ? no('not found') : yes(runtimes[runtime]!),
    ]),
  ])
