import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, type Tensor } from '#lib/mod.ts'
import { gelu, linear, multiply, unstack } from '#ops/mod.ts'
import { attend, attendRound, attendTo, type Block, modulated, modulation, out, programsOf } from './model.ts'

type Stream = Tensor<`b:${number} t:${number} s:${number}@sp e:${number}`>

/**
 * Ring Attention (arXiv 2310.01889) with patches cut: in attention over patches every rank keeps its queries, and keys and values
 * go round. 2 M (N-1)/N bytes per block, as with frames cut, in longer steps, since a frame has more patches than a clip has
 * frames.
 */
const block: Block<Stream> = (w, { time, words, position }) => {
  const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  return (x) =>
    pipe(
      x,
      residual(modulated(shift1, scale1), linear(w.spatial.qkv, 'e'), attendRound('s', 'sp'), out(w.spatial.out, 'h d'), multiply(gate1)),
      residual(position, linear(w.temporal.qkv, 'e'), attend('t'), out(w.temporal.out, 'h d'), multiply(gate1)),
      residual(linear(w.cross.q, 'e'), attendTo(keys, values), out(w.cross.out, 'h d')),
      residual(modulated(shift2, scale2), linear(w.mlp.fc1, 'e'), gelu, out(w.mlp.fc2, 'f'), multiply(gate2)),
    )
}

export const { forward, training } = programsOf({
  name: 'Ring Attention, patches cut',
  cut: '',
  enter: (embed) => (patches) => pipe(patches, layout('s@sp'), embed),
  block,
})
export default (ranks = 2) => training(`sp=${ranks}`)
