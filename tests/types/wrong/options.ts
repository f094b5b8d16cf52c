/** Options that an op doesn't have: they would be ignored in silence. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import { attention, layerNorm, rmsNorm, selfAttention } from '#ops/mod.ts'

export const causal = program('wrong', mesh('sp=1'), { x: input('s:16 h:4 d:8') }, ({ x }) => pipe(x,
  // ✗ attention: no option 'causal'; options are: over, features, heads, mask, maskKeys, ring
  attention({ over: 's', heads: 'h', features: 'd', causal: true })(x, x)))

export const scale = program('wrong', mesh('sp=1'), { x: input('s:16 h:4 d:8') }, ({ x }) => pipe(x,
  // ✗ attention: no option 'scale'; options are: over, features, heads, mask, maskKeys, ring
  attention({ over: 's', features: 'd', scale: 1 })(x, x)))

export const selfCausal = program('wrong', mesh('sp=1'), { x: input('part:3 s:16 h:4 d:8') }, ({ x }) => pipe(x,
  // ✗ selfAttention: no option 'causal'; options are: parts, over, features, heads, mask, maskKeys, ring
  selfAttention({ parts: 'part', over: 's', heads: 'h', features: 'd', causal: true })))

export const eps = program('wrong', mesh('sp=1'), { x: input('t:16 e:8'), w: input('e:8') }, ({ x, w }) => pipe(x,
  // ✗ layerNorm: no option 'eps'; options are: scale, shift, epsilon
  layerNorm('e', { scale: w, eps: 1e-5 })))

export const weight = program('wrong', mesh('sp=1'), { x: input('t:16 e:8'), w: input('e:8') }, ({ x, w }) => pipe(x,
  // ✗ rmsNorm: no option 'weight'; options are: scale, shift, epsilon
  rmsNorm('e', { scale: w, weight: w })))
