import type { Backend } from '#backends/backend.ts'
import { call, input } from '#lib/kernel/expression.ts'
import type { MapKernel } from '#lib/kernel/kernel.ts'
import { execute, whole } from '../backends/support.ts'
import type { Measured } from './functions.ts'

/** The largest errors of a function at some points. */
export interface Errors {
  readonly points: number
  /** In units of the last place of the right float32, where that is at least 2^-125. */
  readonly ulps: number
  readonly relative: number
  /** The arguments of the largest error. */
  readonly at: readonly number[]
  /** Results that are no near miss: another infinity or NaN, or more than 2^-125 off where the right number is smaller. */
  readonly wrong: number
}

/** Below this an adapter may have 0 instead: twice the least normal number, for arguments just below that. */
const leastCounted = 2 ** -125

/** The distance of float32 numbers at a size. */
const unitAt = (size: number): number => 2 ** (Math.floor(Math.log2(Math.max(size, leastCounted))) - 23)

/** Applies a scalar function to lists of arguments. */
const apply = (backend: Backend, name: Measured['name'], given: readonly Float32Array[]) => {
  const length = given[0]!.length
  const kernel: MapKernel = {
    kind: 'map',
    sizes: [length],
    origin: [0],
    inputs: given.map((_, n) => whole(n + 1, 'f32')),
    expression: call(name, ...given.map((_, n) => input(n))),
    output: whole(0, 'f32'),
  }
  const buffers = [new Float32Array(length), ...given].map((elements) => ({ type: 'f32' as const, elements }))
  return execute(backend, buffers, [kernel], 0)
}

export const errorsOf = async (backend: Backend, { name, oracle, points }: Measured, count: number): Promise<Errors> => {
  const given = points(count)
  const got = await apply(backend, name, given)
  let [ulps, relative, wrong] = [0, 0, 0]
  let at: readonly number[] = []
  for (let i = 0; i < got.length; i++) {
    const [x, y] = [given[0]![i]!, given[1]?.[i] ?? 0]
    const exact = oracle(x, y)
    const single = Math.fround(exact)
    const found = got[i]!
    if (Object.is(single, found)) continue
    const [error, size] = [Math.abs(found - exact), Math.abs(exact)]
    const near = Number.isFinite(single) && Number.isFinite(found)
      ? size >= leastCounted || error <= leastCounted
      : size >= largestNormal && Math.abs(found) >= largestNormal && Math.sign(found) === Math.sign(exact)
    if (!near) {
      if (wrong++ === 0 || ulps < Infinity) at = [x, y]
      ulps = Infinity
      continue
    }
    if (size < leastCounted || !Number.isFinite(single) || !Number.isFinite(found)) continue
    if (error / unitAt(size) > ulps) {
      ulps = error / unitAt(size)
      at = [x, y]
    }
    relative = Math.max(relative, error / size)
  }
  return { points: got.length, ulps, relative, at: at.slice(0, given.length), wrong }
}

/** Within a few units of the greatest float32 a function may overflow, or not yet. */
const largestNormal = (2 - 2 ** -20) * 2 ** 127
