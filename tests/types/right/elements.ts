/** Functions of one, two or three elements. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, layout, mesh, program } from '#lib/mod.ts'
import {
  absolute, add, and, cast, cos, divide, equal, erf, exp, gelu, geluErf, greater, greaterOrEqual, less, lessOrEqual, log, logSigmoid, maximum, minimum,
  multiply, negate, not, or, pad, power, reciprocal, relu, rsqrt, sigmoid, silu, sin, softplus, sqrt, square, subtract, tanh, where,
} from '#ops/mod.ts'

export const unary = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(
  pipe(x, absolute, cos, erf, exp, gelu, geluErf, log, negate, reciprocal, relu),
  rsqrt, sigmoid, silu, sin, sqrt, square, tanh, softplus, logSigmoid))

export const numbers = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  add(1), subtract(0.5), multiply(-2), divide(3), power(2), maximum(0), minimum(6)))

export const integers = program('right', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  multiply(2), add(1), maximum(0), subtract(x), cast('f32'), divide(2.5)))

export const limitsOfIntegers = program('right', mesh('sp=4'), { x: input('t:16@sp s:4', 'i32') }, ({ x }) => pipe(x,
  maximum(-2147483648), minimum(2147483647), divide(-1), add(-0), pad('s', { before: 1, value: -2147483648 }), equal(2147483647)))

export const numbersOfAllKinds = program('right', mesh('sp=4'), { x: input('t:16@sp s:4') }, ({ x }) => pipe(x,
  add(1e300), maximum(-Infinity), multiply(NaN), divide(0), pad('s', { after: 1, value: -Infinity }), add(1e-7)))

export const truths = program('right', mesh('sp=4'), { x: input('t:16@sp s:4', 'bool') }, ({ x }) => pipe(x,
  equal(1), pad('s', { before: 1, value: true }), pad('s', { after: 1, value: 0 }), pad('s', { after: 1 }), equal(0)))

export const sameLayout = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), y: input('t:16@sp e:8') }, ({ x, y }) => pipe(x, add(y)))

export const byName = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), y: input('e:8 t:16@sp') }, ({ x, y }) => pipe(x, subtract(y)))

export const missingDim = program('right', mesh('sp=4'), { x: input('b:2 t:16@sp e:8'), y: input('e:8') }, ({ x, y }) => pipe(x, multiply(y)))

export const newDim = program('right', mesh('sp=4'), { x: input('e:8'), y: input('b:2 t:16@sp') }, ({ x, y }) => pipe(x, maximum(y)))

export const wholeMeetsCut = program('right', mesh('sp=4'), { x: input('t:16 e:8'), y: input('t:16@sp') }, ({ x, y }) => pipe(x, minimum(y)))

export const twoAxes = program('right', mesh('dp=2 sp=4'), { x: input('b:2@dp t:16@sp e:8'), y: input('t:16@sp b:2') }, ({ x, y }) => pipe(x, divide(y)))

export const twoAxesOnOneDim = program('right', mesh('dp=2 sp=4'), { x: input('t:16@sp+dp e:8'), y: input('t:16@sp+dp') }, ({ x, y }) => pipe(x, power(y)))

export const scalar = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), y: input('') }, ({ x, y }) => pipe(x, multiply(y)))

export const comparisons = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), y: input('e:8') }, ({ x, y }) => pipe(x,
  greater(y), and(pipe(x, less(0.5))), or(pipe(x, equal(y))), and(pipe(x, lessOrEqual(y))), or(pipe(x, greaterOrEqual(1))), not))

export const choice = program('right', mesh('sp=4'), { c: input('t:16', 'bool'), x: input('e:8 t:16@sp'), y: input('e:8') }, ({ c, x, y }) => pipe(c, where(x, y)))

export const casts = program('right', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x, cast('i32'), cast('bool'), cast('f32')))

export const undecided = program('right', mesh('sp=4'), { x: input('t:16@? s:8@? e:4'), y: input('t:16@sp e:4') }, ({ x, y }) => pipe(x, add(y), gelu))

export const undecidedThenDeclared = program('right', mesh('sp=4'), { x: input('t:16@? s:8@?'), y: input('t:16 s:8@sp') }, ({ x, y }) => pipe(x,
  exp, layout('s@sp'), add(y)))
