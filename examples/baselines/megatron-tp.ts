import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, type Tensor } from '#lib/mod.ts'
import { gelu, linear, multiply, unstack } from '#ops/mod.ts'
import { attend, attendTo, type Block, type CutWeights, inPlace, modulated, modulation, out, programsOf } from './model.ts'

type Stream = Tensor<`b:${number} t:${number} s:${number} e:${number}`>

/**
 * Megatron-LM's tensor parallelism (arXiv 1909.08053): every rank has the whole residual stream and some of the heads and of
 * the feed-forward layer's width. What comes out is a sum over ranks: one all-reduce of 2 M bytes in each of the four
 * sub-layers.
 */
const block: Block<Stream, CutWeights> = (weights, { time, words, position }) => {
  const w = inPlace(weights)
  const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  const whole = layout('')
  return (x) =>
    pipe(
      x,
      residual(modulated(shift1, scale1), linear(w.spatial.qkv, 'e'), attend('s'), out(w.spatial.out, 'h d', whole), multiply(gate1)),
      residual(position, linear(w.temporal.qkv, 'e'), attend('t'), out(w.temporal.out, 'h d', whole), multiply(gate1)),
      residual(linear(w.cross.q, 'e'), attendTo(keys, values), out(w.cross.out, 'h d', whole)),
      residual(modulated(shift2, scale2), linear(w.mlp.fc1, 'e'), gelu, out(w.mlp.fc2, 'f', whole), multiply(gate2)),
    )
}

export const { forward, training } = programsOf({
  name: 'Megatron-LM, tensor parallel',
  cut: '@sp',
  enter: (embed) => (patches) => pipe(patches, embed),
  block,
})
export default (ranks = 2) => training(`sp=${ranks}`)
