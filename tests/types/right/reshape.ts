/** Ops that change dims, names, order and extents, and those that make tensors. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import {
  add, cast, concat, fill, gather, iota, max, merge, multiply, normal, ones, pad, rename, reorder, repeat, select, slice, split, sum, uniform, zeros,
} from '#ops/mod.ts'

export const splitWhole = program('right', mesh('sp=4'), { x: input('t:16@sp e:384') }, ({ x }) => pipe(x, split('e', 'h:6 d:64')))

export const splitCut = program('right', mesh('sp=4'), { x: input('t:16 e:384@sp') }, ({ x }) => pipe(x, split('e', 'h:8 d:48')))

export const splitInThree = program('right', mesh('sp=2 tp=2'), { x: input('t:16 f:96@sp+tp') }, ({ x }) => pipe(x, split('f', 'part:4 h:3 d:8')))

export const splitTrivially = program('right', mesh('sp=4'), { x: input('t:6@sp e:8') }, ({ x }) => pipe(x, split('t', 't:6 one:1')))

export const mergeCut = program('right', mesh('sp=4'), { x: input('t:16 h:8@sp d:48') }, ({ x }) => pipe(x, merge('h d', 'e')))

export const mergeApart = program('right', mesh('sp=4'), { x: input('h:6 t:16@sp d:64') }, ({ x }) => pipe(x, merge('h d', 'e')))

export const mergeWithOne = program('right', mesh('sp=4'), { x: input('t:6@sp one:1 e:8') }, ({ x }) => pipe(x, merge('t one', 't')))

export const pendingReshaped = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  sum('t'), split('e', 'h:2 d:4'), reorder('d h'), rename('d', 'k'), repeat('n:3'), merge('n k', 'm'), slice('m', { from: 0, count: 6 }), select('m', 5)))

export const named = program('right', mesh('sp=4'), { x: input('t:16@sp s:4 e:8') }, ({ x }) => pipe(x, rename('t', 'time'), reorder('e time s'), rename('e', 'e')))

export const positions = program('right', mesh('sp=4'), { x: input('t:16@sp s:10 e:3') }, ({ x }) => pipe(x,
  slice('s', { from: 2, count: 8 }), pad('s', { before: 1, after: 2, value: -1 }), select('e', 2)))

export const joined = program('right', mesh('sp=4'), { x: input('t:16@sp s:10'), y: input('s:99 t:16') }, ({ x, y }) => pipe(x, concat('s', y)))

export const joinedPending = program('right', mesh('sp=4'), { x: input('t:16@sp s:10') }, ({ x }) => {
  const total = pipe(x, sum('t'))
  return pipe(total, concat('s', total))
})

export const looked = program('right', mesh('sp=4'), { x: input('v:100 e:8'), ids: input('b:2 n:7@sp', 'i32') }, ({ x, ids }) => pipe(x, gather('v', ids)))

export const lookedInCutTable = program('right', mesh('sp=2 tp=2'), { x: input('b:2@tp v:100 e:8@sp', 'i32'), ids: input('n:7 b:2', 'i32') }, ({ x, ids }) => pipe(x,
  gather('v', ids)))

export const lookedUpPending = program('right', mesh('sp=4'), { x: input('t:8@sp v:100'), ids: input('n:7', 'i32') }, ({ x, ids }) => pipe(x, sum('t'), gather('v', ids)))

export const made = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  add(fill('e:8', 0.5)), multiply(ones('t:16')), add(zeros('e:8')), add(uniform('t:16 e:8', { seed: 1 })), multiply(normal('e:8', { seed: 2 })),
  add(pipe(iota('t:16', 't'), cast('f32')))))

export const constantsAlone = program('right', mesh('sp=4'), {}, () => pipe(iota('t:16 e:8', 'e'), cast('f32'), max('t'), concat('e', fill('e:1', 9))))
