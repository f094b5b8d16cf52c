/** Adding to the rows that ids name. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import { max, scatterAdd, sum } from '#ops/mod.ts'

export const form = program('wrong', mesh('sp=4'), { x: input('n:4 e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: 'v' is not of the form dim:size
  scatterAdd('v', y)))

export const formOfTwo = program('wrong', mesh('sp=4'), { x: input('n:4 e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: 'v:3 w:2' is not of the form dim:size
  scatterAdd('v:3 w:2', y)))

export const formWithAxis = program('wrong', mesh('sp=4'), { x: input('n:4 e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: 'v:8@sp' is not of the form dim:size
  scatterAdd('v:8@sp', y)))

export const keepMissing = program('wrong', mesh('sp=4'), { x: input('n:4 e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: no dim 'e' on the index; dims are: n
  scatterAdd('v:9', y, { keep: 'e' })))

export const keepTwice = program('wrong', mesh('sp=4'), { x: input('n:4 e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: dim 'n' is given twice
  scatterAdd('v:9', y, { keep: 'n n' })))

export const noSuchDim = program('wrong', mesh('sp=4'), { x: input('n:4 e:8'), y: input('b:2 n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: no dim 'b'; dims are: n, e
  scatterAdd('v:9', y)))

export const taken = program('wrong', mesh('sp=4'), { x: input('n:4 e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: there is a dim 'e' already; dims are: n, e
  scatterAdd('e:9', y)))

export const sizes = program('wrong', mesh('sp=4'), { x: input('n:4 e:8'), y: input('n:5', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: dim 'n' is 4 on the input but 5 on the index
  scatterAdd('v:9', y)))

export const ofTruth = program('wrong', mesh('sp=4'), { x: input('n:4 e:8', 'bool'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd needs f32 or i32, but its input is bool; fix: cast('f32') before it
  scatterAdd('v:9', y)))

export const byReals = program('wrong', mesh('sp=4'), { x: input('n:4 e:8'), y: input('n:4') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd needs i32, but its index is f32; fix: cast('i32') on the index before it
  scatterAdd('v:9', y)))

export const pendingMaximum = program('wrong', mesh('sp=4'), { x: input('t:8@sp n:4 e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  max('t'),
  // ✗ scatterAdd: its input is a pending max over 'sp', to be finished first; fix: layout('') before it
  scatterAdd('v:9', y)))

export const pendingMeetsCut = program('wrong', mesh('sp=4'), { x: input('t:8@sp n:4 e:8'), y: input('n:4@sp', 'i32') }, ({ x, y }) => pipe(x,
  sum('t'),
  // ✗ scatterAdd: its input is a pending sum over 'sp', which cuts 'n' on the index; fix: sumOver('sp') on the input before it
  scatterAdd('v:9', y)))

export const cutOnOneSide = program('wrong', mesh('sp=4'), { x: input('n:4@sp e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: dim 'n' is @sp on the input but whole on the index; fix: layout('n@sp') on the index before it
  scatterAdd('v:9', y)))

export const cutOnTheIndex = program('wrong', mesh('sp=4'), { x: input('n:4 e:8@sp'), y: input('n:4@sp', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: dim 'n' is whole on the input but @sp on the index; fix: layout('n@sp') before it
  scatterAdd('v:9', y)))

export const keptCutsDiffer = program('wrong', mesh('sp=2 tp=2'), { x: input('b:4@sp n:4 e:8'), y: input('b:4@tp n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: dim 'b' is @sp on the input but @tp on the index; fix: layout('b@sp') on the index before it
  scatterAdd('v:9', y, { keep: 'b' })))

export const axisTwice = program('wrong', mesh('sp=4'), { x: input('b:4 n:4 e:8@sp'), y: input('b:4@sp n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ scatterAdd: mesh axis 'sp' would cut both 'b' and 'e'; fix: layout('') on the index before it
  scatterAdd('v:9', y, { keep: 'b' })))
