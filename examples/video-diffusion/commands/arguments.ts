import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { backendOf, runtimesOf } from '#lib/cli/arguments.ts'
import { type Fault, usage } from '#lib/fault.ts'
import type { LaunchOptions } from '#lib/mod.ts'

/** What all commands of the example take. */
export const common = {
  mesh: {
    type: 'string',
    default: 'dp=1 sp=2',
    description: "processes: 'dp=…' over the clips of a batch, 'sp=…' over the frames of a clip",
  },
  folder: { type: 'string', default: 'runs/shapes', description: 'where the checkpoint, the loss curve and the samples are' },
  backend: { type: 'string', default: 'auto', description: 'auto, webgpu or reference' },
  runtime: { type: 'string', description: 'node, deno, or both in turn: node,deno' },
} as const

/** The mesh as it must be written. */
export const meshOf = (text: string): E.Either<Fault, string> =>
  /^dp=[1-9]\d* sp=[1-9]\d*$/.test(text.trim())
    ? E.right(text.trim())
    : E.left(usage(`--mesh is written as 'dp=1 sp=2' (both axes, each with a number of processes), not '${text}'`))

export const launchOf = (args: { readonly backend: string; readonly runtime?: string | undefined }): E.Either<Fault, LaunchOptions> =>
  pipe(
    E.Do,
    E.bind('backend', () => backendOf(args.backend)),
    E.bind('runtimes', () => runtimesOf(args.runtime)),
    E.map(({ backend, runtimes }) => ({ backend, ...runtimes })),
  )
