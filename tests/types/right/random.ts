/** Random numbers: seeds that are numbers and seeds that are tensors, streams, dropout of what is cut, whole or pending. */
import { pipe } from 'fp-ts/lib/function.js'
import { checkpoint, input, layout, mesh, output, program, seq, sumOver } from '#lib/mod.ts'
import { add, cast, contract, dropout, gelu, multiply, normal, select, softmax, uniform } from '#ops/mod.ts'

export const seeds = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  add(uniform('t:16 e:8', { seed: 0 })), add(uniform('t:16 e:8', { seed: -3 })), multiply(normal('e:8', { seed: 9007199254740991, stream: 7 }))))

export const fromTensors = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), step: input('', 'i32') }, ({ x, step }) => pipe(x,
  add(uniform('t:16 e:8', { seed: step })), multiply(normal('e:8', { seed: step, stream: 1 })), dropout({ rate: 0.1, seed: step, stream: 2 })))

export const alone = program('right', mesh('sp=4'), { step: input('', 'i32') }, { noise: output('t:16@sp e:8') }, ({ step }) => ({
  noise: normal('t:16@sp e:8', { seed: step }) }))

export const chosen = program('right', mesh('sp=4'), { steps: input('n:3', 'i32'), now: input('') }, ({ steps, now }) => ({
  one: uniform('t:16', { seed: pipe(steps, select('n', 1)) }), two: uniform('t:16', { seed: pipe(now, cast('i32')) }) }))

export const rates = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  dropout({ rate: 0, seed: 1 }), softmax('e'), dropout({ rate: 0.5, seed: 1 }), gelu, dropout({ rate: 1e-7, seed: 1 })))

export const pendingSum = program('right', mesh('tp=4'), { x: input('t:16 e:8@tp'), w: input('e:8@tp f:4'), step: input('', 'i32') }, ({ x, w, step }) =>
  pipe(x, contract(w, 'e'), dropout({ rate: 0.1, seed: step }), sumOver('tp'), softmax('f')))

export const layers = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), step: input('', 'i32') }, ({ x, step }) => pipe(x,
  checkpoint(seq(softmax('e'), dropout({ rate: 0.1, seed: step, stream: 2 }))),
  seq(gelu, dropout({ rate: 0.1, seed: step, stream: 1 }), layout('e@sp'), softmax('t'))))

const rate: number = 0.25
const seed: number = 4
export const numbers = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  dropout({ rate, seed, stream: seed }), add(normal('t:16 e:8', { seed }))))
