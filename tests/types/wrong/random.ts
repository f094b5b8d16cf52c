/** Seeds, streams and rates of random numbers, and options that there are none of. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import { dropout, max, normal, uniform } from '#ops/mod.ts'

export const fraction = program('wrong', mesh('sp=4'), {}, () =>
  // ✗ uniform: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is 1.5
  uniform('t:16', { seed: 1.5 }))

export const small = program('wrong', mesh('sp=4'), {}, () =>
  // ✗ normal: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is 1e-7
  normal('t:16', { seed: 1e-7 }))

export const large = program('wrong', mesh('sp=4'), {}, () =>
  // ✗ normal: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is 1e+21
  normal('t:16', { seed: 1e21 }))

export const real = program('wrong', mesh('sp=4'), { step: input('') }, ({ step }) =>
  // ✗ uniform: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is f32
  uniform('t:16', { seed: step }))

export const many = program('wrong', mesh('sp=4'), { steps: input('n:4@sp', 'i32') }, ({ steps }) =>
  // ✗ normal: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is 'n:4@sp'
  normal('t:16', { seed: steps }))

export const stream = program('wrong', mesh('sp=4'), {}, () =>
  // ✗ uniform: a stream is a whole number from 0 to below 2^29, but it is 0.5
  uniform('t:16', { seed: 1, stream: 0.5 }))

export const option = program('wrong', mesh('sp=4'), {}, () =>
  // ✗ normal: no option 'deviation'; options are: seed, stream
  normal('t:16', { seed: 1, deviation: 2 }))

export const negativeStream = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x,
  // ✗ dropout: a stream is a whole number from 0 to below 2^29, but it is -1
  dropout({ rate: 0.1, seed: 1, stream: -1 })))

export const dropoutOption = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x,
  // ✗ dropout: no option 'training'; options are: rate, seed, stream
  dropout({ rate: 0.1, seed: 1, training: true })))

export const all = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x,
  // ✗ dropout: a rate is a number from 0 to below 1, but it is 1
  dropout({ rate: 1, seed: 1 })))

export const negativeRate = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x,
  // ✗ dropout: a rate is a number from 0 to below 1, but it is -0.1
  dropout({ rate: -0.1, seed: 1 })))

export const percent = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x,
  // ✗ dropout: a rate is a number from 0 to below 1, but it is 12.5
  dropout({ rate: 12.5, seed: 1 })))

export const dropoutSeed = program('wrong', mesh('sp=4'), { x: input('t:16@sp'), step: input('', 'bool') }, ({ x, step }) => pipe(x,
  // ✗ dropout: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is bool
  dropout({ rate: 0.1, seed: step })))

export const integers = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ dropout needs f32, but its input is i32; fix: cast('f32') before it
  dropout({ rate: 0.1, seed: 1 })))

export const pendingMaximum = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:4') }, ({ x }) => pipe(x, max('t'),
  // ✗ dropout: its input is a pending max over 'sp', to be finished first; fix: layout('') before it
  dropout({ rate: 0.1, seed: 1 })))
