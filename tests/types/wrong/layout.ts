/** Declarations and layers. */
import { pipe } from 'fp-ts/lib/function.js'
import { expect, input, layout, mesh, program, residual, seq } from '#lib/mod.ts'
import { gelu, linear, softmax, sum } from '#ops/mod.ts'

export const axis = program('wrong', mesh('sp=4'), { x: input('t:16 s:8') }, ({ x }) => pipe(x,
  // ✗ layout: no mesh axis 'tp'; the mesh has: sp
  layout('s@tp')))

export const dim = program('wrong', mesh('sp=4'), { x: input('t:16 s:8') }, ({ x }) => pipe(x,
  // ✗ layout: no dim 'w'; dims are: t, s
  layout('w@sp')))

export const axisTwice = program('wrong', mesh('sp=4'), { x: input('t:16 s:8') }, ({ x }) => pipe(x,
  // ✗ layout: mesh axis 'sp' would cut both 't' and 's'
  layout('s@sp t@sp')))

export const axisRepeated = program('wrong', mesh('sp=4 tp=2'), { x: input('t:16 s:8') }, ({ x }) => pipe(x,
  // ✗ layout: mesh axis 'sp' cuts 't' twice
  layout('t@sp+tp+sp')))

export const dimTwice = program('wrong', mesh('sp=4 tp=2'), { x: input('t:16 s:8') }, ({ x }) => pipe(x,
  // ✗ layout: dim 't' is given twice
  layout('t@sp t@tp')))

export const form = program('wrong', mesh('sp=4'), { x: input('t:16 s:8') }, ({ x }) => pipe(x,
  // ✗ layout: 't:sp' is not of the form dim@axis
  layout('t:sp')))

export const unexpected = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:8') }, ({ x }) => pipe(x,
  // ✗ expect: the tensor is t:16@sp s:8, not t:16 s:8@sp
  expect('t:16 s:8@sp')))

export const insideSeq = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:8 e:4') }, ({ x }) => pipe(x,
  // ✗ softmax needs dim 't' whole, but it is @sp; fix: layout('s@sp') before it (or 'e@sp')
  seq(softmax('s'), softmax('t'))))

export const insideResidual = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:8 e:4') }, ({ x }) => pipe(x,
  // ✗ softmax: no dim 'f'; dims are: t, s, e
  residual(gelu, seq(softmax('f')))))

export const residualDims = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:4'), w: input('e:4 f:4') }, ({ x, w }) => pipe(x,
  // ✗ residual: the stages turn dims t, e into t, f
  residual(linear(w, 'e'))))

export const residualFolds = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:4') }, ({ x }) => pipe(x,
  // ✗ residual: the stages turn dims t, e into t
  residual(sum('e'))))

export const residualCuts = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:4') }, ({ x }) => pipe(x,
  // ✗ residual: mesh axis 'sp' would cut both 't' and 'e'; fix: layout('') on the result before it
  residual(layout('e@sp'), gelu)))
