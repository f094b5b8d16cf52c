import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Backend, Executable } from '#backends/backend.ts'
import type { DType, Elements } from '#lib/dtype.ts'
import { type Combine, contiguous, elementsOf, type Exchange, type View } from '#lib/kernel/kernel.ts'
import { type Box, cutBox, intersect, pieceOf, sizesOf, volume } from '#lib/layout/pieces.ts'
import { assertClose, type Backends, left, openAll, program, randomElements, right, whole } from './support.ts'

let backends: Backends
before(async () => {
  backends = await openAll()
})
after(() => backends.close())

/** Runs one exchange between ranks that live side by side in this process. */
const exchange = async (ranks: readonly Executable[], exchanges: readonly Exchange[], shared = false): Promise<void> => {
  const sent = ranks.map(() => new Map<number, Uint8Array>())
  for (const [rank, executable] of ranks.entries()) {
    const parcels: number[] = []
    await right(executable.pack(0, (parcel, bytes) => {
      parcels.push(parcel)
      const copy = new Uint8Array(shared ? new SharedArrayBuffer(bytes.byteLength) : new ArrayBuffer(bytes.byteLength))
      copy.set(bytes)
      sent[rank]!.set(exchanges[rank]!.sends[parcel]!.peer, copy)
    }))
    assert.deepEqual(parcels, exchanges[rank]!.sends.map((_, parcel) => parcel))
  }
  for (const [rank, executable] of ranks.entries()) {
    await right(executable.unpack(0, (parcel) => sent[exchanges[rank]!.receives[parcel]!.peer]!.get(rank)!))
  }
}

const load = (backend: Backend, buffers: readonly number[], exchanges: readonly Exchange[]): Promise<Executable[]> =>
  Promise.all(exchanges.map((step, rank) => right(backend.load(program(buffers, [step], rank, exchanges.length)))))

/** The part `box` of a rank's own contiguous piece, as a view. */
const partOf = (buffer: number, type: DType, piece: Box, box: Box): View => {
  const strides = contiguous(sizesOf(piece))
  const offset = box.reduce((sum, range, dim) => sum + (range.start - piece[dim]!.start) * strides[dim]!, 0)
  return { buffer, type, offset: volume(box) === 0 ? 0 : offset, strides }
}

const pieces = (sizes: readonly number[], dim: number, ranks: number): readonly Box[] =>
  Array.from(
    { length: ranks },
    (_, rank) => sizes.map((size, d): Box[number] => d === dim ? pieceOf(size, ranks, rank) : { start: 0, size }),
  )

test('an all-to-all moves a tensor from one sharding to another, uneven and empty pieces included', async () => {
  const cases = fc.record({
    sizes: fc.array(fc.constantFrom(1, 2, 3, 4, 5, 8, 9), { minLength: 2, maxLength: 4 }),
    ranks: fc.constantFrom(1, 2, 3, 4),
    dims: fc.tuple(fc.nat(3), fc.nat(3)),
    type: fc.constantFrom<DType>('f32', 'i32', 'bool'),
    inPlace: fc.boolean(),
    shared: fc.boolean(),
    seed: fc.nat(),
  })
  await fc.assert(
    fc.asyncProperty(cases, async ({ sizes, ranks, dims, type, inPlace, shared, seed }) => {
      const [from, to] = dims.map((dim) => pieces(sizes, dim % sizes.length, ranks)) as [readonly Box[], readonly Box[]]
      const size = elementsOf(sizes)
      // In place: source and target are different parts of one buffer.
      const target = inPlace ? 0 : 1
      const base = inPlace ? size : 0
      const shifted = (view: View): View => ({ ...view, offset: view.offset + base })
      const others = (rank: number): number[] => from.map((_, peer) => peer).filter((peer) => peer !== rank)
      const exchanges = from.map((_, rank): Exchange => ({
        kind: 'exchange',
        name: 'all-to-all',
        signature: '',
        combine: 'place',
        sends: others(rank).map((peer) => {
          const box = intersect(from[rank]!, to[peer]!)
          return { peer, sizes: sizesOf(box), view: partOf(0, type, from[rank]!, box) }
        }),
        receives: others(rank).map((peer) => {
          const box = intersect(from[peer]!, to[rank]!)
          return { peer, sizes: sizesOf(box), view: shifted(partOf(target, type, to[rank]!, box)) }
        }),
        keeps: (() => {
          const box = intersect(from[rank]!, to[rank]!)
          return { sizes: sizesOf(box), from: partOf(0, type, from[rank]!, box), to: shifted(partOf(target, type, to[rank]!, box)) }
        })(),
      }))
      const tensor = randomElements(type, size, seed)
      for (const backend of [backends.reference, ...backends.webgpu]) {
        const executables = await load(backend, [2 * size, 2 * size], exchanges)
        for (const [rank, executable] of executables.entries()) {
          const piece = cutBox(tensor, sizes, from[rank]!)
          await right(executable.write(whole(0, type), [piece.length], piece))
        }
        await exchange(executables, exchanges, shared)
        for (const [rank, executable] of executables.entries()) {
          const expected = cutBox(tensor, sizes, to[rank]!)
          const actual = await right(executable.read(shifted(whole(target, type)), [expected.length]))
          assert.deepEqual(actual, expected)
          await executable.free()
        }
      }
    }),
    { numRuns: 25 },
  )
})

test('a combining exchange folds in rank order: every rank holds the same bits', async () => {
  const [ranks, rows, columns] = [4, 6, 10]
  const size = rows * columns
  const strides = { dense: [columns, 1], turned: [1, rows] }
  for (const combine of ['sum', 'max', 'min'] as const satisfies readonly Combine[]) {
    for (const lies of ['dense', 'turned'] as const) {
      const view = (buffer: number): View => ({ buffer, type: 'f32', offset: 0, strides: strides[lies] })
      const exchanges = Array.from({ length: ranks }, (_, rank): Exchange => {
        const parcels = Array.from({ length: ranks }, (_, peer) => peer).filter((peer) => peer !== rank)
        return {
          kind: 'exchange',
          name: 'all-reduce',
          signature: '',
          combine,
          sends: parcels.map((peer) => ({ peer, sizes: [rows, columns], view: view(0) })),
          receives: parcels.map((peer) => ({ peer, sizes: [rows, columns], view: view(1) })),
          keeps: { sizes: [rows, columns], from: view(0), to: view(1) },
        }
      })
      const parts = exchanges.map((_, rank) => randomElements('f32', size, 100 + rank) as Float32Array)
      const expected = parts[0]!.map((_, i) => {
        const values = parts.map((part) => part[i]!)
        return combine === 'sum' ? values.reduce((a, b) => a + b) : combine === 'max' ? Math.max(...values) : Math.min(...values)
      })
      for (const backend of [backends.reference, ...backends.webgpu]) {
        const executables = await load(backend, [size, size], exchanges)
        for (const [rank, executable] of executables.entries()) {
          await right(executable.write(whole(0, 'f32'), [size], parts[rank]!))
        }
        await exchange(executables, exchanges)
        const results: Elements[] = []
        for (const executable of executables) {
          results.push(await right(executable.read(whole(1, 'f32'), [size])))
          await executable.free()
        }
        for (const result of results) assert.deepEqual(result, results[0])
        assertClose(results[0]!, expected, 1e-6)
      }
    }
  }
})

test('large parcels go through reused staging buffers unharmed, also from shared memory', async () => {
  const size = 1_300_000 * 2 + 3
  const view = (buffer: number): View => ({ buffer, type: 'f32', offset: 0, strides: [1] })
  const exchanges = [0, 1].map((rank): Exchange => ({
    kind: 'exchange',
    name: 'swap',
    signature: '',
    combine: 'place',
    keeps: null,
    sends: [{ peer: 1 - rank, sizes: [size], view: view(0) }],
    receives: [{ peer: 1 - rank, sizes: [size], view: view(1) }],
  }))
  const backend = backends.webgpu[0]!
  const executables = await load(backend, [size, size], exchanges)
  const given = [0, 1].map((rank) => randomElements('f32', size, rank))
  for (let round = 0; round < 3; round++) {
    for (const [rank, executable] of executables.entries()) await right(executable.write(whole(0, 'f32'), [size], given[rank]!))
    await exchange(executables, exchanges, round === 1)
    for (const [rank, executable] of executables.entries()) {
      const actual = await right(executable.read(whole(1, 'f32'), [size]))
      assert.ok(Buffer.from(actual.buffer).equals(Buffer.from(given[1 - rank]!.buffer)))
    }
  }
  for (const executable of executables) await executable.free()
})

test('a parcel of the wrong length is a fault', async () => {
  const parcel = { peer: 1, sizes: [8], view: whole(0, 'f32') }
  const step: Exchange = {
    kind: 'exchange',
    name: 'x',
    signature: '',
    combine: 'place',
    keeps: null,
    sends: [],
    receives: [parcel],
  }
  for (const backend of [backends.reference, ...backends.webgpu]) {
    const executable = await right(backend.load(program([8], [step], 0, 2)))
    assert.equal((await left(executable.unpack(0, () => new Uint8Array(16)))).tag, 'Device')
    await executable.free()
  }
})
