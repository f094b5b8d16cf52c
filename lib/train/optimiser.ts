import { pipe } from 'fp-ts/lib/function.js'
import type { Tensor } from '../language/tensor.ts'
import { add, divide, multiply, sqrt, square, subtract } from '#ops/mod.ts'
import type { Schedule } from './schedule.ts'

/**
 * How parameters follow their gradients. It keeps tensors beside each parameter, like it in dims (`moments`), and numbers
 * for all of them together (`numbers`), which start at 0.
 */
export interface Optimiser {
  readonly name: string
  readonly rate: Schedule
  readonly moments: readonly string[]
  readonly numbers: readonly string[]
  /**
   * A mesh axis over which the moments are cut, and with them the update's work and its gradients (ZeRO stages 1 and 2,
   * Rajbhandari et al. 2020): along the longest dim of each parameter that is not cut already.
   */
  readonly shard: string | undefined
  /** The next values of the numbers. */
  readonly count: (numbers: Kept) => Kept
  /** The next values of one parameter and of its moments; `numbers` are the next ones already. */
  readonly update: (given: Update) => { readonly parameter: Tensor; readonly moments: Kept }
}

export type Kept = Readonly<Record<string, Tensor>>

/** What the update of one parameter is made of. */
export interface Update {
  readonly parameter: Tensor
  readonly gradient: Tensor
  readonly moments: Kept
  readonly numbers: Kept
  readonly rate: Tensor
}

/** Options of all optimisers. */
interface Common {
  readonly rate: Schedule
  readonly shard?: string
}

/** beta · before + (1 - beta) · now */
const average = (beta: number, before: Tensor, now: Tensor): Tensor => pipe(before, multiply(beta), add(pipe(now, multiply(1 - beta))))

/**
 * Stochastic gradient descent: v ← momentum · v + g; p ← p - rate · v, or with `nesterov` p ← p - rate · (g + momentum · v)
 * (Sutskever et al. 2013, as PyTorch writes it). Weight decay is added to the gradient.
 */
export const sgd = (
  { rate, shard, momentum = 0, nesterov = false, weightDecay = 0 }: Common & {
    readonly momentum?: number
    readonly nesterov?: boolean
    readonly weightDecay?: number
  },
): Optimiser => ({
  name: 'sgd',
  rate,
  shard,
  moments: momentum === 0 ? [] : ['velocity'],
  numbers: [],
  count: (numbers) => numbers,
  update: ({ parameter, gradient, moments, rate }) => {
    const slope = weightDecay === 0 ? gradient : pipe(parameter, multiply(weightDecay), add(gradient))
    if (momentum === 0) return { parameter: pipe(parameter, subtract(pipe(slope, multiply(rate)))), moments: {} }
    const velocity = pipe(moments['velocity']!, multiply(momentum), add(slope))
    const step = nesterov ? pipe(velocity, multiply(momentum), add(slope)) : velocity
    return { parameter: pipe(parameter, subtract(pipe(step, multiply(rate)))), moments: { velocity } }
  },
})

interface AdamOptions extends Common {
  readonly betas?: readonly [number, number]
  readonly epsilon?: number
  readonly weightDecay?: number
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1): p ← p - rate · m̂ / (√v̂ + epsilon), where m and v are running averages of the
 * gradient and of its square, and m̂ and v̂ are those divided by 1 - betaᵗ. Weight decay is added to the gradient.
 */
export const adam = (options: AdamOptions): Optimiser => adaptive('adam', options, false)

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2): p shrinks by rate · weightDecay each step. */
export const adamW = ({ weightDecay = 0.01, ...options }: AdamOptions): Optimiser => adaptive('adamW', { weightDecay, ...options }, true)

const adaptive = (
  name: string,
  { rate, shard, betas: [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0 }: AdamOptions,
  decoupled: boolean,
): Optimiser => ({
  name,
  rate,
  shard,
  moments: ['first', 'second'],
  // 1 - betaᵗ as a running average of 1: taken from betaᵗ, most of its digits would be lost.
  numbers: ['firstCorrection', 'secondCorrection'],
  count: ({ firstCorrection, secondCorrection }) => ({
    firstCorrection: pipe(firstCorrection!, multiply(beta1), add(1 - beta1)),
    secondCorrection: pipe(secondCorrection!, multiply(beta2), add(1 - beta2)),
  }),
  update: ({ parameter, gradient, moments, numbers, rate }) => {
    const slope = decoupled || weightDecay === 0 ? gradient : pipe(parameter, multiply(weightDecay), add(gradient))
    const first = average(beta1, moments['first']!, slope)
    const second = average(beta2, moments['second']!, square(slope))
    const size = pipe(second, divide(numbers['secondCorrection']!), sqrt, add(epsilon))
    const direction = pipe(first, divide(numbers['firstCorrection']!), divide(size))
    const step = decoupled && weightDecay !== 0 ? pipe(parameter, multiply(weightDecay), add(direction)) : direction
    return { parameter: pipe(parameter, subtract(pipe(step, multiply(rate)))), moments: { first, second } }
  },
})
