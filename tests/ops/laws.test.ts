import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import type { Elements } from '#lib/dtype.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { threefry } from '#lib/kernel/scalar.ts'
import { type AnyTensor, compile, input, launch, layout, mesh, program, type Tensor } from '#lib/mod.ts'
import { type At, type Field, type Law, laws, sizeOf, threefryInBigInts } from './laws.ts'

/**
 * One suite of laws for every op: its result is what a formula of its own says, in float64 and on the GPU; cut in every
 * legal way over every small mesh, uneven pieces and ranks without any included, it is the same; and what can't be cut
 * is refused.
 */
const names = (dims: string): readonly string[] => dims.split(' ').map((part) => part.split(':')[0]!)

/** Values that differ from one another and are the same in every run. */
const valuesOf = ({ dims, type = 'f32', range = type === 'f32' ? [-2, 2] : [0, 1] }: Law['inputs'][string], seed: number): Elements => {
  const count = names(dims).reduce((product, name) => product * sizeOf(dims, name), 1)
  const [least, most] = range
  const uniform = (i: number): number => threefry(seed, i) * 2 ** -32
  return type === 'f32'
    ? Float32Array.from({ length: count }, (_, i) => least + (most - least) * uniform(i))
    : Int32Array.from({ length: count }, (_, i) => least + Math.floor((most - least + 1) * uniform(i)))
}

const fieldOf = (dims: string, elements: Elements): Field => (at) =>
  elements[names(dims).reduce((index, name) => index * sizeOf(dims, name) + at[name]!, 0)]!

const positions = (dims: string): readonly At[] =>
  names(dims).reduce<readonly At[]>(
    (all, name) => all.flatMap((at) => Array.from({ length: sizeOf(dims, name) }, (_, i) => ({ ...at, [name]: i }))),
    [{}],
  )

type Cuts = Readonly<Record<string, string>>

/** The law as a program: inputs cut as said, the result whole. */
const programOf = (law: Law, on: string, cuts: Cuts) => {
  const inputs = Object.fromEntries(
    Object.entries(law.inputs).map(([name, { dims, type = 'f32' }]) => [
      name,
      input(
        dims.split(' ').map((part) =>
          cuts[`${name}.${part.split(':')[0]}`] === undefined ? part : `${part}@${cuts[`${name}.${part.split(':')[0]}`]}`
        ).join(' '),
        type,
      ),
    ]),
  )
  return program('law', mesh(on), inputs, (tensors) => {
    const result = law.apply(tensors as unknown as Record<string, Tensor>)
    return (layout('') as unknown as (x: AnyTensor) => AnyTensor)(result)
  })
}

const run = async (
  law: Law,
  on: string,
  cuts: Cuts,
  values: Readonly<Record<string, Elements>>,
  backend: 'reference' | 'webgpu',
): Promise<E.Either<Fault, Elements>> => {
  const plan = compile(programOf(law, on, cuts))
  if (E.isLeft(plan)) return plan
  const session = await launch(plan.right, { backend, inProcess: true })()
  if (E.isLeft(session)) return session
  try {
    const result = await session.right.run(values)()
    return E.isLeft(result) ? result : E.right(result.right.outputs['output']!)
  } finally {
    await session.right.close()
  }
}

const close = (got: Elements, wanted: ArrayLike<number>, tolerance: number, what: string): void => {
  assert.equal(got.length, wanted.length, what)
  for (let i = 0; i < got.length; i++) {
    const difference = Math.abs(got[i]! - wanted[i]!)
    assert.ok(difference <= tolerance * Math.max(1, Math.abs(wanted[i]!)), `${what}: element ${i} is ${got[i]}, not ${wanted[i]}`)
  }
}

const right = (result: E.Either<Fault, Elements>): Elements => E.isRight(result) ? result.right : assert.fail(sentence(result.left))

/** Every way of cutting the inputs by one axis: each input whole or cut along one of its dims. */
const everyCut = (law: Law, axis: string): readonly Cuts[] =>
  Object.entries(law.inputs).reduce<readonly Cuts[]>(
    (all, [name, { dims }]) => all.flatMap((cuts) => [cuts, ...names(dims).map((dim) => ({ ...cuts, [`${name}.${dim}`]: axis }))]),
    [{}],
  )

/** Some ways of cutting them by two axes: every pair of one-axis ways that don't meet in a dim, thinned out. */
const pairedCuts = (law: Law): readonly Cuts[] => {
  const pairs = everyCut(law, 'a').flatMap((first) => everyCut(law, 'b').map((second) => ({ first, second })))
    .filter(({ first, second }) => Object.keys(first).every((place) => second[place] === undefined))
  const step = Math.max(1, Math.floor(pairs.length / 12))
  return pairs.filter((_, i) => i % step === 0).map(({ first, second }) => ({ ...first, ...second }))
}

const files = readdirSync(fileURLToPath(new URL('../../ops/', import.meta.url)))
  .filter((file) => file.endsWith('.ts') && file !== 'mod.ts').map((file) => file.slice(0, -3)).sort()

describe('laws of ops', () => {
  it('are there for every file in ops, and for nothing else', () => {
    assert.deepEqual(Object.keys(laws).sort(), files)
  })

  it('rest on a known answer of the random generator', () => {
    // Random123's known answer test for threefry2x32 with 20 rounds, key 0, counter 0: 6b200159 99ba4efe.
    assert.equal(threefry(0, 0), 0x6b200159)
    assert.equal(threefryInBigInts(0, 0), 0x6b200159)
  })

  for (const file of files) {
    it(file, async () => {
      for (const [number, law] of laws[file]!.entries()) {
        const values = Object.fromEntries(Object.entries(law.inputs).map(([name, given], i) => [name, valuesOf(given, 7 * number + i + 1)]))
        const fields = Object.fromEntries(Object.entries(law.inputs).map(([name, { dims }]) => [name, fieldOf(dims, values[name]!)]))
        const wanted = positions(law.dims).map((at) => law.result(fields, at))
        const what = `${file} #${number + 1}`

        close(right(await run(law, '', {}, values, 'reference')), wanted, 1e-6, `${what} on the reference`)
        close(right(await run(law, '', {}, values, 'webgpu')), wanted, 5e-5, `${what} on WebGPU`)

        let legal = 0
        for (const [on, ways] of [['a=2', everyCut(law, 'a')], ['a=3', everyCut(law, 'a')], ['a=2 b=2', pairedCuts(law)]] as const) {
          for (const cuts of ways) {
            const result = await run(law, on, cuts, values, 'reference')
            if (E.isLeft(result)) {
              assert.equal(result.left.tag, 'Refused', `${what} on ${on}, ${JSON.stringify(cuts)}: ${sentence(result.left)}`)
            } else {
              if (Object.keys(cuts).length > 0) legal++
              close(result.right, wanted, 1e-6, `${what} on ${on}, ${JSON.stringify(cuts)}`)
            }
          }
        }
        assert.ok(legal > 0, `${what}: no cut at all is legal`)
      }
    })
  }
})
