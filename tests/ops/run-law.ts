import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import type { Elements } from '#lib/dtype.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { threefry } from '#lib/kernel/threefry.ts'
import { compile, type Declaration, input, launch, type Program } from '#lib/mod.ts'
import { countIn, type Field, type Law, namesIn, numberOf } from './law.ts'

/** What the suites of laws have in common: values, cuts, and runs. */

/** The names of all files in `ops/`. */
export const opFiles = readdirSync(fileURLToPath(new URL('../../ops/', import.meta.url)))
  .filter((file) => file.endsWith('.ts') && file !== 'mod.ts').map((file) => file.slice(0, -3)).sort()

export type Values = Readonly<Record<string, Elements>>

/**
 * Values for the inputs of a law, the same in every run. All real numbers of a law come from one shuffled grid, so that no
 * two are near each other and none is near 0 or an end of its range: kinks and ties stay away.
 */
export const valuesFor = ({ inputs }: Law, seed: number): Values => {
  const all = Object.entries(inputs)
  const realCount = all.reduce((sum, [, { dims, type = 'f32' }]) => type === 'f32' ? sum + countIn(dims) : sum, 0)
  const places = shuffled(realCount, seed)
  let used = 0
  return Object.fromEntries(all.map(([name, { dims, type = 'f32', range = type === 'f32' ? [-2, 2] : [0, 1] }], number) => {
    const [least, most] = range
    const count = countIn(dims)
    if (type !== 'f32') {
      return [
        name,
        Int32Array.from({ length: count }, (_, i) => least + Math.floor((most - least + 1) * uniform(seed + 31 * (number + 1), i))),
      ]
    }
    const from = used
    used += count
    return [name, Float32Array.from({ length: count }, (_, i) => least + (most - least) * (places[from + i]! + 0.3) / realCount)]
  }))
}

const uniform = (seed: number, i: number): number => threefry(seed, i) * 2 ** -32
const shuffled = (count: number, seed: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => i).sort((a, b) => threefry(seed, a) - threefry(seed, b))

/** Elements as a function of the position. */
export const fieldOf = (dims: string, elements: ArrayLike<number>): Field => {
  const number = numberOf(dims)
  return (at) => elements[number(at)]!
}
export const fieldsFor = ({ inputs }: Law, values: Readonly<Record<string, ArrayLike<number>>>): Readonly<Record<string, Field>> =>
  Object.fromEntries(Object.entries(inputs).map(([name, { dims }]) => [name, fieldOf(dims, values[name]!)]))

// ---- cuts ----------------------------------------------------------------------------------------------------------

/** The axes that cut dims of inputs: `x.t` by `a`. */
export type Cuts = Readonly<Record<string, string>>

/** Every way of cutting the inputs by one axis: each input whole or cut along one of its dims. */
export const everyCut = (law: Law, axis: string): readonly Cuts[] =>
  Object.entries(law.inputs).reduce<readonly Cuts[]>(
    (all, [name, { dims }]) => all.flatMap((cuts) => [cuts, ...namesIn(dims).map((dim) => ({ ...cuts, [`${name}.${dim}`]: axis }))]),
    [{}],
  )

/** Some ways of cutting them by two axes: every pair of one-axis ways that don't meet in a dim, thinned out. */
export const pairedCuts = (law: Law): readonly Cuts[] => {
  const pairs = everyCut(law, 'a').flatMap((first) => everyCut(law, 'b').map((second) => ({ first, second })))
    .filter(({ first, second }) => Object.keys(first).every((place) => second[place] === undefined))
  const step = Math.max(1, Math.floor(pairs.length / 12))
  return pairs.filter((_, i) => i % step === 0).map(({ first, second }) => ({ ...first, ...second }))
}

/** The small meshes, each with the ways of cutting that are tried on it. */
export const meshes = (law: Law): readonly (readonly [mesh: string, ways: readonly Cuts[]])[] => [
  ['a=2', everyCut(law, 'a')],
  ['a=3', everyCut(law, 'a')],
  ['a=2 b=2', pairedCuts(law)],
]

/** The inputs of a law as a program declares them. */
export const declarationsFor = (law: Law, cuts: Cuts): Readonly<Record<string, Declaration>> =>
  Object.fromEntries(
    Object.entries(law.inputs).map(([name, { dims, type = 'f32' }]) => {
      const cut = (part: string): string => {
        const axis = cuts[`${name}.${part.split(':')[0]}`]
        return axis === undefined ? part : `${part}@${axis}`
      }
      return [name, input(dims.split(' ').map(cut).join(' '), type)]
    }),
  )

// ---- runs ----------------------------------------------------------------------------------------------------------

/** Compiles a program and runs it once. */
export const run = async (program: Program, values: Values, backend: 'reference' | 'webgpu'): Promise<E.Either<Fault, Values>> => {
  const plan = compile(program)
  if (E.isLeft(plan)) return plan
  const session = await launch(plan.right, { backend, inProcess: true })()
  if (E.isLeft(session)) return session
  try {
    const result = await session.right.run(values)()
    return E.isLeft(result) ? result : E.right(result.right.outputs)
  } finally {
    await session.right.close()
  }
}

export const right = <A>(result: E.Either<Fault, A>): A => E.isRight(result) ? result.right : assert.fail(sentence(result.left))

/** The result of a run on some layout, or undefined where the language refuses the layout. */
export const ifLegal = <A>(result: E.Either<Fault, A>, what: string): A | undefined => {
  if (E.isRight(result)) return result.right
  assert.equal(result.left.tag, 'Refused', `${what}: ${sentence(result.left)}`)
  return undefined
}
