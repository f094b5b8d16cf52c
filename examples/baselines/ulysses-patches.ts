import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, type Tensor } from '#lib/mod.ts'
import { gelu, linear, multiply, unstack } from '#ops/mod.ts'
import { attend, attendTo, type Block, modulated, modulation, out, programsOf } from './model.ts'

type Stream = Tensor<`b:${number} t:${number} s:${number}@sp e:${number}`>

/**
 * DeepSpeed-Ulysses (arXiv 2309.14509) with patches cut, as Open-Sora 1.2 does: around attention over patches, queries, keys,
 * values and results are exchanged between patches and heads. Four exchanges of M/N bytes per block. (The first `layout` says
 * that each rank projects its own patches: on two ranks the pass would gather them for less.)
 */
const block: Block<Stream> = (w, { time, words, position }) => {
  const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  const inSpace = [layout('s@sp'), linear(w.spatial.qkv, 'e'), layout('h@sp'), attend('s'), layout('s@sp')] as const
  return (x) =>
    pipe(
      x,
      residual(modulated(shift1, scale1), ...inSpace, out(w.spatial.out, 'h d'), multiply(gate1)),
      residual(position, linear(w.temporal.qkv, 'e'), attend('t'), out(w.temporal.out, 'h d'), multiply(gate1)),
      residual(linear(w.cross.q, 'e'), attendTo(keys, values), out(w.cross.out, 'h d')),
      residual(modulated(shift2, scale2), linear(w.mlp.fc1, 'e'), gelu, out(w.mlp.fc2, 'f'), multiply(gate2)),
    )
}

export const { forward, training } = programsOf({
  name: 'Ulysses, patches cut',
  cut: '',
  enter: (embed) => (patches) => pipe(patches, layout('s@sp'), embed),
  block,
})
export default (ranks = 2) => training(`sp=${ranks}`)
