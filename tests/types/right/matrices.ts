/** contract, linear and attention. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, layout, mesh, program, sumOver } from '#lib/mod.ts'
import { add, attention, contract, gelu, linear, merge, multiply, selfAttention, split, unstack } from '#ops/mod.ts'

const over = { over: 's', heads: 'h', features: 'd' } as const

export const local = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), w: input('e:8 f:32') }, ({ x, w }) => pipe(x, contract(w, 'e')))

export const column = program('right', mesh('tp=4'), { x: input('t:16 e:8'), w: input('f:32@tp e:8'), b: input('f:32@tp') }, ({ x, w, b }) => pipe(x,
  linear({ weight: w, bias: b }, 'e'), gelu))

export const row = program('right', mesh('tp=4'), { x: input('t:16 f:32@tp'), w: input('f:32@tp e:8'), b: input('e:8') }, ({ x, w, b }) => pipe(x,
  contract(w, 'f'), sumOver('tp'), add(b)))

export const megatron = program('right', mesh('tp=4'), {
  x: input('b:2 t:16 e:8'), up: { weight: input('e:8 f:32@tp'), bias: input('f:32@tp') }, down: input('f:32@tp e:8'),
}, ({ x, up, down }) => pipe(x, linear(up, 'e'), gelu, linear(down, 'f'), layout('t@tp')))

export const batched = program('right', mesh('sp=4'), { x: input('b:2 h:4@sp t:16 d:8'), y: input('b:2 h:4@sp s:16 d:8') }, ({ x, y }) => pipe(x, contract(y, 'd')))

export const severalSummed = program('right', mesh('sp=2 tp=2'), { x: input('t:16 h:4@tp d:8@sp'), w: input('d:8@sp h:4@tp e:8') }, ({ x, w }) => pipe(x,
  contract(w, 'd h')))

export const biasAddsCut = program('right', mesh('tp=4'), { x: input('t:16 e:8'), w: input('e:8 f:32'), b: input('f:32@tp') }, ({ x, w, b }) => pipe(x,
  linear({ weight: w, bias: b }, 'e')))

export const pendingTimesWhole = program('right', mesh('tp=4'), { x: input('t:16 e:8@tp'), w: input('e:8@tp f:4'), v: input('f:4 g:2') }, ({ x, w, v }) => pipe(x,
  contract(w, 'e'), multiply(2), linear(v, 'f')))

export const undecidedSum = program('right', mesh('tp=4'), { x: input('t:16 e:8@?'), w: input('e:8@tp f:4@?') }, ({ x, w }) => pipe(x, contract(w, 'e'), gelu))

export const crossAttention = program('right', mesh('sp=4'), { x: input('b:2 t:16@sp h:4 d:8'), k: input('b:2 s:5 h:4 d:8') }, ({ x, k }) => pipe(x,
  attention(over)(k, k)))

export const attentionOverItself = program('right', mesh('sp=4'), { x: input('b:2 t:4@sp s:16 h:4 d:8') }, ({ x }) => pipe(x, attention(over)(x, x)))

export const cutHeads = program('right', mesh('sp=4'), { x: input('b:2 s:16 h:4@sp d:8') }, ({ x }) => pipe(x, attention(over)(x, x)))

export const cutQueriesOfItself = program('right', mesh('sp=4'), { x: input('b:2 s:16@sp h:4 d:8'), k: input('b:2 s:16 h:4 d:8') }, ({ x, k }) => pipe(x,
  attention(over)(k, k)))

export const keysAddCut = program('right', mesh('sp=4'), { x: input('t:16 h:4 d:8'), k: input('s:5 h:4@sp d:8') }, ({ x, k }) => pipe(x, attention(over)(k, k)))

export const masked = program('right', mesh('sp=4'), { x: input('t:16@sp h:4 d:8'), k: input('s:5 h:4 d:8'), m: input('t:16@sp s:5', 'bool') }, ({ x, k, m }) => pipe(x,
  attention({ ...over, mask: m })(k, k)))

export const maskedItself = program('right', mesh('sp=4'), { x: input('s:16@sp h:4 d:8'), k: input('s:16 h:4 d:8'), m: input('s:16@sp r:16') }, ({ x, k, m }) => pipe(x,
  attention({ ...over, mask: m, maskKeys: 'r' })(k, k)))

export const selfAttentionLayer = program('right', mesh('sp=4'), {
  x: input('b:2 t:4@sp s:16 e:32'), qkv: { weight: input('f:96 e:32'), bias: input('f:96') }, out: input('e:32 f:32'),
}, ({ x, qkv, out }) => pipe(x,
  linear(qkv, 'e'), split('f', 'part:3 h:4 d:8'), selfAttention({ parts: 'part', ...over }), merge('h d', 'f'), linear(out, 'f')))

export const unstacked = program('right', mesh('sp=4'), { x: input('t:4@sp s:16 part:3 h:4 d:8') }, ({ x }) => {
  const [q, k, v] = pipe(x, unstack('part'))
  return pipe(q, attention(over)(k, v), merge('h d', 'e'))
})

const round = { ...over, ring: 'sp' } as const

export const ring = program('right', mesh('sp=4'), { x: input('b:2 s:16@sp h:4 d:8') }, ({ x }) => pipe(x, attention(round)(x, x)))

export const ringOfOthers = program('right', mesh('dp=2 sp=4'), { x: input('b:2@dp s:16@sp h:4 d:8'), k: input('b:2@dp s:5@sp h:4 d:8'), v: input('s:5@sp b:2 h:4 d:8') },
  ({ x, k, v }) => pipe(x, attention(round)(k, v)))

export const ringByAnotherDim = program('right', mesh('sp=4'), { x: input('t:16@sp h:4 d:8'), k: input('s:3@sp h:4 d:8') }, ({ x, k }) => pipe(x, attention(round)(k, k)))

export const ringOfFinerQueries = program('right', mesh('sp=4 tp=2'), { x: input('s:16@tp+sp h:4 d:8'), k: input('s:16@sp h:4 d:8') }, ({ x, k }) => pipe(x,
  attention(round)(k, k)))

export const ringAndHeads = program('right', mesh('sp=2 u=2'), { x: input('b:2 s:16@sp h:4@u d:8') }, ({ x }) => pipe(x, attention(round)(x, x), merge('h d', 'e')))

export const ringMasked = program('right', mesh('sp=4'), { x: input('s:16@sp h:4 d:8'), m: input('s:16@sp r:16', 'bool') }, ({ x, m }) => pipe(x,
  attention({ ...round, mask: m, maskKeys: 'r' })(x, x)))

export const ringUndecided = program('right', mesh('sp=4'), { x: input('s:16@? h:4 d:8'), k: input('s:16@? h:4 d:8') }, ({ x, k }) => pipe(x, attention(round)(k, k)))

export const selfRing = program('right', mesh('sp=2 u=2'), { x: input('b:2 s:16@sp part:3 h:4@u d:8') }, ({ x }) => pipe(x, selfAttention({ parts: 'part', ...round })))
