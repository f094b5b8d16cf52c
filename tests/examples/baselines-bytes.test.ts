import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pieceOf } from '#lib/layout/pieces.ts'
import type { Plan, Program } from '#lib/mod.ts'
import type { Sizes } from '../../examples/video/model.ts'
import { inputsFor, runPlan } from '../lower/run-plan.ts'
import { baselines, onTwoAxes, planOf } from './baselines.ts'

/**
 * What a block of each baseline sends, counted by the links, against its closed form: with M bytes of activations on N ranks,
 * each rank sends, times (N-1)/N,
 *
 *                 DSP     Ulysses   Ring   Megatron
 *     forward     2 M/N   4 M/N     2 M    8 M          1 : 2 : N : 4N
 *     backward    2 M/N   4 M/N     4 M    8 M          1 : 2 : 2N : 4N, or 12 M and 6N
 *
 * An exchange's gradient is the exchange back: a switch's is the opposite switch, a gather's is a reduce-scatter and the other
 * way round, an all-reduce's is an all-reduce (the one before the sub-layer that the forward pass has none of). So backward is
 * as dear as forward, but for two. In a ring keys and values go round again, since nobody kept all of them, and their
 * gradients go round with them: twice the forward pass. And Megatron-LM gathers the inputs of its four column-cut layers once
 * more for the gradients of their weights, 4 M on top; we may keep them instead, and pay in memory.
 */
type Name = keyof typeof baselines
interface Programs {
  readonly forward: (on: string, sizes: Sizes) => Program
  readonly training: (on: string, sizes: Sizes) => Program
}

const even: Sizes = {
  batch: 1,
  frames: 12,
  rows: 4,
  columns: 6,
  width: 12,
  heads: 12,
  depth: 1,
  words: 3,
  captionWidth: 5,
  channels: 1,
  outputChannels: 1,
}
/** Nothing divides by 2 here, and four ranks share three heads. */
const uneven: Sizes = { ...even, frames: 11, rows: 5, columns: 7, heads: 3 }

// ---- closed forms --------------------------------------------------------------------------------------------------

type Bytes = (rank: number) => number

/** What a rank sends in each kind of exchange, whatever the sizes of pieces. */
const exchangesOf = ({ batch, frames, rows, columns, width, heads }: Sizes, ranks: number) => {
  const lengths = { t: frames, s: rows * columns, h: heads }
  const all = 4 * batch * frames * rows * columns * width
  type Dim = keyof typeof lengths
  const share = (dim: Dim, rank: number): number => pieceOf(lengths[dim], ranks, rank).size / lengths[dim]
  const others = (rank: number): readonly number[] => Array.from({ length: ranks }, (_, peer) => peer).filter((peer) => peer !== rank)
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
  return {
    /** Of its piece of `from`, to each rank that rank's piece of `to`. */
    switched: (from: Dim, to: Dim): Bytes => (rank) =>
      Math.round(all * sum(others(rank).map((peer) => share(from, rank) * share(to, peer)))),
    /** Its piece to every other rank. */
    gathered: (dim: Dim): Bytes => (rank) => Math.round(all * (ranks - 1) * share(dim, rank)),
    /** Its own piece and all that come to it but the last, to the next rank: all but the next rank's own. */
    goneRound: (dim: Dim): Bytes => (rank) => Math.round(all * (1 - share(dim, (rank + 1) % ranks))),
    /** Every other rank's piece of its own sum; and as much where such sums go round, each of them to its rank. */
    scattered: (dim: Dim): Bytes => (rank) => Math.round(all * sum(others(rank).map((peer) => share(dim, peer)))),
  }
}
const plus = (...parts: readonly Bytes[]): Bytes => (rank) => parts.reduce((sum, part) => sum + part(rank), 0)
const times = (count: number, part: Bytes): Bytes => (rank) => count * part(rank)

/** Bytes of a block in the forward pass, and of its activations' gradients in the backward pass. */
const closedForms = (name: Name, sizes: Sizes, ranks: number): { readonly forward: Bytes; readonly backward: Bytes } => {
  const { switched, goneRound, gathered, scattered } = exchangesOf(sizes, ranks)
  const twice = (both: Bytes) => ({ forward: both, backward: both })
  // There and back again. In the backward pass one tensor goes to the heads and three come back.
  const ulysses = (cut: 't' | 's') => ({
    forward: plus(times(3, switched(cut, 'h')), switched('h', cut)),
    backward: plus(switched(cut, 'h'), times(3, switched('h', cut))),
  })
  // Keys and values go round, and in the backward pass their gradients too.
  const ring = (cut: 't' | 's') => ({
    forward: times(2, goneRound(cut)),
    backward: plus(times(2, goneRound(cut)), times(2, scattered(cut))),
  })
  const subLayer = plus(gathered('t'), scattered('t'))
  switch (name) {
    case 'DSP':
    case 'DSP, branch switched':
      return twice(plus(switched('t', 's'), switched('s', 't')))
    case 'Ulysses, frames cut':
      return ulysses('t')
    case 'Ulysses, patches cut':
      return ulysses('s')
    case 'Ring Attention, frames cut':
      return ring('t')
    case 'Ring Attention, patches cut':
      return ring('s')
    case 'Megatron-LM, tensor parallel':
    case 'Megatron-SP':
      return twice(times(4, subLayer))
    case 'Megatron-SP, gathers repeated':
      return { forward: times(4, subLayer), backward: plus(times(4, subLayer), times(4, gathered('t'))) }
  }
}

// ---- what plans and links say --------------------------------------------------------------------------------------

/** The bytes that a rank sends in a plan's exchanges of some kind. */
type Moves = Extract<Plan['steps'][number], { readonly do: 'move' }>
const movesOf = (plan: Plan, keep: (move: Moves) => boolean): readonly Moves[] =>
  plan.steps.flatMap((step) => step.do === 'move' && step.bytes.some((bytes) => bytes > 0) && keep(step) ? [step] : [])
const bytesOf = (moves: readonly Moves[], rank: number): number => moves.reduce((sum, { bytes }) => sum + bytes[rank]!, 0)
/** Activations have frames and patches; what else is sent is gradients of parameters and of what all tokens share. */
const ofActivations = (plan: Plan) => ({ to }: Moves): boolean => /\bt:.*\bs:/.test(plan.values[to]!.spec)

/** Runs a program with some numbers, and gives back its plan and what the links counted. */
const counted = async (program: Program): Promise<{ readonly plan: Plan; readonly sent: readonly number[] }> => {
  const plan = planOf(program)
  const result = await runPlan(plan, inputsFor(plan))
  return { plan, sent: result.sent }
}

/** What one block adds: two blocks less one. */
const blockOf = async (of: (on: string, sizes: Sizes) => Program, on: string, sizes: Sizes) => {
  const [one, two] = [await counted(of(on, sizes)), await counted(of(on, { ...sizes, depth: 2 }))]
  const added = (keep: (plan: Plan) => (move: Moves) => boolean) => {
    const [less, more] = [movesOf(one.plan, keep(one.plan)), movesOf(two.plan, keep(two.plan))]
    return (rank: number): number => bytesOf(more, rank) - bytesOf(less, rank)
  }
  const names = (phase: Moves['phase']): Readonly<Record<string, number>> => {
    const count: Record<string, number> = {}
    for (const [sign, { plan }] of [[1, two], [-1, one]] as const) {
      for (const { name } of movesOf(plan, (move) => move.phase === phase && ofActivations(plan)(move))) {
        count[name] = (count[name] ?? 0) + sign
      }
    }
    return Object.fromEntries(Object.entries(count).filter(([, exchanges]) => exchanges !== 0))
  }
  return { sent: two.sent.map((bytes, rank) => bytes - one.sent[rank]!), added, names }
}

/** The exchanges of a block, by DSP's names for them. */
const namesOf = (name: Name, ranks: number): { readonly forward: object; readonly backward: object } => {
  const twice = (both: object) => ({ forward: both, backward: both })
  switch (name) {
    case 'Ring Attention, frames cut':
    case 'Ring Attention, patches cut':
      // The gradients of keys and of values go in one.
      return { forward: { ring: 2 * (ranks - 1) }, backward: { ring: 3 * (ranks - 1) } }
    case 'Megatron-LM, tensor parallel':
      // On more than two ranks an all-reduce is made of a reduce-scatter and an all-gather.
      return twice(ranks === 2 ? { reduce: 4 } : { 'reduce and split': 4, gather: 4 })
    case 'Megatron-SP':
      return twice({ gather: 4, 'reduce and split': 4 })
    case 'Megatron-SP, gathers repeated':
      return { forward: { gather: 4, 'reduce and split': 4 }, backward: { gather: 8, 'reduce and split': 4 } }
    default:
      // Of Ulysses too: queries, keys and values go in one.
      return twice({ switch: 2 })
  }
}

/** Those of the table; the others are variants of them, and are looked at on one number of ranks each. */
const ofTheTable: readonly Name[] = ['DSP', 'Ulysses, frames cut', 'Ring Attention, frames cut', 'Megatron-SP']

for (const [title, programs] of Object.entries<Programs>(baselines)) {
  const name = title as Name
  describe(`bytes of a block: ${name}`, () => {
    for (const [what, sizes, counts] of [['even', even, ofTheTable.includes(name) ? [2, 3, 4] : [3]], ['uneven', uneven, [4]]] as const) {
      for (const ranks of counts) {
        it(`${what} pieces on ${ranks} ranks: the links count the closed form`, async () => {
          const { forward, backward } = closedForms(name, sizes, ranks)
          const alone = await blockOf(programs.forward, `sp=${ranks}`, sizes)
          const { sent, added, names } = await blockOf(programs.training, `sp=${ranks}`, sizes)
          const parameters = added((plan) => (move) => !ofActivations(plan)(move))
          for (let rank = 0; rank < ranks; rank++) {
            assert.equal(alone.sent[rank], forward(rank), `forward, rank ${rank}`)
            assert.equal(sent[rank]! - parameters(rank), forward(rank) + backward(rank), `forward and backward, rank ${rank}`)
          }
          assert.deepEqual(alone.names('forward'), namesOf(name, ranks).forward)
          assert.deepEqual(names('forward'), namesOf(name, ranks).forward)
          assert.deepEqual(names('backward'), namesOf(name, ranks).backward)
        })
      }
    }
  })
}

describe('bytes of a block that is recomputed', () => {
  for (const name of ofTheTable) {
    it(`${name}: what the forward pass sends, once more`, () => {
      const ranks = 3
      const recomputed = (depth: number): Bytes => {
        const plan = planOf(baselines[name].training(`sp=${ranks}`, { ...even, depth }, { recompute: true }))
        return (rank) => bytesOf(movesOf(plan, ({ phase }) => phase === 'recompute'), rank)
      }
      const [one, two] = [recomputed(1), recomputed(2)]
      for (let rank = 0; rank < ranks; rank++) assert.equal(two(rank) - one(rank), closedForms(name, even, ranks).forward(rank))
    })
  }
})

describe('bytes of a block on two axes', () => {
  const sizes = { ...even, frames: 4 }
  const local = (ranks: number): number => (4 * sizes.batch * sizes.frames * sizes.rows * sizes.columns * sizes.width) / ranks

  for (const [a, b] of [[2, 2], [4, 2], [2, 4]] as const) {
    const on = `frames=${a} patches=${b}`
    it(`DSP, ${on}: two switches over frames; over patches, whichever way to the heads is cheaper, and the way back`, async () => {
      const { sent, names } = await blockOf(onTwoAxes['DSP on two axes'].forward, on, sizes)
      const toHeads = Math.min(3 * (1 - 1 / b), b - 1)
      for (const bytes of sent) assert.equal(bytes, local(a * b) * (2 * (1 - 1 / a) + toHeads + (1 - 1 / b)))
      assert.deepEqual(names('forward'), b === 2 ? { switch: 3, gather: 1 } : { switch: 4 })
    })
  }

  for (const [a, b] of [[2, 2], [3, 2], [2, 3]] as const) {
    const on = `ring=${a} ulysses=${b}`
    it(`USP, ${on}: Ulysses' four exchanges over one axis, and keys and values round the other`, async () => {
      const { sent, names } = await blockOf(onTwoAxes['USP, Ulysses and Ring'].forward, on, sizes)
      for (const bytes of sent) assert.equal(bytes, Math.round(local(a * b) * (4 * (1 - 1 / b) + 2 * (a - 1))))
      assert.deepEqual(names('forward'), { switch: 2, ring: 2 * (a - 1) })
    })
  }
})
