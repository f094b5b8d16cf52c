import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, parameter, type Program, residual, type Tensor, type Tensors, valueAndGrad } from '#lib/mod.ts'
import { xavier, zeros } from '#lib/train/mod.ts'
import { layerNorm, linear, mean, selfAttention, square } from '#ops/mod.ts'

/** A volume, as of a weather model, and a transformer that attends along each of its dims in turn. */
export interface Volume {
  /** Positions along each of the dims. */
  readonly lengths: Readonly<Record<string, number>>
  readonly width: number
  readonly heads: number
  readonly layers: number
}

const small: Volume = { lengths: { x: 4, y: 6, z: 5 }, width: 16, heads: 2, layers: 2 }

const stageParameters = ({ width, heads }: Volume) => ({
  qkv: {
    weight: parameter(`part:3 h:${heads} d:${width / heads} e:${width}`, xavier()),
    bias: parameter(`part:3 h:${heads} d:${width / heads}`, zeros),
  },
  out: { weight: parameter(`e:${width} h:${heads} d:${width / heads}`, xavier({ into: 'h d' })), bias: parameter(`e:${width}`, zeros) },
})

const parameters = (volume: Volume) => ({
  layers: Array.from({ length: volume.layers }, () => Object.keys(volume.lengths).map(() => stageParameters(volume))),
})
type Weights = Tensors<ReturnType<typeof parameters>, string>

/** Of a volume whose layout is left to the planner; the program says nothing about layouts. */
const inputs = ({ lengths, width }: Volume) => ({
  volume: input(`${Object.entries(lengths).map(([dim, length]) => `${dim}:${length}@?`).join(' ')} e:${width}` as string),
})

const transform = ({ lengths }: Volume, volume: Tensor, { layers }: Weights): Tensor =>
  layers.flat().reduce<Tensor>((x, { qkv, out }, stage) => {
    const over = Object.keys(lengths)[stage % Object.keys(lengths).length]!
    const attend = selfAttention({ parts: 'part', over, heads: 'h', features: 'd' })
    return pipe(x, residual(layerNorm('e'), linear(qkv, 'e'), attend, linear(out, 'h d')))
  }, volume)

/**
 * Attention along each of K dims in turn, every layout left to the planner. A cut must sit on a dim that a stage doesn't
 * attend over, so it can stay for K - 1 stages if it sits on the dim that is needed furthest in the future: K/(K-1)
 * switches per layer, where a switch after each stage would be K. The program says nothing of that; the pass finds it.
 */
export const forward = (on: string, volume: Volume = small): Program => ({
  name: 'axial attention, forward',
  mesh: mesh(on),
  inputs: { ...inputs(volume), ...parameters(volume) },
  outputs: undefined,
  body: (given: Weights & { readonly volume: Tensor }) => ({ prediction: transform(volume, given.volume, given) }),
})

/** The mean square of the prediction, and its gradients by all parameters. */
export const training = (on: string, volume: Volume = small): Program => ({
  name: 'axial attention, forward and backward',
  mesh: mesh(on),
  inputs: { ...inputs(volume), ...parameters(volume) },
  outputs: undefined,
  body: (given: Weights & { readonly volume: Tensor }) => {
    const dims = `${Object.keys(volume.lengths).join(' ')} e`
    const [loss, gradients] = valueAndGrad((layers: Weights['layers']) =>
      pipe(transform(volume, given.volume, { layers }), square, mean(dims))
    )(given.layers)
    return { loss, gradients }
  },
})
export default (ranks = 2) => training(`sp=${ranks}`)
