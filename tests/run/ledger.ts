import { pipe } from 'fp-ts/lib/function.js'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { decodeWith } from '#lib/codec.ts'
import type { DType, Elements } from '#lib/dtype.ts'
import type { Fault } from '#lib/fault.ts'
import { call, input } from '#lib/kernel/expression.ts'
import { contiguous, elementsOf, type Kernel, type RankProgram, type View } from '#lib/kernel/kernel.ts'
import { type Box, pieceOf, sizesOf } from '#lib/layout/pieces.ts'
import type { TensorPort, Workload } from '#lib/run/workload.ts'

/**
 * A program written by hand that keeps parameters in every way there is: cut along either dim, held whole by all, held
 * whole by pairs of ranks, a single number, and with no elements. Each run adds `x` to every f32 parameter in place.
 */
const Ledger = t.strict({ ranks: t.number, rows: t.number, columns: t.number })
export type Ledger = t.TypeOf<typeof Ledger>

const port = (name: string, type: DType, sizes: readonly number[]): TensorPort => ({
  name,
  parameter: name !== 'x',
  type,
  dims: ['r', 'c'].slice(2 - sizes.length),
  sizes,
})

const x = port('x', 'f32', [])

export const parametersOf = ({ rows, columns }: Ledger): readonly TensorPort[] => [
  port('by row', 'f32', [rows, columns]),
  port('by column', 'f32', [rows, columns]),
  port('counts by row', 'i32', [rows, columns]),
  port('by pair', 'f32', [rows, columns]),
  port('whole', 'f32', [columns]),
  port('single', 'f32', []),
  port('empty', 'f32', [0, columns]),
]

/** The part of a tensor that a rank holds: ranks 0 and 1 are a pair, 2 and 3 are one, and so on. */
const boxOf = ({ ranks }: Ledger, { name, sizes }: TensorPort, rank: number): Box =>
  sizes.map((size, dim) => {
    if (name.endsWith('by row') && dim === 0) return pieceOf(size, ranks, rank)
    if (name === 'by column' && dim === 1) return pieceOf(size, ranks, rank)
    if (name === 'by pair' && dim === 0) return pieceOf(size, Math.ceil(ranks / 2), Math.floor(rank / 2))
    return { start: 0, size }
  })

const programOf = (given: Ledger, rank: number): RankProgram => {
  const held = [x, ...parametersOf(given)].map((tensor, buffer) => {
    const sizes = sizesOf(boxOf(given, tensor, rank))
    const view: View = { buffer, type: tensor.type, offset: 0, strides: contiguous(sizes) }
    return { name: tensor.name, parameter: tensor.parameter, sizes, view }
  })
  const changed = held.filter(({ parameter, view, sizes }) => parameter && view.type === 'f32' && elementsOf(sizes) > 0)
  return {
    rank,
    ranks: given.ranks,
    buffers: held.map(({ sizes }) => Math.max(1, elementsOf(sizes))),
    inputs: held,
    outputs: [],
    steps: changed.map(({ sizes, view }): Kernel => ({
      kind: 'map',
      sizes,
      origin: sizes.map(() => 0),
      expression: call('add', input(0), input(1)),
      inputs: [view, { buffer: 0, type: 'f32', offset: 0, strides: sizes.map(() => 0) }],
      output: view,
    })),
    labels: changed.map(({ name }) => `in add to ${name} at ledger.ts:1`),
  }
}

export const ledgerWorkload = (given: Ledger): Workload => ({
  hash: `ledger ${JSON.stringify(given)}`,
  ranks: given.ranks,
  inputs: [x, ...parametersOf(given)],
  outputs: [],
  programOf: (rank) => programOf(given, rank),
  boxOf: (tensor, rank) => boxOf(given, tensor, rank),
  encoded: given,
})

export const decodeLedger = (json: unknown): E.Either<Fault, Workload> => pipe(decodeWith('ledger', Ledger, json), E.map(ledgerWorkload))

/** Numbers that a careless copy would change: negative zero, the smallest and the largest, infinities. */
const delicate = [-0, 2 ** -149, -(2 ** -126), 3.4028234663852886e38, Infinity, -Infinity]

/** Values for every parameter, different from seed to seed; the plain ones are sixteenths, whose float32 sums are exact. */
export const valuesFor = (given: Ledger, seed: number): Readonly<Record<string, Elements>> =>
  Object.fromEntries(
    parametersOf(given).map(({ name, type, sizes }, at) => {
      const length = elementsOf(sizes)
      const elements = type === 'f32'
        ? Float32Array.from({ length }, (_, i) => delicate[(i + seed) % 11] ?? ((i * 37 + 101 * at + seed) % 1000) / 16)
        : Int32Array.from({ length }, (_, i) => Math.imul(i + 1, 0x9e3779b1 + seed))
      return [name, elements]
    }),
  )

/** What a run leaves of values, written down without any of the above. */
export const afterRun = (values: Readonly<Record<string, Elements>>, added: number): Readonly<Record<string, Elements>> =>
  Object.fromEntries(
    Object.entries(values).map((
      [name, elements],
    ) => [name, elements instanceof Float32Array ? elements.map((value) => value + Math.fround(added)) : elements]),
  )
