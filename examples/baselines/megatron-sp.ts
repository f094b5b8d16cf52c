import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, type Tensor } from '#lib/mod.ts'
import { gelu, linear, multiply, unstack } from '#ops/mod.ts'
import { attend, attendTo, type Block, type CutWeights, inPlace, modulated, modulation, out, programsOf } from './model.ts'

type Stream = Tensor<`b:${number} t:${number}@sp s:${number} e:${number}`>

/**
 * Megatron-LM's sequence parallelism (arXiv 2205.05198): heads and the feed-forward layer's width are cut as in tensor
 * parallelism, and the residual stream is cut along tokens. Each of the four sub-layers gathers its input (M bytes) and
 * scatters the sum that it makes (M bytes). The gathered inputs are kept for the backward pass.
 */
const block: Block<Stream, CutWeights> = (weights, { time, words, position }) => {
  const w = inPlace(weights)
  const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  const [gather, scatter] = [layout(''), layout('t@sp')]
  return (x) =>
    pipe(
      x,
      residual(
        modulated(shift1, scale1),
        gather,
        linear(w.spatial.qkv, 'e'),
        attend('s'),
        out(w.spatial.out, 'h d', scatter),
        multiply(gate1),
      ),
      residual(position, gather, linear(w.temporal.qkv, 'e'), attend('t'), out(w.temporal.out, 'h d', scatter), multiply(gate1)),
      residual(gather, linear(w.cross.q, 'e'), attendTo(keys, values), out(w.cross.out, 'h d', scatter)),
      residual(modulated(shift2, scale2), gather, linear(w.mlp.fc1, 'e'), gelu, out(w.mlp.fc2, 'f', scatter), multiply(gate2)),
    )
}

export const { forward, training } = programsOf({
  name: 'Megatron-SP',
  cut: '@sp',
  enter: (embed) => (patches) => pipe(patches, layout('t@sp'), embed),
  block,
})
export default (ranks = 2) => training(`sp=${ranks}`)
