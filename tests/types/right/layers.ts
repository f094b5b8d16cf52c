/** Declarations, layers and whole programs. */
import { pipe } from 'fp-ts/lib/function.js'
import { expect, input, layout, mesh, output, parameter, program, residual, seq } from '#lib/mod.ts'
import { add, contract, gelu, layerNorm, linear, multiply, softmax, sum } from '#ops/mod.ts'

export const declared = program('right', mesh('dp=2 sp=2 tp=2'), { x: input('b:2@dp t:16@sp+tp s:8') }, ({ x }) => pipe(x,
  layout('b@dp s@sp t@tp'), layout('s@tp+sp'), layout(''), layout('s@?')))

export const finishes = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x, sum('t'), layout('e@sp'), gelu))

export const expected = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x, layout('e@sp'), expect('t:16 e:8@sp')))

export const sequence = program('right', mesh('sp=4'), { x: input('t:16@sp s:8 e:4'), w: input('e:4 f:4') }, ({ x, w }) => {
  const stages = seq(softmax('e'), linear(w, 'e'), gelu)
  return pipe(x, stages, layout('s@sp'), seq(softmax('f'), softmax('t')))
})

export const residuals = program('right', mesh('sp=4'), { x: input('t:16@sp s:8 e:4'), w: input('e:4 f:4'), v: input('f:4 e:4'), g: input('e:4') }, ({ x, w, v, g }) => {
  const layer = residual(layerNorm('e'), linear(w, 'e'), gelu, linear(v, 'f'), multiply(g))
  return pipe(x, layer, layout('s@sp'), layer)
})

export const pendingResidual = program('right', mesh('tp=4'), { x: input('t:16 e:8@tp'), w: input('e:8@tp f:4') }, ({ x, w }) => pipe(x,
  contract(w, 'e'), residual(multiply(0.5)), layout(''), gelu))

export const residualAddsCut = program('right', mesh('sp=4'), { x: input('t:16 e:8') }, ({ x }) => pipe(x, residual(layout('t@sp'), gelu)))

export const nested = program('right', mesh('sp=4'), {
  x: input('t:16@sp e:8'), layers: [{ up: parameter('e:8 f:32'), down: parameter('f:32 e:8') }, { up: parameter('e:8 f:16'), down: parameter('f:16 e:8') }],
}, ({ x, layers: [first, second] }) => pipe(x,
  residual(linear(first.up, 'e'), gelu, linear(first.down, 'f')), residual(linear(second.up, 'e'), gelu, linear(second.down, 'f'))))

export const outputs = program('right', mesh('sp=4'), { x: input('t:16@sp s:1024') }, { y: output('t:16@sp s:1024'), ids: output('t:16 s:1024@sp') },
  ({ x }) => ({ y: pipe(x, gelu), ids: pipe(x, layout('s@sp')), others: [pipe(x, add(1))] }))

export const givenBack = program('right', mesh('sp=4'), { x: input('t:16@sp s:4') }, ({ x }) => x)
