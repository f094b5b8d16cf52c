import { pipe } from 'fp-ts/lib/function.js'
import { type AnyTensor, input, layout, mesh, parameter, type Program, program, type Tensor } from '#lib/mod.ts'
import { add, attention, gelu, layerNorm, linear, merge, multiply, split, unstack } from '#ops/mod.ts'

/** Sizes of STDiT-XL/2 (arXiv 2403.10266) for one clip of 16 frames of 512 × 512. */
export const extraLarge = { batch: 1, frames: 16, patches: 1024, width: 1152, heads: 16, words: 120, depth: 28 }
export type Sizes = typeof extraLarge

/** Bytes of the residual stream. */
export const streamBytes = ({ batch, frames, patches, width }: Sizes): number => 4 * batch * frames * patches * width

/**
 * What a program says about layouts:
 * - `sequence`: frames are cut over sp, patches around attention over time (as DSP does by hand);
 * - `heads`: the same, and heads over tp during attention;
 * - `nothing`: every dim of the input is `@?`, and nothing is declared after.
 */
export type Declared = 'sequence' | 'heads' | 'nothing'

type Value = Tensor<string>
const opaque = (tensor: AnyTensor): Value => tensor as Value

/**
 * The blocks of STDiT without types: each attends over patches, then over frames, then to the caption, and ends with a
 * feed-forward layer.
 */
export const stdit = (sizes: Sizes, axes: string, declared: Declared): Program => {
  const { batch, frames, patches, width, heads, words, depth } = sizes
  const cut = (axis: string): string => declared === 'nothing' ? '@?' : axis
  const dense = (from: string, to: string) => ({ weight: parameter(`${from} ${to}` as string), bias: parameter(to) })
  const [e, f] = [`e:${width}`, `f:${width}`]
  const block = () => ({
    table: parameter(`part:6 ${e}` as string),
    spatial: { qkv: dense(e, `f:${3 * width}`), out: dense(f, e) },
    temporal: { qkv: dense(e, `f:${3 * width}`), out: dense(f, e) },
    cross: { q: dense(e, f), kv: dense(e, `f:${2 * width}`), out: dense(f, e) },
    mlp: { up: dense(e, `f:${4 * width}`), down: dense(`f:${4 * width}`, e) },
  })
  const head = `h:${heads} d:${width / heads}`
  return program(
    'stdit',
    mesh(axes),
    {
      x: input(`b:${batch}${cut('')} t:${frames}${cut('@sp')} s:${patches}${cut('')} ${e}` as string),
      caption: input(`b:${batch} l:${words} ${e}` as string),
      time: input(`b:${batch} part:6 ${e}` as string),
      blocks: Array.from({ length: depth }, block),
    },
    ({ x, caption, time, blocks }) => {
      const declare = (text: string) => (value: Value): Value => declared === 'nothing' ? value : opaque(layout(text)(value))
      const attend = (weights: (typeof blocks)[number]['spatial'], over: 's' | 't') => (value: Value): Value => {
        const [across, within] = over === 's' ? ['t@sp', 't@sp h@tp'] : ['s@sp', 's@sp h@tp']
        const parts = opaque(pipe(value, linear(weights.qkv, 'e'), split('f', `part:3 ${head}` as string)))
        const inHeads = (part: AnyTensor): Value => declared === 'heads' ? declare(within)(opaque(part)) : opaque(part)
        const [q, k, v] = pipe(parts, unstack('part')).map(inHeads)
        const mixed = opaque(pipe(q!, attention({ over, features: 'd', heads: 'h' })(k!, v!)))
        const together = declared === 'heads' ? declare(across)(mixed) : mixed
        return opaque(pipe(together, merge('h d', 'f'), linear(weights.out, 'f')))
      }
      const ask = (weights: (typeof blocks)[number]['cross']) => (value: Value): Value => {
        const [k, v] = pipe(caption, linear(weights.kv, 'e'), split('f', `part:2 ${head}` as string), unstack('part'))
        const q = opaque(pipe(value, linear(weights.q, 'e'), split('f', head as string)))
        return opaque(
          pipe(q, attention({ over: 'l', features: 'd', heads: 'h' })(opaque(k!), opaque(v!)), merge('h d', 'f'), linear(weights.out, 'f')),
        )
      }
      const modulate = (shift: AnyTensor, scale: AnyTensor) => (value: Value): Value =>
        opaque(pipe(value, layerNorm('e'), multiply(opaque(pipe(opaque(scale), add(1)))), add(opaque(shift))))
      const onto = (value: Value, change: Value): Value => opaque(pipe(value, add(change)))

      return blocks.reduce<Value>((stream, weights) => {
        const [shift1, scale1, gate1, shift2, scale2, gate2] = pipe(time, add(weights.table), unstack('part')).map(opaque)
        const gated = (gate: Value | undefined) => (value: Value): Value => opaque(pipe(value, multiply(gate!)))
        const seen = pipe(stream, modulate(shift1!, scale1!), attend(weights.spatial, 's'), gated(gate1))
        const frames = declare('s@sp')(onto(stream, seen))
        const moved = declare('t@sp')(onto(frames, pipe(frames, attend(weights.temporal, 't'), gated(gate1))))
        const told = onto(moved, ask(weights.cross)(moved))
        const widened = opaque(pipe(modulate(shift2!, scale2!)(told), linear(weights.mlp.up, 'e'), gelu, linear(weights.mlp.down, 'f')))
        return onto(told, gated(gate2)(widened))
      }, opaque(x))
    },
  )
}
