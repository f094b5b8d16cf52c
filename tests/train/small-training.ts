import { pipe } from 'fp-ts/lib/function.js'
import { threefry } from '#lib/kernel/threefry.ts'
import { input, layout, mesh, parameter, type Program } from '#lib/mod.ts'
import { adamW, cosine, normal, trainStep, xavier, zeros } from '#lib/train/mod.ts'
import { add, gelu, linear, mean, softmax, square, subtract } from '#ops/mod.ts'

/** A small model with two sequence dims, its frames cut over `sp`, that learns to reverse what another made. */
export const smallTraining = (on: string, steps: number): Program =>
  trainStep('small', mesh(on as `dp=${number} sp=${number}`), {
    inputs: { x: input('b:2@dp t:5@sp s:4 e:6'), y: input('b:2@dp t:5@sp s:4 e:6') },
    parameters: {
      up: { weight: parameter('f:12 e:6', xavier()), bias: parameter('f:12', zeros) },
      down: { weight: parameter('e:6 f:12', xavier()), bias: parameter('e:6', zeros) },
      place: parameter('t:5 e:6', normal(0.1)),
    },
    loss: ({ inputs: { x, y }, parameters: { up, down, place } }) =>
      pipe(
        x,
        softmax('s'),
        layout('b@dp s@sp'),
        add(place),
        softmax('t'),
        layout('b@dp t@sp'),
        linear(up, 'e'),
        gelu,
        linear(down, 'f'),
        subtract(y),
        square,
        mean('b t s e'),
      ),
    optimiser: adamW({ rate: cosine(0.02, steps) }),
    clip: 1,
  })

/** The inputs of a step, for every mesh the same. */
export const smallBatch = (step: number) => {
  const numbers = (seed: number): Float32Array => Float32Array.from({ length: 240 }, (_, i) => threefry(2 * step + seed, i) * 2 ** -31 - 1)
  const x = numbers(0)
  return { x, y: x.map((value) => Math.sin(2 * value)) }
}
