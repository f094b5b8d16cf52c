/** Seeds, streams and rates that the types only know as `number`: nothing is said in the editor, and the trace says it. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import { dropout, normal, uniform } from '#ops/mod.ts'

/** The number, without its digits in the type. */
const n = (value: number): number => value

export const none = program('hidden', mesh('sp=4'), {}, () =>
  // ✗ uniform: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is NaN
  uniform('t:16', { seed: NaN }))

export const fraction = program('hidden', mesh('sp=4'), {}, () =>
  // ✗ normal: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is 1.5
  normal('t:16', { seed: n(1.5) }))

export const unsafe = program('hidden', mesh('sp=4'), {}, () =>
  // ✗ normal: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is 9007199254740992
  normal('t:16', { seed: 9007199254740992 }))

export const stream = program('hidden', mesh('sp=4'), {}, () =>
  // ✗ uniform: a stream is a whole number from 0 to below 2^29, but it is 536870912
  uniform('t:16', { seed: 1, stream: 536870912 }))

export const rate = program('hidden', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x,
  // ✗ dropout: a rate is a number from 0 to below 1, but it is 1
  dropout({ rate: n(1), seed: 1 })))

export const length = program('hidden', mesh('sp=4'), {}, () =>
  // ✗ uniform: 't:65536 e:65537' has 4295032832 elements, but a stream has 2^32 numbers; fix: parts that take a stream each
  uniform('t:65536 e:65537', { seed: 1 }))
