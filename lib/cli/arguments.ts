import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { type Fault, usage } from '../fault.ts'
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
} as const

export const jsonArgument = { json: { type: 'boolean', description: 'print JSON' } } as const

/** A whole number of at least 1, or nothing. */
export const wholeNumber = (name: string, text: string | undefined): E.Either<Fault, number | undefined> =>
  text === undefined
    ? E.right(undefined)
    : /^[1-9]\d*$/.test(text)
    ? E.right(Number(text))
    : E.left(usage(`--${name} takes a whole number of at least 1, not '${text}'`))

/** One of a few words, or nothing. */
export const oneOf = <const W extends string>(
  name: string,
  words: readonly W[],
  text: string | undefined,
): E.Either<Fault, W | undefined> => {
  if (text === undefined) return E.right(undefined)
  const word = words.find((one) => one === text)
  return word === undefined ? E.left(usage(`--${name} is one of ${words.join(', ')}, not '${text}'`)) : E.right(word)
}

export const wantedMesh = (
  { ranks, mesh }: { readonly ranks?: string | undefined; readonly mesh?: string | undefined },
): E.Either<Fault, Wanted> =>
  pipe(
    wholeNumber('ranks', ranks),
    E.map((count) => ({ ...(count === undefined ? {} : { ranks: count }), ...(mesh === undefined ? {} : { mesh }) })),
  )
