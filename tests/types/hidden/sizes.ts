/** Sizes that the types only know as `number`: nothing is said in the editor, and the trace says it in the same words. */
import { pipe } from 'fp-ts/lib/function.js'
import { expect, input, mesh, output, program, residual } from '#lib/mod.ts'
import {
  add, attention, concat, contract, fill, gather, gelu, layerNorm, linear, merge, multiply, pad, select, selfAttention, slice, split, where,
} from '#ops/mod.ts'

/** The size, without its digits in the type. */
const n = (size: number): number => size

export const left = program('hidden', mesh('sp=4'), { x: input(`t:16@sp e:${n(384)}`), y: input('e:512') }, ({ x, y }) => pipe(x,
  // ✗ add: dim 'e' is 384 on the left but 512 on the right
  add(y)))

export const right = program('hidden', mesh('sp=4'), { x: input('t:16@sp e:384'), y: input(`e:${n(512)}`) }, ({ x, y }) => pipe(x,
  // ✗ multiply: dim 'e' is 384 on the left but 512 on the right
  multiply(y)))

export const condition = program('hidden', mesh('sp=4'), { x: input(`t:${n(16)}@sp`, 'bool'), y: input('t:16'), z: input('t:17') }, ({ x, y }) => pipe(x,
  // ✗ where: dim 't' is 16 on the condition but 17 on the right
  where(y, fill(`t:${n(17)}`, 0))))

export const weight = program('hidden', mesh('tp=4'), { x: input('t:16 e:8'), w: input(`e:${n(9)} f:32`) }, ({ x, w }) => pipe(x,
  // ✗ linear: dim 'e' is 8 on the input but 9 on the weight
  linear(w, 'e')))

export const bias = program('hidden', mesh('tp=4'), { x: input('t:16 e:8'), w: input(`e:8 f:${n(32)}`), b: input('f:33') }, ({ x, w, b }) => pipe(x,
  // ✗ linear: dim 'f' is 32 on the result but 33 on the bias
  linear({ weight: w, bias: b }, 'e')))

export const summed = program('hidden', mesh('tp=4'), { x: input(`t:16 e:${n(8)}`), w: input(`e:${n(9)} f:32`) }, ({ x, w }) => pipe(x,
  // ✗ contract: dim 'e' is 8 on the left but 9 on the right
  contract(w, 'e')))

export const scale = program('hidden', mesh('sp=4'), { x: input('t:16@sp e:8'), w: input(`e:${n(9)}`) }, ({ x, w }) => pipe(x,
  // ✗ layerNorm: dim 'e' is 8 on the input but 9 on the shift
  layerNorm('e', { shift: w })))

export const heads = program('hidden', mesh('sp=4'), { x: input('t:16 h:4 d:8'), k: input(`s:16 h:${n(2)} d:8`) }, ({ x, k }) => pipe(x,
  // ✗ attention: dim 'h' is 4 on the query but 2 on the key
  attention({ over: 's', heads: 'h', features: 'd' })(k, k)))

export const values = program('hidden', mesh('sp=4'), { x: input('t:16 h:4 d:8'), k: input('s:16 h:4 d:8'), v: input(`s:${n(17)} h:4 d:8`) }, ({ x, k, v }) => pipe(x,
  // ✗ attention: dim 's' is 16 on the key but 17 on the value
  attention({ over: 's', heads: 'h', features: 'd' })(k, v)))

export const mask = program('hidden', mesh('sp=2'), { x: input('t:16 h:4 d:8'), k: input('s:16 h:4 d:8'), m: input(`t:16 s:${n(15)}`, 'bool') }, ({ x, k, m }) => pipe(x,
  // ✗ attention: dim 's' is 16 on the key but 15 on the mask
  attention({ over: 's', heads: 'h', features: 'd', mask: m })(k, k)))

export const parts = program('hidden', mesh('sp=4'), { x: input(`t:16 s:16 part:${n(2)} h:4 d:8`) }, ({ x }) => pipe(x,
  // ✗ selfAttention needs 3 positions of 'part', but there are 2
  selfAttention({ parts: 'part', over: 's', heads: 'h', features: 'd' })))

export const splitDim = program('hidden', mesh('sp=4'), { x: input(`t:16@sp e:${n(384)}`) }, ({ x }) => pipe(x,
  // ✗ split: h:5 × d:77 = 385, but 'e' is 384
  split('e', 'h:5 d:77')))

export const splitParts = program('hidden', mesh('sp=4'), { x: input('t:16@sp e:384') }, ({ x }) => pipe(x,
  // ✗ split: h:5 × d:77 = 385, but 'e' is 384
  split('e', `h:${n(5)} d:77`)))

export const splitMajor = program('hidden', mesh('sp=4'), { x: input('t:16 e:384@sp') }, ({ x }) => pipe(x,
  // ✗ split: 'e' is @sp, but its 4 ranks do not divide 'h:6'; fix: layout('t@sp') before it
  split('e', `h:${n(6)} d:64`)))

export const ranks = program('hidden', mesh(`sp=${n(4)}`), { x: input('t:16 e:384@sp') }, ({ x }) => pipe(x,
  // ✗ split: 'e' is @sp, but its 4 ranks do not divide 'h:6'; fix: layout('t@sp') before it
  split('e', 'h:6 d:64')))

export const mergeMajor = program('hidden', mesh('sp=4'), { x: input(`t:16 h:${n(6)}@sp d:8`) }, ({ x }) => pipe(x,
  // ✗ merge: 'h' is @sp, but its 4 ranks do not divide 'h:6'; fix: layout('t@sp') before it
  merge('h d', 'f')))

export const slicedSize = program('hidden', mesh('sp=4'), { x: input(`t:${n(16)} e:8@sp`) }, ({ x }) => pipe(x,
  // ✗ slice: { from: 12, count: 5 } is outside 't', which is 16
  slice('t', { from: 12, count: 5 })))

export const slicedFrom = program('hidden', mesh('sp=4'), { x: input('t:16 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ slice: { from: 12, count: 5 } is outside 't', which is 16
  slice('t', { from: n(12), count: 5 })))

export const selected = program('hidden', mesh('sp=4'), { x: input('part:3 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ select: position 3 is outside 'part', which is 3
  select('part', n(3))))

export const padded = program('hidden', mesh('sp=4'), { x: input('t:16 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ pad: 'before' is -1, not a number of positions
  pad('t', { before: n(-1) })))

export const number = program('hidden', mesh('sp=4'), { x: input('t:16 e:8@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ multiply: 0.5 is not a whole number, but the input is i32; fix: cast('f32') before it
  multiply(n(0.5))))

export const joined = program('hidden', mesh('sp=4'), { x: input(`t:16 e:${n(8)}`), y: input('t:4 e:9') }, ({ x, y }) => pipe(x,
  // ✗ concat: dim 'e' is 8 on the left but 9 on the right
  concat('t', y)))

export const batch = program('hidden', mesh('sp=4'), { x: input(`b:${n(2)} v:100 e:8`), y: input('b:3 n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ gather: dim 'b' is 2 on the table but 3 on the index
  gather('v', y)))

export const expected = program('hidden', mesh('sp=4'), { x: input(`t:${n(16)}@sp s:8`) }, ({ x }) => pipe(x,
  // ✗ expect: the tensor is t:16@sp s:8, not t:17@sp s:8
  expect('t:17@sp s:8')))

export const residualSize = program('hidden', mesh('sp=4'), { x: input(`t:16@sp e:${n(4)}`), w: input('f:5 e:4') }, ({ x, w }) => pipe(x,
  // ✗ residual: dim 'e' is 4 on the input but 5 on the result
  residual(linear(w, 'e'), pad('f', {}), split('f', 'e:5'))))

export const declared = program('hidden', mesh('sp=4'), { x: input(`t:${n(16)}@sp s:1024`) }, { y: output('t:17@sp s:1024') }, ({ x }) => ({
  // ✗ output 'y' is declared t:17@sp s:1024 but the body gives t:16@sp s:1024
  y: pipe(x, gelu),
}))

const words = (text: string): string => text

export const dim = program('hidden', mesh('sp=4'), { x: input('t:16@sp s:1024') }, ({ x }) => pipe(x,
  // ✗ layerNorm: no dim 'w'; dims are: t, s
  layerNorm(words('w'))))

export const oneOfSeveral = program('hidden', mesh('sp=4'), { x: input('t:16@sp s:1024') }, ({ x }) => pipe(x,
  // ✗ layerNorm needs dim 't' whole, but it is @sp; fix: layout('s@sp') before it
  layerNorm(words('t') as 's' | 't')))

export const spec = program('hidden', mesh('sp=4'), { x: input(words('t:16@sp s:1024')) }, ({ x }) => pipe(x,
  // ✗ layerNorm needs dim 't' whole, but it is @sp; fix: layout('s@sp') before it
  layerNorm('t')))
