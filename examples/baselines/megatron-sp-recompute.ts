import { pipe } from 'fp-ts/lib/function.js'
import { checkpoint, layout, residual, seq, type Tensor } from '#lib/mod.ts'
import { gelu, linear, multiply, unstack } from '#ops/mod.ts'
import { attend, attendTo, type Block, type CutWeights, inPlace, modulated, modulation, out, programsOf } from './model.ts'

type Stream = Tensor<`b:${number} t:${number}@sp s:${number} e:${number}`>

/**
 * Megatron-LM's sequence parallelism as Megatron-LM runs it: of a gathered input each rank keeps its own piece, and the
 * gather is repeated in the backward pass, where the gradients of weights need it (arXiv 2205.05198, section 4.2.2). Less is
 * kept, and 4 M more bytes are sent per block. The layouts `h@sp` and `f@sp` say where the gradients of what weights make
 * are multiplied: else the pass would switch a gradient that is smaller than what is to be gathered.
 */
const block: Block<Stream, CutWeights> = (weights, { time, words, position }) => {
  const w = inPlace(weights)
  const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  const [heads, columns] = [layout('h@sp'), layout('f@sp')]
  // What is multiplied by one is a value of the checkpoint's own: the gather of a value from outside would be there still.
  const [own, gather, scatter] = [multiply(1), layout(''), layout('t@sp')]
  const spatial = checkpoint(seq(modulated(shift1, scale1), gather, linear(w.spatial.qkv, 'e'), heads))
  const temporal = checkpoint(seq(position, own, gather, linear(w.temporal.qkv, 'e'), heads))
  const cross = checkpoint(seq(own, gather, linear(w.cross.q, 'e'), heads))
  const wide = checkpoint(seq(modulated(shift2, scale2), gather, linear(w.mlp.fc1, 'e'), columns))
  return (x) =>
    pipe(
      x,
      residual(spatial, attend('s'), out(w.spatial.out, 'h d', scatter), multiply(gate1)),
      residual(temporal, attend('t'), out(w.temporal.out, 'h d', scatter), multiply(gate1)),
      residual(cross, attendTo(keys, values), out(w.cross.out, 'h d', scatter)),
      residual(wide, gelu, out(w.mlp.fc2, 'f', scatter), multiply(gate2)),
    )
}

export const { forward, training } = programsOf({
  name: 'Megatron-SP, gathers repeated',
  cut: '@sp',
  enter: (embed) => (patches) => pipe(patches, layout('t@sp'), embed),
  block,
})
export default (ranks = 2) => training(`sp=${ranks}`)
