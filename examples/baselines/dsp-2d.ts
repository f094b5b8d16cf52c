import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, type Tensor } from '#lib/mod.ts'
import { gelu, linear, multiply, unstack } from '#ops/mod.ts'
import { attend, attendTo, type Block, modulated, modulation, out, programsOf } from './model.ts'

type Stream = Tensor<`b:${number} t:${number}@frames s:${number}@patches e:${number}`>

/**
 * Dynamic Sequence Parallelism on a mesh of two axes, F × P ranks, for more ranks than a clip has frames: axis `frames` cuts
 * time and axis `patches` cuts space, wherever no attention needs them whole.
 *
 * Attention over time needs frames whole: their axis switches to patches, of which there are many, as on one axis (two
 * switches of M/N · (F-1)/F, each among ranks that share their patches). Attention over patches can't do the same, since there
 * are fewer frames than ranks: heads take the patches' axis. That costs the input and the result, and the axis should be as
 * short as the frames allow. On 2 ranks of it the pass gathers the input (M/N), on 4 and more it exchanges queries, keys and
 * values for it (3 M/N · (P-1)/P), whichever sends less; nothing says which.
 */
const block: Block<Stream> = (w, { time, words, position }) => {
  const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  const inSpace = [linear(w.spatial.qkv, 'e'), layout('t@frames h@patches'), attend('s'), layout('t@frames s@patches')] as const
  return (x) =>
    pipe(
      x,
      residual(modulated(shift1, scale1), ...inSpace, out(w.spatial.out, 'h d'), multiply(gate1)),
      layout('s@patches+frames'),
      residual(position, linear(w.temporal.qkv, 'e'), attend('t'), out(w.temporal.out, 'h d'), multiply(gate1)),
      layout('t@frames s@patches'),
      residual(linear(w.cross.q, 'e'), attendTo(keys, values), out(w.cross.out, 'h d')),
      residual(modulated(shift2, scale2), linear(w.mlp.fc1, 'e'), gelu, out(w.mlp.fc2, 'f'), multiply(gate2)),
    )
}

export const { forward, training } = programsOf({
  name: 'DSP on two axes',
  cut: '',
  enter: (embed) => (patches) => pipe(patches, layout('t@frames s@patches'), embed),
  block,
})
/** `--mesh 'frames=4 patches=2'` runs it on another mesh. */
export default () => training('frames=2 patches=2')
