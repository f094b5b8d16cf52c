/** A dim that an op needs whole, or does not find. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, layout, mesh, program } from '#lib/mod.ts'
import { layerNorm, logSumExp, rmsNorm, select, slice, softmax, unstack, variance } from '#ops/mod.ts'

export const softmaxOfCut = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:1024 e:384') }, ({ x }) => pipe(x,
  // ✗ softmax needs dim 't' whole, but it is @sp; fix: layout('s@sp') before it (or 'e@sp')
  softmax('t')))

export const softmaxOfLastDim = program('wrong', mesh('sp=4'), { x: input('t:1 s:1024 e:384@sp') }, ({ x }) => pipe(x,
  // ✗ softmax needs dim 'e' whole, but it is @sp; fix: layout('s@sp') before it
  softmax('e')))

export const softmaxOfOnlyDim = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x,
  // ✗ softmax needs dim 't' whole, but it is @sp; fix: layout('') before it
  softmax('t')))

export const softmaxAfterSwitch = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:64 e:8') }, ({ x }) => pipe(x,
  softmax('s'),
  layout('s@sp'),
  // ✗ softmax needs dim 's' whole, but it is @sp; fix: layout('e@sp') before it (or 't@sp')
  softmax('s'),
  softmax('t')))

export const softmaxOnTwoAxes = program('wrong', mesh('sp=4 tp=2'), { x: input('b:2 t:16@sp+tp e:8') }, ({ x }) => pipe(x,
  // ✗ softmax needs dim 't' whole, but it is @sp+tp; fix: layout('e@sp+tp') before it (or 'b@sp+tp')
  softmax('t')))

export const softmaxKeepsOtherAxis = program('wrong', mesh('sp=4 tp=2'), { x: input('h:4@tp t:16@sp e:8') }, ({ x }) => pipe(x,
  // ✗ softmax needs dim 't' whole, but it is @sp; fix: layout('h@tp e@sp') before it
  softmax('t')))

export const softmaxOfMissing = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:1024 e:384') }, ({ x }) => pipe(x,
  // ✗ softmax: no dim 'w'; dims are: t, s, e
  softmax('w')))

export const softmaxOfTwo = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:1024 e:384') }, ({ x }) => pipe(x,
  // ✗ softmax: no dim 's e'; dims are: t, s, e
  softmax('s e')))

export const varianceOfCut = program('wrong', mesh('sp=4'), { x: input('t:16 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ variance needs dim 'e' whole, but it is @sp; fix: layout('t@sp') before it
  variance('e')))

export const logSumExpOfCut = program('wrong', mesh('sp=4'), { x: input('t:16 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ logSumExp needs dim 'e' whole, but it is @sp; fix: layout('t@sp') before it
  logSumExp('e')))

export const normOfCut = program('wrong', mesh('sp=4'), { x: input('t:16 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ layerNorm needs dim 'e' whole, but it is @sp; fix: layout('t@sp') before it
  layerNorm('e')))

export const normOfCutWithCutScale = program('wrong', mesh('sp=4'), { x: input('t:16 e:8@sp'), w: input('e:8@sp') }, ({ x, w }) => pipe(x,
  // ✗ rmsNorm needs dim 'e' whole, but it is @sp; fix: layout('') on the input and layout('') on the scale before it
  rmsNorm('e', { scale: w })))

export const normWithCutScale = program('wrong', mesh('sp=4'), { x: input('t:16 e:8'), w: input('e:8@sp') }, ({ x, w }) => pipe(x,
  // ✗ rmsNorm needs dim 'e' whole, but it is @sp on the scale; fix: layout('') on the scale before it
  rmsNorm('e', { scale: w })))

export const normWithLongScale = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8'), w: input('e:9') }, ({ x, w }) => pipe(x,
  // ✗ layerNorm: dim 'e' is 8 on the input but 9 on the shift
  layerNorm('e', { shift: w })))

export const normWithForeignScale = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8'), w: input('f:8') }, ({ x, w }) => pipe(x,
  // ✗ layerNorm: no dim 'f'; dims are: t, e
  layerNorm('e', { scale: w })))

export const sliceOfCut = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  // ✗ slice needs dim 't' whole, but it is @sp; fix: layout('e@sp') before it
  slice('t', { from: 2, count: 5 })))

export const selectOfCut = program('wrong', mesh('sp=3'), { x: input('part:3@sp e:8') }, ({ x }) => pipe(x,
  // ✗ select needs dim 'part' whole, but it is @sp; fix: layout('e@sp') before it
  select('part', 0)))

export const unstackOfCut = program('wrong', mesh('sp=3'), { x: input('part:3@sp e:8') }, ({ x }) => pipe(x,
  // ✗ unstack needs dim 'part' whole, but it is @sp; fix: layout('e@sp') before it
  unstack('part')))
