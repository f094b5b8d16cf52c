/** contract and linear. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import { contract, linear } from '#ops/mod.ts'

export const missingLeft = program('wrong', mesh('tp=4'), { x: input('t:16 e:8'), w: input('c:8 f:32') }, ({ x, w }) => pipe(x,
  // ✗ contract: no dim 'c' on the left; dims are: t, e
  contract(w, 'c')))

export const missingRight = program('wrong', mesh('tp=4'), { x: input('t:16 e:8'), w: input('c:8 f:32') }, ({ x, w }) => pipe(x,
  // ✗ contract: no dim 'e' on the right; dims are: c, f
  contract(w, 'e')))

export const missingWeight = program('wrong', mesh('tp=4'), { x: input('t:16 e:8'), w: input('c:8 f:32') }, ({ x, w }) => pipe(x,
  // ✗ linear: no dim 'e' on the weight; dims are: c, f
  linear(w, 'e')))

export const sizes = program('wrong', mesh('tp=4'), { x: input('t:16 e:8'), w: input('e:9 f:32') }, ({ x, w }) => pipe(x,
  // ✗ linear: dim 'e' is 8 on the input but 9 on the weight
  linear(w, 'e')))

export const summedTwice = program('wrong', mesh('tp=4'), { x: input('t:16 e:8'), w: input('e:8 f:32') }, ({ x, w }) => pipe(x,
  // ✗ contract: dim 'e' is given twice
  contract(w, 'e e')))

export const cutLeft = program('wrong', mesh('tp=4'), { x: input('t:16 e:8@tp'), w: input('e:8 f:32') }, ({ x, w }) => pipe(x,
  // ✗ contract: dim 'e' is @tp on the left but whole on the right; fix: layout('e@tp') on the right before it
  contract(w, 'e')))

export const cutRight = program('wrong', mesh('tp=4 sp=2'), { x: input('t:16@sp e:8'), w: input('e:8@tp f:32') }, ({ x, w }) => pipe(x,
  // ✗ linear: dim 'e' is whole on the input but @tp on the weight; fix: layout('t@sp e@tp') before it
  linear(w, 'e')))

export const cutApart = program('wrong', mesh('tp=4 sp=2'), { x: input('t:16 e:8@sp'), w: input('e:8@tp f:32@sp') }, ({ x, w }) => pipe(x,
  // ✗ contract: dim 'e' is @sp on the left but @tp on the right; fix: layout('e@sp') on the right before it
  contract(w, 'e')))

export const axisTwice = program('wrong', mesh('tp=4'), { x: input('t:16@tp e:8'), w: input('e:8 f:32@tp') }, ({ x, w }) => pipe(x,
  // ✗ contract: mesh axis 'tp' would cut both 't' and 'f'; fix: layout('') on the right before it
  contract(w, 'e')))

export const types = program('wrong', mesh('tp=4'), { x: input('t:16 e:8', 'i32'), w: input('e:8 f:32', 'i32') }, ({ x, w }) => pipe(x,
  // ✗ contract needs f32, but its left is i32; fix: cast('f32') on the left before it
  contract(w, 'e')))

export const biasDim = program('wrong', mesh('tp=4'), { x: input('t:16 e:8'), w: input('e:8 f:32'), b: input('g:32') }, ({ x, w, b }) => pipe(x,
  // ✗ linear: no dim 'g' on the result; dims are: t, f
  linear({ weight: w, bias: b }, 'e')))

export const biasSize = program('wrong', mesh('tp=4'), { x: input('t:16 e:8'), w: input('e:8 f:32'), b: input('f:33') }, ({ x, w, b }) => pipe(x,
  // ✗ linear: dim 'f' is 32 on the result but 33 on the bias
  linear({ weight: w, bias: b }, 'e')))

export const biasCut = program('wrong', mesh('tp=4'), { x: input('t:16@tp e:8'), w: input('e:8 f:32'), b: input('f:32@tp') }, ({ x, w, b }) => pipe(x,
  // ✗ linear: mesh axis 'tp' would cut both 't' and 'f'; fix: layout('') on the bias before it
  linear({ weight: w, bias: b }, 'e')))
