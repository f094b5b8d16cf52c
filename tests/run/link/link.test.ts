import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import fc from 'fast-check'
import { type Fault, sentence } from '#lib/fault.ts'
import { capacityFor } from '#lib/run/link/arena.ts'
import type { Link, Message, Step } from '#lib/run/link/link.ts'
import { openers, right, type World } from './links.ts'

/** One round: bytes from each rank to each other one. */
type Round = readonly (readonly number[])[]

const byteAt = (round: number, from: number, to: number, i: number): number => (round * 31 + from * 7 + to * 3 + i) & 255

const step = (sequence: number, name = 'all-to-all', signature = 'same'): Step => ({
  sequence,
  name,
  signature,
  label: '',
})

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Takes part in a round; every byte sent says where it comes from, every byte received is checked. */
const meet = (link: Link, sequence: number, sends: readonly Message[], receives: readonly Message[]) => {
  const at = new Map<number, number>()
  const advance = (peer: number, bytes: number): number => {
    const start = at.get(peer) ?? 0
    at.set(peer, start + bytes)
    return start
  }
  return link.exchange(
    step(sequence),
    sends,
    receives,
    (outgoing) => async () => {
      for (const [i, { peer, bytes }] of sends.entries()) {
        const start = advance(peer, bytes)
        const target = outgoing(i)
        assert.equal(target.byteLength, bytes)
        for (let k = 0; k < bytes; k++) target[k] = byteAt(sequence, link.rank, peer, start + k)
      }
      return E.right(undefined)
    },
    (incoming) => async () => {
      at.clear()
      for (const [i, { peer, bytes }] of receives.entries()) {
        const start = advance(peer, bytes)
        const source = incoming(i)
        assert.equal(source.byteLength, bytes)
        for (let k = 0; k < bytes; k++) assert.equal(source[k], byteAt(sequence, peer, link.rank, start + k))
      }
      return E.right(undefined)
    },
  )
}

const partsOf = (round: Round, rank: number, direction: 'from' | 'to', split: boolean): readonly Message[] =>
  round.flatMap((row, peer) => {
    if (peer === rank) return []
    const bytes = direction === 'from' ? round[rank]![peer]! : row[rank]!
    return split && bytes > 8 ? [{ peer, bytes: 8 }, { peer, bytes: bytes - 8 }] : [{ peer, bytes }]
  })

const sentBy = (rounds: readonly Round[], rank: number, peer: number): number =>
  rounds.reduce((sum, round) => sum + (peer === rank ? 0 : round[rank]![peer]!), 0)

const roundsOf = (ranks: number): fc.Arbitrary<readonly Round[]> => {
  const size = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300 }).map((n) => 4 * n), fc.constant(70_000))
  const row = fc.array(size, { minLength: ranks, maxLength: ranks })
  return fc.array(fc.array(row, { minLength: ranks, maxLength: ranks }), { minLength: 1, maxLength: 8 })
}

const open = async (link: string, ranks: number, capacity: number, timeout = 20_000): Promise<World> =>
  openers[link]!(ranks, capacity, timeout)

const idle = (): TE.TaskEither<Fault, void> => TE.right(undefined)
const both = (peers: readonly number[], bytes: number): readonly Message[] => peers.map((peer) => ({ peer, bytes }))

const leftOf = (result: E.Either<Fault, void>): Fault => {
  assert.ok(E.isLeft(result), 'expected a fault')
  return result.left
}

for (const link of Object.keys(openers)) {
  for (const ranks of [1, 2, 3, 5]) {
    test(`${link}, ${ranks} ranks: every byte arrives and is counted, whatever the sizes and the pace`, async () => {
      await fc.assert(
        fc.asyncProperty(
          roundsOf(ranks),
          fc.boolean(),
          fc.array(fc.nat(3), { minLength: 5 }),
          async (rounds, split, pace) => {
            const capacity = Math.max(...rounds.flatMap((round) => round.map((row) => capacityFor(row))))
            const world = await open(link, ranks, capacity)
            try {
              await Promise.all(
                world.links.map(async (end, rank) => {
                  for (const [i, round] of rounds.entries()) {
                    if (pace[(i + rank) % pace.length] === 0) await pause(1)
                    const sends = partsOf(round, rank, 'from', split)
                    right(await meet(end, i + 1, sends, partsOf(round, rank, 'to', !split))())
                  }
                }),
              )
              for (const [rank, end] of world.links.entries()) {
                for (let peer = 0; peer < ranks; peer++) assert.equal(end.sent.toPeer(peer), sentBy(rounds, rank, peer))
                const total = world.links.reduce((sum, _, peer) => sum + sentBy(rounds, rank, peer), 0)
                assert.equal(end.sent.total(), total)
              }
            } finally {
              await world.close()
            }
          },
        ),
        { numRuns: 12 },
      )
    })
  }

  test(`${link}: a sender with nothing to receive doesn't overrun a slow receiver`, async () => {
    const world = await open(link, 2, 4096)
    const round: Round = [[0, 4096], [0, 0]]
    await Promise.all(
      world.links.map(async (end, rank) => {
        for (let i = 1; i <= 40; i++) {
          if (rank === 1) await pause(1)
          const [sends, receives] = [partsOf(round, rank, 'from', false), partsOf(round, rank, 'to', false)]
          right(await meet(end, i, sends, receives)())
        }
      }),
    )
    await world.close()
  })

  test(`${link}: ranks in different collectives name both, and nothing is unpacked`, async () => {
    const world = await open(link, 2, 4096)
    let unpacked = 0
    const results = await Promise.all(
      world.links.map((end, rank) =>
        end.exchange(
          {
            sequence: 1,
            name: rank === 0 ? 'all-to-all' : 'all-gather',
            signature: 's',
            label: rank === 0 ? '' : '#1 all-gather of w',
          },
          both([1 - rank], 64),
          both([1 - rank], 64),
          idle,
          () => async () => {
            unpacked++
            return E.right(undefined)
          },
        )()
      ),
    )
    assert.equal(unpacked, 0)
    assert.equal(
      sentence(leftOf(results[0]!)),
      'rank 1 is at #1 all-gather of w, but rank 0 is at #1 all-to-all: all ranks must run the same plan',
    )
    assert.equal(leftOf(results[1]!).tag, 'Mismatch')
    await world.close()
  })

  test(`${link}: the same collective of another layout is a mismatch`, async () => {
    const world = await open(link, 2, 4096)
    const results = await Promise.all(
      world.links.map((end, rank) =>
        end.exchange(step(1, 'all-to-all', `${rank}`), both([1 - rank], 64), both([1 - rank], 64), idle, idle)()
      ),
    )
    assert.match(sentence(leftOf(results[0]!)), /rank 1 is at #1 all-to-all \(exchange 1, signature \w+\), but rank 0 /)
    await world.close()
  })

  test(`${link}: a message of another size is a mismatch`, async () => {
    const world = await open(link, 2, 4096)
    const results = await Promise.all(
      world.links.map((end, rank) => end.exchange(step(1), both([1 - rank], 64 + rank * 4), both([1 - rank], 64), idle, idle)()),
    )
    assert.match(
      sentence(leftOf(results[0]!)),
      /rank 1 is at .* with 68 bytes for rank 0, but rank 0 .* expects 64 bytes/,
    )
    await world.close()
  })

  test(`${link}: abort ends the exchange of every rank with its message, and all later ones`, async () => {
    const world = await open(link, 3, 4096)
    const waiting = world.links
      .slice(1)
      .map((end) => end.exchange(step(1), both([0], 8), both([0], 8), idle, idle)())
    await pause(20)
    world.links[0]!.abort('rank 0 has had enough')
    for (const result of await Promise.all(waiting)) {
      assert.deepEqual(leftOf(result), { tag: 'Closed', message: 'rank 0 has had enough' })
    }
    const later = await world.links[1]!.exchange(step(2), both([2], 8), both([2], 8), idle, idle)()
    assert.deepEqual(leftOf(later), { tag: 'Closed', message: 'rank 0 has had enough' })
    await world.close()
  })

  test(`${link}: a pause is as long as asked for, and an abort ends it`, async () => {
    const world = await open(link, 2, 4096)
    const began = performance.now()
    assert.equal(await world.links[1]!.pause(20), null)
    assert.ok(performance.now() - began > 19)
    const pausing = world.links[1]!.pause(60_000)
    await pause(20)
    world.links[0]!.abort('rank 0 has had enough')
    assert.deepEqual(await pausing, { tag: 'Closed', message: 'rank 0 has had enough' })
    assert.ok(performance.now() - began < 10_000)
    await world.close()
  })

  test(`${link}: a rank that never comes is a timeout that names it`, async () => {
    const world = await open(link, 3, 4096, 150)
    const peersOf = (rank: number): readonly number[] => [0, 1, 2].filter((peer) => peer !== rank)
    const results = await Promise.all(
      [0, 1].map((rank) => world.links[rank]!.exchange(step(1), both(peersOf(rank), 8), both(peersOf(rank), 8), idle, idle)()),
    )
    for (const [rank, result] of results.entries()) {
      assert.equal(sentence(leftOf(result)), `rank ${rank} waited 150 ms for rank 2 in #1 all-to-all and gave up`)
    }
    await world.close()
  })

  test(`${link}: a fault of the packing rank passes through`, async () => {
    const world = await open(link, 2, 4096)
    const fault: Fault = { tag: 'Device', message: 'lost' }
    const result = await world.links[0]!.exchange(step(1), both([1], 8), both([1], 8), () => TE.left(fault), idle)()
    assert.deepEqual(leftOf(result), fault)
    await world.close()
  })
}
