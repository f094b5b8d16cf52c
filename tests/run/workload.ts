import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { type Backend, type BackendName, type Executable, openBackend } from '#backends/mod.ts'
import { decodeWith } from '#lib/codec.ts'
import { device, type Fault } from '#lib/fault.ts'
import { call, fold, input } from '#lib/kernel/expression.ts'
import { contiguous, type Exchange, type Kernel, type Parcel, type Port, type RankProgram, type View } from '#lib/kernel/kernel.ts'
import { type Box, pieceOf } from '#lib/layout/pieces.ts'
import type { TensorPort, Workload } from '#lib/run/workload.ts'

/**
 * A program written by hand, so that running can be tested without the compiler: it adds, moves rows to columns by an
 * all-to-all, squares, and sums over the columns by reduce-scatter and all-gather, and takes the largest by all-reduce.
 */
const Recipe = t.strict({
  ranks: t.number,
  rows: t.number,
  columns: t.number,
  hash: t.string,
  misdeed: t.union([
    t.null,
    t.strict({
      what: t.keyof({
        throw: null,
        reject: null,
        exit: null,
        lost: null,
        spin: null,
        sleep: null,
        slow: null,
        other: null,
        hash: null,
      }),
      rank: t.number,
      step: t.number,
    }),
  ]),
})
export type Recipe = t.TypeOf<typeof Recipe>
export type Misdeed = NonNullable<Recipe['misdeed']>

export const recipe = (ranks: number, rows: number, columns: number, misdeed: Misdeed | null = null): Recipe => ({
  ranks,
  rows,
  columns,
  misdeed,
  hash: `hand-made ${ranks} ${rows} ${columns}`,
})

const port = (name: string, parameter: boolean, sizes: readonly number[], dims: readonly string[]): TensorPort => ({
  name,
  parameter,
  sizes,
  dims,
  type: 'f32',
})

export const workloadOf = (given: Recipe): Workload => {
  const { ranks, rows, columns } = given
  const cut: Readonly<Record<string, number | null>> = { x: 0, moved: 1, sums: 0 }
  return {
    hash: given.hash,
    ranks,
    inputs: [port('x', false, [rows, columns], ['r', 'c']), port('w', true, [columns], ['c'])],
    outputs: [
      port('moved', false, [rows, columns], ['r', 'c']),
      port('sums', false, [rows], ['r']),
      port('all sums', false, [rows], ['r']),
      port('largest', false, [rows], ['r']),
    ],
    programOf: (rank) => programOf(given, rank),
    boxOf: ({ name, sizes }, rank): Box => sizes.map((size, dim) => dim === cut[name] ? pieceOf(size, ranks, rank) : { start: 0, size }),
    encoded: given,
  }
}

export const decodeRecipe = (json: unknown): E.Either<Fault, Workload> =>
  pipe(
    decodeWith('recipe', Recipe, json),
    E.map((given) => workloadOf(given)),
  )

const programOf = (given: Recipe, rank: number): RankProgram => {
  const { ranks, rows, columns, misdeed } = given
  const rowsOf = (of: number) => pieceOf(rows, ranks, of)
  const columnsOf = (of: number) => pieceOf(columns, ranks, of)
  const [mine, wide] = [rowsOf(rank).size, columnsOf(rank).size]
  const view = (buffer: number, strides: readonly number[], offset = 0): View => ({
    buffer,
    type: 'f32',
    strides,
    offset,
  })
  const peers = Array.from({ length: ranks }, (_, peer) => peer).filter((peer) => peer !== rank)
  const parcels = (part: (peer: number) => Omit<Parcel, 'peer'>): readonly Parcel[] => peers.map((peer) => ({ peer, ...part(peer) }))
  const exchange = (name: string, parts: Omit<Exchange, 'kind' | 'name' | 'signature'>): Exchange => {
    const isOther = misdeed?.what === 'other' && misdeed.rank === rank && name === 'all-gather'
    return { kind: 'exchange', name: isOther ? 'all-reduce' : name, signature: `${rows}x${columns}`, ...parts }
  }
  const reduce = (combine: 'sum' | 'max', from: number, to: number): Kernel => ({
    kind: 'row',
    outer: [rows],
    inner: [wide],
    origin: [0, 0],
    per: 'row',
    inputs: [view(from, [wide, 1])],
    folds: [{ combine, expression: input(0) }],
    result: fold(0),
    output: view(to, [1, 0]),
  })

  const steps: readonly [string, Kernel | Exchange][] = [
    ['in add at hand.ts:1', {
      kind: 'map',
      sizes: [mine, columns],
      origin: [0, 0],
      expression: call('add', input(0), input(1)),
      inputs: [view(0, [columns, 1]), view(1, [0, 1])],
      output: view(2, [columns, 1]),
    }],
    [
      'in the all-to-all r→c for hand.ts:2',
      exchange('all-to-all', {
        sends: parcels((peer) => ({
          sizes: [mine, columnsOf(peer).size],
          view: view(2, [columns, 1], columnsOf(peer).start),
        })),
        receives: parcels((peer) => ({
          sizes: [rowsOf(peer).size, wide],
          view: view(3, [wide, 1], rowsOf(peer).start * wide),
        })),
        keeps: {
          sizes: [mine, wide],
          from: view(2, [columns, 1], columnsOf(rank).start),
          to: view(3, [wide, 1], rowsOf(rank).start * wide),
        },
        combine: 'place',
      }),
    ],
    ['in square at hand.ts:3', {
      kind: 'map',
      sizes: [rows, wide],
      origin: [0, 0],
      expression: call('multiply', input(0), input(0)),
      inputs: [view(3, [wide, 1])],
      output: view(4, [wide, 1]),
    }],
    ['in sum at hand.ts:4', reduce('sum', 4, 5)],
    [
      'in the reduce-scatter c→r for hand.ts:4',
      exchange('reduce-scatter', {
        sends: parcels((peer) => ({ sizes: [rowsOf(peer).size], view: view(5, [1], rowsOf(peer).start) })),
        receives: parcels(() => ({ sizes: [mine], view: view(6, [1]) })),
        keeps: { sizes: [mine], from: view(5, [1], rowsOf(rank).start), to: view(6, [1]) },
        combine: 'sum',
      }),
    ],
    [
      'in the all-gather r for hand.ts:5',
      exchange('all-gather', {
        sends: parcels(() => ({ sizes: [mine], view: view(6, [1]) })),
        receives: parcels((peer) => ({ sizes: [rowsOf(peer).size], view: view(7, [1], rowsOf(peer).start) })),
        keeps: { sizes: [mine], from: view(6, [1]), to: view(7, [1], rowsOf(rank).start) },
        combine: 'place',
      }),
    ],
    ['in max at hand.ts:6', reduce('max', 3, 8)],
    [
      'in the all-reduce max for hand.ts:6',
      exchange('all-reduce', {
        sends: parcels(() => ({ sizes: [rows], view: view(8, [1]) })),
        receives: parcels(() => ({ sizes: [rows], view: view(9, [1]) })),
        keeps: { sizes: [rows], from: view(8, [1]), to: view(9, [1]) },
        combine: 'max',
      }),
    ],
  ]
  const at = (name: string, buffer: number, sizes: readonly number[], parameter = false): Port => ({
    name,
    parameter,
    sizes,
    view: view(buffer, contiguous(sizes)),
  })
  return {
    rank,
    ranks,
    buffers: [mine * columns, columns, mine * columns, rows * wide, rows * wide, rows, mine, rows, rows, rows].map((
      n,
    ) => Math.max(1, n)),
    inputs: [at('x', 0, [mine, columns]), at('w', 1, [columns], true)],
    outputs: [at('moved', 3, [rows, wide]), at('sums', 6, [mine]), at('all sums', 7, [rows]), at('largest', 9, [rows])],
    steps: steps.map(([, step]) => step),
    labels: steps.map(([label]) => label),
  }
}

/** What comes out, written down without any of the above. */
export const expected = ({ rows, columns }: Recipe, x: Float32Array, w: Float32Array) => {
  const moved = x.map((value, i) => value + w[i % columns]!)
  const row = (i: number) => moved.subarray(i * columns, (i + 1) * columns)
  const sums = Float32Array.from({ length: rows }, (_, i) => row(i).reduce((sum, value) => sum + value * value, 0))
  return { moved, sums, 'all sums': sums, largest: Float32Array.from({ length: rows }, (_, i) => Math.max(...row(i))) }
}

/** The bytes that a rank sends, in closed form. */
export const expectedBytes = ({ ranks, rows, columns }: Recipe, rank: number): number => {
  const mine = pieceOf(rows, ranks, rank).size
  const wide = pieceOf(columns, ranks, rank).size
  return 4 * (mine * (columns - wide) + (rows - mine) + (ranks - 1) * mine + (ranks - 1) * rows)
}

/** Small whole numbers, so that float32 sums are exact in any order. */
export const tensorsFor = ({ rows, columns }: Recipe, seed = 0) => ({
  x: Float32Array.from({ length: rows * columns }, (_, i) => ((i * 7 + seed * 13) % 11) - 5),
  w: Float32Array.from({ length: columns }, (_, i) => (i % 5) - 2),
})

/** The reference backend, with the misdeed of the recipe done at its step. */
export const misbehaving = (misdeed: Misdeed | null) => (name: BackendName): TE.TaskEither<Fault, Backend> =>
  pipe(
    openBackend(name),
    TE.map((backend): Backend => ({
      ...backend,
      load: (program) =>
        pipe(
          backend.load(program),
          TE.map((executable) => misdeed?.rank === program.rank ? spoil(executable, misdeed) : executable),
        ),
    })),
  )

const spoil = (executable: Executable, { what, step }: Misdeed): Executable => {
  const commit = (): TE.TaskEither<Fault, void> => {
    switch (what) {
      case 'throw':
        throw new Error('a kernel went wrong')
      case 'reject':
        void Promise.reject(new Error('nobody awaited this'))
        return () => new Promise(() => undefined)
      case 'exit':
        process.stderr.write('something odd happened\n')
        return process.exit(7)
      case 'lost':
        return TE.left(device('the device was lost: out of memory'))
      case 'spin':
        for (;;);
      case 'slow': {
        const end = performance.now() + 1500
        while (performance.now() < end);
        return TE.right(undefined)
      }
      case 'sleep':
        return () => new Promise(() => undefined)
      default:
        return TE.right(undefined)
    }
  }
  return {
    ...executable,
    run: (from, to) => from <= step && step < to ? pipe(executable.run(from, to), TE.chain(commit)) : executable.run(from, to),
    pack: (at, deliver) => at === step ? pipe(TE.fromIO(() => undefined), TE.chain(commit)) : executable.pack(at, deliver),
  }
}
