import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { BackendName } from '#backends/mod.ts'
import { type Fault, usage } from '../fault.ts'
import { isSeed } from '../kernel/threefry.ts'
import type { LaunchOptions } from '../run/session.ts'
import type { Wanted } from './load.ts'

/** Arguments that several commands have. */
export const programArgument = {
  program: {
    type: 'positional',
    required: true,
    description: 'a program file (.ts or .js, program as default export) or a plan file (.json)',
    valueHint: 'PROGRAM',
  },
} as const

export const meshArguments = {
  ranks: { type: 'string', description: "number of ranks, where the program's mesh has one axis", valueHint: 'N' },
  mesh: { type: 'string', description: "another mesh with the program's axes, such as 'sp=4 tp=2'", valueHint: 'MESH' },
  'fastest-on': {
    type: 'string',
    description: 'plan for the least time on a cluster (its name or a file), not for the fewest bytes',
    valueHint: 'CLUSTER',
  },
} as const

export const jsonArgument = { json: { type: 'boolean', description: 'print JSON' } } as const

/** A whole number of at least 1. */
export const wholeNumber = (name: string, text: string): E.Either<Fault, number> =>
  /^[1-9]\d*$/.test(text) ? E.right(Number(text)) : E.left(usage(`--${name} takes a whole number of at least 1, not '${text}'`))

/** A seed of random numbers. */
export const seedOf = (text: string): E.Either<Fault, number> =>
  /^-?\d+$/.test(text) && isSeed(Number(text))
    ? E.right(Number(text))
    : E.left(usage(`--seed takes a whole number within ±2^53, not '${text}'`))

/** One of a few words. */
export const oneOf = <const W extends string>(name: string, words: readonly W[], text: string): E.Either<Fault, W> => {
  const word = words.find((one) => one === text)
  return word === undefined ? E.left(usage(`--${name} is one of ${words.join(', ')}, not '${text}'`)) : E.right(word)
}

export const backendOf = (text: string): E.Either<Fault, BackendName> => oneOf('backend', ['auto', 'webgpu', 'reference'], text)

/** `node`, `deno`, or both in turn (`node,deno`), as an option of `launch`; left out, it is the runtime we are in. */
export const runtimesOf = (text: string | undefined): E.Either<Fault, Pick<LaunchOptions, 'runtimes'>> =>
  text === undefined ? E.right({}) : pipe(
    text.split(','),
    E.traverseArray((word) => oneOf('runtime', ['node', 'deno'], word)),
    E.map((runtimes) => ({ runtimes })),
  )

export const wantedMesh = (
  { ranks, mesh, 'fastest-on': fastestOn }: {
    readonly ranks?: string | undefined
    readonly mesh?: string | undefined
    readonly 'fastest-on'?: string | undefined
  },
): E.Either<Fault, Wanted> =>
  pipe(
    ranks === undefined ? E.right({}) : pipe(wholeNumber('ranks', ranks), E.map((count) => ({ ranks: count }))),
    E.map((count) => ({ ...count, ...(mesh !== undefined && { mesh }), ...(fastestOn !== undefined && { fastestOn }) })),
  )
