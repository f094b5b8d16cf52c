/** Functions of one, two or three elements: sizes, cuts and types that don't fit. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import {
  add, and, cast, divide, equal, exp, greater, less, maximum, minimum, multiply, negate, not, pad, power, softmax, subtract, sum, where,
} from '#ops/mod.ts'

export const sizesDiffer = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:384'), y: input('e:512') }, ({ x, y }) => pipe(x,
  // ✗ add: dim 'e' is 384 on the left but 512 on the right
  add(y)))

export const cutsDiffer = program('wrong', mesh('sp=2 tp=2'), { x: input('t:16@sp e:8'), y: input('t:16@tp e:8') }, ({ x, y }) => pipe(x,
  // ✗ add: dim 't' is @sp on the left but @tp on the right; fix: layout('t@sp') on the right before it
  add(y)))

export const cutsDifferInOrder = program('wrong', mesh('sp=2 tp=2'), { x: input('t:16@sp+tp e:8'), y: input('t:16@tp+sp') }, ({ x, y }) => pipe(x,
  // ✗ multiply: dim 't' is @sp+tp on the left but @tp+sp on the right; fix: layout('t@sp+tp') on the right before it
  multiply(y)))

export const cutsDifferAndTakeAxes = program('wrong', mesh('sp=2 tp=2'), { x: input('t:16@sp e:8'), y: input('t:16@tp e:8@sp') }, ({ x, y }) => pipe(x,
  // ✗ add: dim 't' is @sp on the left but @tp on the right; fix: layout('t@sp') on the right before it
  add(y)))

export const axisTwice = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8'), y: input('e:8@sp') }, ({ x, y }) => pipe(x,
  // ✗ add: mesh axis 'sp' would cut both 't' and 'e'; fix: layout('') on the right before it
  add(y)))

export const axisTwiceByBroadcast = program('wrong', mesh('sp=2 tp=2'), { x: input('t:16@sp e:8'), y: input('h:4@sp e:8@tp') }, ({ x, y }) => pipe(x,
  // ✗ greater: mesh axis 'sp' would cut both 'h' and 't'; fix: layout('e@tp') on the right before it
  greater(y)))

export const typesDiffer = program('wrong', mesh('sp=4'), { x: input('t:16@sp'), y: input('t:16@sp', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ add: the left is f32 but the right is i32; fix: cast('f32') on the right before it
  add(y)))

export const arithmeticOnTruth = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'bool') }, ({ x }) => pipe(x,
  // ✗ multiply needs f32 or i32, but its input is bool; fix: cast('f32') before it
  multiply(2)))

export const fractionOfInteger = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ multiply: 0.5 is not a whole number, but the input is i32; fix: cast('f32') before it
  multiply(0.5)))

export const smallFractionOfInteger = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ maximum: 1e-7 is not a whole number, but the input is i32; fix: cast('f32') before it
  maximum(1e-7)))

export const addsTooMuch = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ add: 3000000000 is outside i32 (-2147483648 to 2147483647), but the input is i32; fix: cast('f32') before it
  add(3e9)))

export const justAbove = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ less: 2147483648 is outside i32 (-2147483648 to 2147483647), but the input is i32; fix: cast('f32') before it
  less(2147483648)))

export const justBelow = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ subtract: -2147483649 is outside i32 (-2147483648 to 2147483647), but the input is i32; fix: cast('f32') before it
  subtract(-2147483649)))

export const farAbove = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ minimum: 1.5e+21 is outside i32 (-2147483648 to 2147483647), but the input is i32; fix: cast('f32') before it
  minimum(1.5e21)))

export const dividedByZero = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ divide: an i32 has no value when divided by 0; fix: cast('f32') before it
  divide(0)))

export const truthEqualsTwo = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'bool') }, ({ x }) => pipe(x,
  // ✗ equal: 2 is not 0 or 1, but the input is bool; fix: cast('f32') before it
  equal(2)))

export const padWithFraction = program('wrong', mesh('sp=4'), { x: input('t:16', 'i32') }, ({ x }) => pipe(x,
  // ✗ pad: 0.5 is not a whole number, but the input is i32; fix: cast('f32') before it
  pad('t', { before: 1, value: 0.5 })))

export const padWithTooMuch = program('wrong', mesh('sp=4'), { x: input('t:16', 'i32') }, ({ x }) => pipe(x,
  // ✗ pad: 4294967296 is outside i32 (-2147483648 to 2147483647), but the input is i32; fix: cast('f32') before it
  pad('t', { after: 1, value: 4294967296 })))

export const padTruthWithNumber = program('wrong', mesh('sp=4'), { x: input('t:16', 'bool') }, ({ x }) => pipe(x,
  // ✗ pad: -1 is not 0 or 1, but the input is bool; fix: cast('f32') before it
  pad('t', { before: 1, after: 2, value: -1 })))

export const padNumbersWithTruth = program('wrong', mesh('sp=4'), { x: input('t:16') }, ({ x }) => pipe(x,
  // ✗ pad: true is not a number, but the input is f32
  pad('t', { before: 1, after: 2, value: true })))

export const powerOfInteger = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ power needs f32, but its input is i32; fix: cast('f32') before it
  power(2)))

export const expOfInteger = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ exp needs f32, but its input is i32; fix: cast('f32') before it
  exp))

export const negateOfTruth = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x,
  greater(0),
  // ✗ negate needs f32, but its input is bool; fix: cast('f32') before it
  negate))

export const softmaxOfInteger = program('wrong', mesh('sp=4'), { x: input('t:16', 'i32') }, ({ x }) => pipe(x,
  // ✗ softmax needs f32, but its input is i32; fix: cast('f32') before it
  softmax('t')))

export const sumOfTruth = program('wrong', mesh('sp=4'), { x: input('t:16', 'bool') }, ({ x }) => pipe(x,
  // ✗ sum needs f32, but its input is bool; fix: cast('f32') before it
  sum('t')))

export const notOfNumbers = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, ({ x }) => pipe(x,
  // ✗ not needs bool, but its input is f32; fix: cast('bool') before it
  not))

export const andOfNumbers = program('wrong', mesh('sp=4'), { x: input('t:16@sp'), y: input('t:16@sp') }, ({ x, y }) => pipe(x,
  // ✗ and needs bool, but its left is f32; fix: cast('bool') on the left before it
  and(y)))

export const equalOfTypes = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32'), y: input('t:16@sp') }, ({ x, y }) => pipe(x,
  // ✗ equal: the left is i32 but the right is f32; fix: cast('i32') on the right before it
  equal(y),
  cast('f32')))

export const whereNeedsTruth = program('wrong', mesh('sp=4'), { x: input('t:16@sp'), y: input('t:16'), z: input('t:16') }, ({ x, y, z }) => pipe(x,
  // ✗ where needs bool, but its condition is f32; fix: cast('bool') on the condition before it
  where(y, z)))

export const whereOfSizes = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'bool'), y: input('t:16'), z: input('t:17') }, ({ x, y, z }) => pipe(x,
  // ✗ where: dim 't' is 16 on the condition but 17 on the right
  where(y, z)))

export const whereOfTypes = program('wrong', mesh('sp=4'), { x: input('t:16', 'bool'), y: input('t:16'), z: input('t:16', 'i32') }, ({ x, y, z }) => pipe(x,
  // ✗ where: the left is f32 but the right is i32; fix: cast('f32') on the right before it
  where(y, z)))

export const whereOfCuts = program('wrong', mesh('sp=2 tp=2'), { x: input('t:16@sp', 'bool'), y: input('t:16@tp'), z: input('t:16') }, ({ x, y, z }) => pipe(x,
  // ✗ where: dim 't' is @sp on the condition but @tp on the left; fix: layout('t@sp') on the left before it
  where(y, z)))
