import { pipe } from 'fp-ts/lib/function.js'
import { atLine } from '../language/refusal.ts'
import { sourceLine } from '../language/source.ts'
import type { Tensor } from '../language/tensor.ts'
import { add, cos, maximum, minimum, multiply } from '#ops/mod.ts'
import { mustBe, notNegative } from '../language/options.ts'

/** A learning rate for each step: a number, or a function of the number of steps done so far (0 at the first). */
export type Schedule = number | ((step: Tensor<''>) => Tensor<''>)

/** The rate at a step, as a tensor. */
export const rateAt = (schedule: Schedule, step: Tensor<''>): Tensor<''> =>
  typeof schedule === 'number' ? pipe(step, multiply(0), add(schedule)) : schedule(step)

/** From 0 to 1 between two steps, and no further. */
const progress = (step: Tensor<''>, from: number, to: number): Tensor<''> =>
  pipe(step, add(-from), multiply(1 / Math.max(1, to - from)), maximum(0), minimum(1))

/** A schedule whose numbers are looked at when it is traced, and refused at the line where it was made. */
const checked = (check: () => void, schedule: Exclude<Schedule, number>): Schedule => {
  const where = sourceLine()
  return (step) => {
    atLine(where, check)
    return schedule(step)
  }
}

/** From `peak` down to `floor` along half a cosine in so many steps (Loshchilov & Hutter 2017, without restarts). */
export const cosine = (peak: number, steps: number, { floor = 0 }: { readonly floor?: number } = {}): Schedule =>
  checked(
    () => {
      mustBe(notNegative, 'cosine', 'peak', peak)
      mustBe(notNegative, 'cosine', 'steps', steps)
      mustBe(notNegative, 'cosine', 'floor', floor)
    },
    (step) => pipe(progress(step, 0, steps), multiply(Math.PI), cos, add(1), multiply((peak - floor) / 2), add(floor)),
  )

/** From one rate to another in so many steps, along a line. */
export const linearRate = (from: number, to: number, steps: number): Schedule =>
  checked(
    () => {
      mustBe(notNegative, 'linearRate', 'from', from)
      mustBe(notNegative, 'linearRate', 'to', to)
      mustBe(notNegative, 'linearRate', 'steps', steps)
    },
    (step) => pipe(progress(step, 0, steps), multiply(to - from), add(from)),
  )

/** Another schedule, which is reached along a line in the first so many steps: step n takes (n + 1) / steps of its rate. */
export const warmUp = (steps: number, then: Schedule): Schedule =>
  checked(
    () => {
      mustBe(notNegative, 'warmUp', 'steps', steps)
      if (typeof then === 'number') mustBe(notNegative, 'warmUp', 'then', then)
    },
    (step) => pipe(step, add(1), multiply(1 / Math.max(1, steps)), minimum(1), multiply(rateAt(then, step))),
  )
