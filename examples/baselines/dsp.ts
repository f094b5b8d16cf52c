import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, type Tensor } from '#lib/mod.ts'
import { gelu, linear, multiply, unstack } from '#ops/mod.ts'
import { attend, attendTo, type Block, modulated, modulation, out, programsOf } from './model.ts'

type Stream = Tensor<`b:${number} t:${number}@sp s:${number} e:${number}`>

/**
 * Dynamic Sequence Parallelism with the residual stream switched (arXiv 2403.10266; OpenDiT's STDiT). Attention over patches
 * sees whole frames, attention over time whole histories of patches. Two switches per block, each of M/N bytes.
 */
const block: Block<Stream> = (w, { time, words, position }) => {
  const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  return (x) =>
    pipe(
      x,
      residual(modulated(shift1, scale1), linear(w.spatial.qkv, 'e'), attend('s'), out(w.spatial.out, 'h d'), multiply(gate1)),
      layout('s@sp'),
      residual(position, linear(w.temporal.qkv, 'e'), attend('t'), out(w.temporal.out, 'h d'), multiply(gate1)),
      layout('t@sp'),
      residual(linear(w.cross.q, 'e'), attendTo(keys, values), out(w.cross.out, 'h d')),
      residual(modulated(shift2, scale2), linear(w.mlp.fc1, 'e'), gelu, out(w.mlp.fc2, 'f'), multiply(gate2)),
    )
}

export const { forward, training } = programsOf({
  name: 'DSP',
  cut: '',
  enter: (embed) => (patches) => pipe(patches, layout('t@sp'), embed),
  block,
})
export default (ranks = 2) => training(`sp=${ranks}`)
