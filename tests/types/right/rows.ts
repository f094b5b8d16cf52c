/** Adding to the rows that ids name. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, layout, mesh, program } from '#lib/mod.ts'
import { gather, scatterAdd, sum } from '#ops/mod.ts'

export const added = program('right', mesh('sp=4'), { x: input('n:7 e:8@sp'), ids: input('n:7', 'i32') }, ({ x, ids }) => pipe(x, scatterAdd('v:100', ids)))

export const addedInPlace = program('right', mesh('sp=4'), { x: input('h:2 n:7 e:8 t:3', 'i32'), ids: input('t:3 n:7', 'i32') }, ({ x, ids }) => pipe(x,
  scatterAdd('v:100', ids)))

export const addedCut = program('right', mesh('sp=2 tp=2'), { x: input('b:2 n:7@sp e:8@tp'), ids: input('n:7@sp', 'i32') }, ({ x, ids }) => pipe(x,
  scatterAdd('v:100', ids), layout('v@sp')))

export const addedCutTwice = program('right', mesh('sp=2 tp=2'), { x: input('n:7@tp t:9@sp e:8'), ids: input('t:9@sp n:7@tp', 'i32') }, ({ x, ids }) => pipe(x,
  scatterAdd('v:100', ids), layout('e@sp')))

export const addedInBatches = program('right', mesh('sp=2 tp=2'), { x: input('b:2 n:7@sp e:8'), ids: input('b:2@tp n:7@sp', 'i32') }, ({ x, ids }) => pipe(x,
  scatterAdd('v:100', ids, { keep: 'b' }), layout('b@tp')))

export const addedWithoutFolds = program('right', mesh('sp=2 tp=2'), { x: input('b:2 n:7@sp'), ids: input('n:7 b:2@tp', 'i32') }, ({ x, ids }) => pipe(x,
  scatterAdd('v:100', ids, { keep: 'b n' })))

export const addedPending = program('right', mesh('sp=4'), { x: input('t:8@sp n:7'), ids: input('n:7', 'i32') }, ({ x, ids }) => pipe(x,
  sum('t'), scatterAdd('v:5', ids), layout('v@sp')))

export const addedUndecided = program('right', mesh('sp=4'), { x: input('n:7@? e:8'), ids: input('n:7', 'i32') }, ({ x, ids }) => pipe(x, scatterAdd('v:100', ids)))

export const addedByScalar = program('right', mesh('sp=4'), { x: input('e:8@sp'), id: input('', 'i32') }, ({ x, id }) => pipe(x, scatterAdd('v:100', id)))

export const addedAndLookedUp = program('right', mesh('sp=4'), { x: input('n:7 e:8@sp'), ids: input('n:7', 'i32') }, ({ x, ids }) => pipe(x,
  scatterAdd('v:100', ids), gather('v', ids)))
