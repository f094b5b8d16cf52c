import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, type Tensor } from '#lib/mod.ts'
import { gelu, linear, multiply, unstack } from '#ops/mod.ts'
import { attend, attendTo, type Block, modulated, modulation, out, programsOf } from './model.ts'

type Stream = Tensor<`b:${number} t:${number}@sp s:${number} e:${number}`>

/**
 * DeepSpeed-Ulysses (arXiv 2309.14509) with frames cut: around attention over time, queries, keys, values and results are
 * exchanged between frames and heads. Four exchanges of M/N bytes per block; the pass sends queries, keys and values in one.
 * (The first `layout` says that each rank projects its own frames: on two ranks the pass would gather them for less.)
 *
 * Attention over patches needs no exchange, since frames are whole. Open-Sora 1.0 exchanged there too, frames for heads, in
 * a module that knew its sequence only as the axis behind the batch: patches of different frames were strung together and
 * attended to each other, which is another model. Dims with names can't be confused so: `h@sp` makes every other dim
 * whole, `attend('s')` attends over `s`, and `t` runs along, whole or cut. The same exchange around both attentions costs
 * 8 M/N here, and gives the right numbers.
 */
const block: Block<Stream> = (w, { time, words, position }) => {
  const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  const inTime = [layout('t@sp'), linear(w.temporal.qkv, 'e'), layout('h@sp'), attend('t'), layout('t@sp')] as const
  return (x) =>
    pipe(
      x,
      residual(modulated(shift1, scale1), linear(w.spatial.qkv, 'e'), attend('s'), out(w.spatial.out, 'h d'), multiply(gate1)),
      residual(position, ...inTime, out(w.temporal.out, 'h d'), multiply(gate1)),
      residual(linear(w.cross.q, 'e'), attendTo(keys, values), out(w.cross.out, 'h d')),
      residual(modulated(shift2, scale2), linear(w.mlp.fc1, 'e'), gelu, out(w.mlp.fc2, 'f'), multiply(gate2)),
    )
}

export const { forward, training } = programsOf({
  name: 'Ulysses, frames cut',
  cut: '',
  enter: (embed) => (patches) => pipe(patches, layout('t@sp'), embed),
  block,
})
export default (ranks = 2) => training(`sp=${ranks}`)
