import { pipe } from 'fp-ts/lib/function.js'
import { refuse } from '../language/refusal.ts'
import type { Tensor } from '../language/tensor.ts'
import { add, divide, multiply, sqrt, square, subtract } from '#ops/mod.ts'
import type { Groups } from './groups.ts'
import { belowOne, knownOptions, mustBe, notNegative, positive } from '../language/options.ts'
import type { Schedule } from './schedule.ts'

/**
 * How parameters follow their gradients. It keeps tensors beside each parameter, like it in dims (`moments`), and numbers
 * for all of them together (`numbers`), which start at 0.
 */
export interface Optimiser {
  readonly name: string
  readonly rate: Schedule
  /** Of parameters that no group says more of. */
  readonly weightDecay: number
  readonly groups: Groups
  readonly moments: readonly string[]
  readonly numbers: readonly string[]
  /**
   * A mesh axis over which the moments are cut, and with them the update's work and its gradients (ZeRO stages 1 and 2,
   * Rajbhandari et al. 2020): along the longest dim of each parameter that is not cut already.
   */
  readonly shard: string | undefined
  /** Refuses options that don't exist or are out of range. */
  readonly check: () => void
  /** The next values of the numbers. */
  readonly count: (numbers: Kept) => Kept
  /** The next moments of one parameter. */
  readonly remember: (given: Pick<Update, 'parameter' | 'gradient' | 'moments' | 'weightDecay'>) => Kept
  /** The next value of one parameter; moments and numbers are the next ones already. */
  readonly move: (given: Update) => Tensor
}

export type Kept = Readonly<Record<string, Tensor>>

/** What the update of one parameter is made of. */
export interface Update {
  readonly parameter: Tensor
  readonly gradient: Tensor
  readonly moments: Kept
  readonly numbers: Kept
  /** Of this parameter, as is the weight decay. */
  readonly rate: Tensor
  readonly weightDecay: number
}

/** Options of all optimisers. */
interface Common {
  readonly rate: Schedule
  readonly shard?: string
  readonly weightDecay?: number
  readonly groups?: Groups
}

const checkCommon = (name: string, options: Common, own: readonly string[]): void => {
  knownOptions(name, options, ['rate', 'shard', 'weightDecay', 'groups', ...own])
  if (typeof options.rate !== 'function') mustBe(notNegative, name, 'rate', options.rate)
  mustBe(notNegative, name, 'weightDecay', options.weightDecay ?? 0)
}

/** beta · before + (1 - beta) · now */
const average = (beta: number, before: Tensor, now: Tensor): Tensor => pipe(before, multiply(beta), add(pipe(now, multiply(1 - beta))))

/** A gradient with the pull of weight decay towards 0. */
const decayed = (weightDecay: number, parameter: Tensor, gradient: Tensor): Tensor =>
  weightDecay === 0 ? gradient : pipe(parameter, multiply(weightDecay), add(gradient))

interface SgdOptions extends Common {
  readonly momentum?: number
  readonly nesterov?: boolean
}

/**
 * Stochastic gradient descent: v ← momentum · v + g; p ← p - rate · v, or with `nesterov` p ← p - rate · (g + momentum · v)
 * (Sutskever et al. 2013, as PyTorch writes it). Weight decay is added to the gradient.
 */
export const sgd = (options: SgdOptions): Optimiser => {
  const { rate, shard, momentum = 0, nesterov = false, weightDecay = 0, groups = {} } = options
  return {
    name: 'sgd',
    rate,
    weightDecay,
    groups,
    shard,
    moments: momentum === 0 ? [] : ['velocity'],
    numbers: [],
    check: () => {
      checkCommon('sgd', options, ['momentum', 'nesterov'])
      mustBe(notNegative, 'sgd', 'momentum', momentum)
      if (nesterov && momentum === 0) refuse(`sgd: 'nesterov' needs momentum; fix: momentum: 0.9, say`)
    },
    count: (numbers) => numbers,
    remember: ({ parameter, gradient, moments, weightDecay }) =>
      momentum === 0 ? {} : { velocity: pipe(moments['velocity']!, multiply(momentum), add(decayed(weightDecay, parameter, gradient))) },
    move: ({ parameter, gradient, moments: { velocity }, rate, weightDecay }) => {
      const slope = decayed(weightDecay, parameter, gradient)
      const step = velocity === undefined ? slope : nesterov ? pipe(velocity, multiply(momentum), add(slope)) : velocity
      return pipe(parameter, subtract(pipe(step, multiply(rate))))
    },
  }
}

interface AdamOptions extends Common {
  readonly betas?: readonly [number, number]
  readonly epsilon?: number
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1): p ← p - rate · m̂ / (√v̂ + epsilon), where m and v are running averages of the
 * gradient and of its square, and m̂ and v̂ are those divided by 1 - betaᵗ. Weight decay is added to the gradient.
 */
export const adam = (options: AdamOptions): Optimiser => adaptive('adam', options, false)

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2): p shrinks by rate · weightDecay each step. */
export const adamW = (options: AdamOptions): Optimiser => adaptive('adamW', { ...options, weightDecay: options.weightDecay ?? 0.01 }, true)

const adaptive = (name: string, options: AdamOptions, decoupled: boolean): Optimiser => {
  const { rate, shard, betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0, groups = {} } = options
  const { 0: beta1, 1: beta2 } = betas
  return {
    name,
    rate,
    weightDecay,
    groups,
    shard,
    moments: ['first', 'second'],
    // 1 - betaᵗ as a running average of 1: taken from betaᵗ, most of its digits would be lost.
    numbers: ['firstCorrection', 'secondCorrection'],
    check: () => {
      checkCommon(name, options, ['betas', 'epsilon'])
      if (betas.length !== 2) refuse(`${name}: 'betas' are two numbers, for example [0.9, 0.999]`)
      betas.forEach((beta, i) => mustBe(belowOne, name, `betas.${i}`, beta))
      mustBe(positive, name, 'epsilon', epsilon)
    },
    count: ({ firstCorrection, secondCorrection }) => ({
      firstCorrection: pipe(firstCorrection!, multiply(beta1), add(1 - beta1)),
      secondCorrection: pipe(secondCorrection!, multiply(beta2), add(1 - beta2)),
    }),
    remember: ({ parameter, gradient, moments: { first, second }, weightDecay }) => {
      const slope = decayed(decoupled ? 0 : weightDecay, parameter, gradient)
      return { first: average(beta1, first!, slope), second: average(beta2, second!, square(slope)) }
    },
    move: ({ parameter, moments: { first, second }, numbers: { firstCorrection, secondCorrection }, rate, weightDecay }) => {
      const size = pipe(second!, divide(secondCorrection!), sqrt, add(epsilon))
      const direction = pipe(first!, divide(firstCorrection!), divide(size))
      return pipe(parameter, subtract(pipe(decayed(decoupled ? weightDecay : 0, parameter, direction), multiply(rate))))
    },
  }
}
