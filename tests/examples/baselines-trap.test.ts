import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, type Tensor } from '#lib/mod.ts'
import { gelu, linear, merge, multiply, selfAttention, split, unstack } from '#ops/mod.ts'
import { attend, attendTo, type Block, modulated, modulation, out, type Programs, programsOf } from '../../examples/baselines/model.ts'
import { readGolden, relativeError } from '../../examples/video/golden.ts'
import type { Sizes } from '../../examples/video/model.ts'
import { right } from '../lower/run-plan.ts'
import { inPatches, runOnce } from './baselines.ts'
import { named } from './golden-training.ts'

/**
 * A trap that a baseline fell into. Open-Sora 1.0 cut frames over the ranks and ran both attentions through Ulysses' exchange,
 * which turns "some positions of a sequence, all heads" into "all positions, some heads". Its sequence was an axis of a
 * tensor without names: in attention over time the cut axis, as meant, but in attention over patches the patches' axis,
 * which was whole already. So the patches of frames of different ranks were strung together, N·S of them, and attended to
 * each other (hpcaitech/Open-Sora, issue 296): other numbers, and N times the work.
 *
 * Here it can't happen unseen. An exchange is a layout of named dims, and changes no numbers: `h@sp` around attention over
 * patches is right, only needless. To get the wrong model one must write it: split the frames' dim, merge a part of it with
 * the patches', and attend over the result. Below are both.
 */
type Stream = Tensor<`b:${number} t:${number}@sp s:${number} e:${number}`>

/** A block after attention over patches: Ulysses around attention over time. */
const rest: Block<Stream> = (w, { time, words, position }) => {
  const [, , gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  const inTime = [layout('t@sp'), linear(w.temporal.qkv, 'e'), layout('h@sp'), attend('t'), layout('t@sp')] as const
  return (x) =>
    pipe(
      x,
      residual(position, ...inTime, out(w.temporal.out, 'h d'), multiply(gate1)),
      residual(linear(w.cross.q, 'e'), attendTo(keys, values), out(w.cross.out, 'h d')),
      residual(modulated(shift2, scale2), linear(w.mlp.fc1, 'e'), gelu, out(w.mlp.fc2, 'f'), multiply(gate2)),
    )
}

/** Ulysses' exchange around both attentions: needless around the one over patches, and right. */
const around: Block<Stream> = (w, given) => {
  const [shift1, scale1, gate1] = modulation(w.table, given.time)
  const inSpace = [layout('t@sp'), linear(w.spatial.qkv, 'e'), layout('h@sp'), attend('s'), layout('t@sp')] as const
  return (x) => pipe(x, residual(modulated(shift1, scale1), ...inSpace, out(w.spatial.out, 'h d'), multiply(gate1)), rest(w, given))
}

/** What Open-Sora 1.0 computed: frame j of each rank's piece is put before frame j of the next one's, as one long sequence. */
const strungTogether = (ranks: number, { frames, rows, columns }: Sizes): Block<Stream> => (w, given) => {
  const [shift1, scale1, gate1] = modulation(w.table, given.time)
  const inSpace = [
    layout('t@sp'),
    linear(w.spatial.qkv, 'e'),
    layout('h@sp'),
    split('t', `rank:${ranks} j:${frames / ranks}`),
    merge('rank s', 'long'),
    selfAttention({ parts: 'part', over: 'long', heads: 'h', features: 'd' }),
    split('long', `rank:${ranks} s:${rows * columns}`),
    merge('rank j', 't'),
    layout('t@sp'),
  ] as const
  return (x) => pipe(x, residual(modulated(shift1, scale1), ...inSpace, out(w.spatial.out, 'h d'), multiply(gate1)), rest(w, given))
}

const programs = (name: string, block: Block<Stream>): Programs =>
  programsOf({ name, cut: '', enter: (embed) => (patches) => pipe(patches, layout('t@sp'), embed), block })

/** How far a prediction is from PyTorch's, and the bytes that each rank sent. */
const errorOf = async ({ forward }: Programs, ranks: number, depth = 2) => {
  const { sizes, weights, inputs, outputs } = right(await readGolden('small')())
  const { result } = await runOnce(forward(`sp=${ranks}`, { ...sizes, depth }), { ...named(weights), ...named(inputs) })
  const error = relativeError(result.outputs['prediction']!, inPatches(outputs['prediction']!.elements, sizes))
  return { error, sent: result.sent }
}

describe('Ulysses around both attentions', () => {
  it('of named dims gives the right numbers for 8 M/N a block', async () => {
    for (const ranks of [1, 2, 4]) {
      const [{ sent: less }, { error, sent }] = [
        await errorOf(programs('Ulysses', around), ranks, 1),
        await errorOf(programs('Ulysses', around), ranks),
      ]
      assert.ok(error <= 1e-6, `${error}`)
      const { batch, frames, rows, columns, width } = right(await readGolden('small')()).sizes
      const whole = 4 * batch * frames * rows * columns * width
      const total = (of: readonly number[]): number => of.reduce((sum, bytes) => sum + bytes, 0)
      if (ranks < 4) assert.deepEqual(sent.map((bytes, rank) => bytes - less[rank]!), sent.map(() => 8 * whole * (ranks - 1) / ranks ** 2))
      // 6 frames on 4 ranks: those with two of them send more of what is cut by frames, and less of what is cut by heads.
      assert.equal(total(sent) - total(less), 8 * whole * (ranks - 1) / ranks)
    }
  })

  it('with frames of different ranks strung together is another model on each number of ranks', async () => {
    const { sizes } = right(await readGolden('small')())
    const regrouped = (ranks: number): Programs => programs('Open-Sora 1.0', strungTogether(ranks, sizes))
    assert.ok((await errorOf(regrouped(1), 1)).error <= 1e-6)
    const [two, three] = [await errorOf(regrouped(2), 2), await errorOf(regrouped(3), 3)]
    assert.ok(two.error > 1e-2, `${two.error}`)
    assert.ok(three.error > 1e-2, `${three.error}`)
    // That is no fault of cutting and exchanging: on one rank the same regrouping gives the same other numbers.
    assert.equal((await errorOf(regrouped(2), 1)).error.toFixed(5), two.error.toFixed(5))
  })
})
