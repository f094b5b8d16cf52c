/** Gradients lie as what they are gradients of, and parameters become what lies as they do. */
import { pipe } from 'fp-ts/lib/function.js'
import { becomes, checkpoint, grad, input, layout, mesh, parameter, program, valueAndGrad } from '#lib/mod.ts'
import { ones, xavier, zeros } from '#lib/train/mod.ts'
import { gather, gelu, layerNorm, linear, mean, multiply, square, stopGradient, subtract } from '#ops/mod.ts'

export const descends = program('right', mesh('dp=2 sp=2'), { x: input('b:4@dp t:8@sp e:6'), w: parameter('f:6 e:6'), m: parameter('f:6@dp e:6') }, ({ x, w, m }) => {
  const [loss, slope] = valueAndGrad((of: typeof w) => pipe(x, linear(of, 'e'), gelu, square, mean('b t f')))(w)
  const next = pipe(w, subtract(pipe(slope, multiply(0.1))))
  return { loss, w: pipe(next, becomes(w)), m: pipe(slope, layout('f@dp'), becomes(m)) }
})

export const nested = program('right', mesh('sp=2'), { x: input('t:8@sp e:6'), w: parameter('f:6 e:6'), b: parameter('f:6') }, ({ x, w, b }) => {
  const layer = { weight: w, bias: b }
  const slopes = grad((of: typeof layer) => pipe(x, stopGradient, checkpoint(linear(of, 'e')), layerNorm('f'), square, mean('t f')))(layer)
  return { slopes, w: pipe(slopes.weight, becomes(w)), b: pipe(slopes.bias, becomes(b)) }
})

export const frozen = program('right', mesh('sp=2'), {
  table: parameter('v:9 e:6', xavier(), { trained: false }),
  ids: parameter('t:8@sp', 'i32', zeros, { trained: false }),
  mask: parameter('t:8@sp', 'bool', ones),
  given: parameter('t:8@sp e:6', { trained: false }),
  whole: parameter('t:8@sp', 'i32', { trained: true }),
}, ({ table, ids, given }) => pipe(table, gather('v', ids), subtract(given), square, mean('t e'), layout('')))
