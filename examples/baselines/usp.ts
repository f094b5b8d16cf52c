import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, type Tensor } from '#lib/mod.ts'
import { gelu, linear, multiply, unstack } from '#ops/mod.ts'
import { attend, attendRound, attendTo, type Block, modulated, modulation, out, programsOf } from './model.ts'

type Stream = Tensor<`b:${number} t:${number} s:${number}@ring+ulysses e:${number}`>

/**
 * Unified sequence parallelism (USP, arXiv 2405.07719) with patches cut by two axes: in attention over patches heads take one
 * of them, as in Ulysses, and keys and values go round the other. Ranks need neither divide nor be as few as the heads.
 */
const block: Block<Stream> = (w, { time, words, position }) => {
  const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(w.table, time)
  const [keys, values] = pipe(words, linear(w.cross.kv, 'e'), unstack('part'))
  const [along, across] = [layout('s@ring+ulysses'), layout('s@ring h@ulysses')]
  const inSpace = [along, linear(w.spatial.qkv, 'e'), across, attendRound('s', 'ring'), along] as const
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
  name: 'USP, Ulysses and Ring',
  cut: '',
  enter: (embed) => (patches) => pipe(patches, layout('s@ring+ulysses'), embed),
  block,
})
/** `--mesh 'ring=2 ulysses=4'` runs it on another mesh. */
export default () => training('ring=2 ulysses=2')
