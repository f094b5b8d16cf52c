/** Pending sums and extremes where they can't be. */
import { pipe } from 'fp-ts/lib/function.js'
import { expect, input, layout, mesh, program, sumOver } from '#lib/mod.ts'
import { add, attention, cast, concat, contract, divide, exp, gather, gelu, greater, layerNorm, linear, max, mean, min, multiply, negate, pad, rename, softmax, sum, where } from '#ops/mod.ts'

const matrices = { x: input('t:16 e:8@tp'), w: input('e:8@tp f:32'), y: input('t:16 f:32') }

export const geluOfSum = program('wrong', mesh('tp=4'), matrices, ({ x, w }) => pipe(x,
  contract(w, 'e'),
  // ✗ gelu is not linear: its input is a pending sum over 'tp'; fix: layout('') or sumOver('tp') before it
  gelu))

export const sumKeepsLayout = program('wrong', mesh('sp=4 tp=2'), { x: input('t:16@sp e:8@tp s:4') }, ({ x }) => pipe(x,
  sum('e'),
  // ✗ exp is not linear: its input is a pending sum over 'tp'; fix: layout('t@sp') or sumOver('tp') before it
  exp))

export const sumOverTwoAxes = program('wrong', mesh('sp=4 tp=2'), { x: input('t:16 e:8@sp+tp') }, ({ x }) => pipe(x,
  mean('e'),
  // ✗ softmax is not linear: its input is a pending sum over 'sp+tp'; fix: layout('') before it
  softmax('t')))

export const normOfSum = program('wrong', mesh('tp=4'), matrices, ({ x, w }) => pipe(x,
  contract(w, 'e'),
  // ✗ layerNorm is not linear: its input is a pending sum over 'tp'; fix: layout('') or sumOver('tp') before it
  layerNorm('f')))

export const castOfSum = program('wrong', mesh('tp=4'), matrices, ({ x }) => pipe(x,
  sum('e'),
  // ✗ cast is not linear: its input is a pending sum over 'tp'; fix: layout('') or sumOver('tp') before it
  cast('i32')))

export const padOfSum = program('wrong', mesh('tp=4'), matrices, ({ x }) => pipe(x,
  sum('e'),
  // ✗ pad is not linear: its input is a pending sum over 'tp'; fix: layout('') or sumOver('tp') before it
  pad('t', { before: 1 })))

export const numberAdded = program('wrong', mesh('tp=4'), matrices, ({ x }) => pipe(x,
  sum('e'),
  // ✗ add is not linear: its input is a pending sum over 'tp'; fix: layout('') or sumOver('tp') before it
  add(1)))

export const compared = program('wrong', mesh('tp=4'), matrices, ({ x }) => pipe(x,
  sum('e'),
  // ✗ greater is not linear: its input is a pending sum over 'tp'; fix: layout('') or sumOver('tp') before it
  greater(0)))

export const onlyLeft = program('wrong', mesh('tp=4'), matrices, ({ x, w, y }) => pipe(x,
  contract(w, 'e'),
  // ✗ add: its left is a pending sum over 'tp' but its right is not; fix: layout('') or sumOver('tp') on the left before it
  add(y)))

export const onlyRight = program('wrong', mesh('tp=4'), matrices, ({ x, w, y }) => {
  const product = pipe(x, contract(w, 'e'))
  return pipe(y,
    // ✗ add: its right is a pending sum over 'tp' but its left is not; fix: layout('') or sumOver('tp') on the right before it
    add(product))
})

export const apart = program('wrong', mesh('sp=2 tp=2'), { x: input('t:4 e:8@tp'), z: input('t:4 s:8@sp') }, ({ x, z }) => {
  const y = pipe(z, sum('s'))
  return pipe(x,
    sum('e'),
    // ✗ add: its left is a pending sum over 'tp' but its right over 'sp'; fix: layout('') or sumOver('tp') on the left and layout('') or sumOver('sp') on the right before it
    add(y))
})

export const both = program('wrong', mesh('tp=4'), matrices, ({ x }) => {
  const y = pipe(x, sum('e'))
  return pipe(y,
    // ✗ multiply: its left is a pending sum over 'tp' and its right over 'tp'; fix: layout('') or sumOver('tp') on the right before it
    multiply(y))
})

export const meetsCut = program('wrong', mesh('sp=4'), { x: input('t:4 e:8@sp'), y: input('t:4@sp') }, ({ x, y }) => pipe(x,
  sum('e'),
  // ✗ multiply: its left is a pending sum over 'sp', which cuts 't' on the right; fix: sumOver('sp') on the left before it
  multiply(y)))

export const weightMeetsCut = program('wrong', mesh('tp=4'), { x: input('t:16 e:8@tp'), w: input('e:8@tp f:4'), v: input('f:4 g:4@tp') }, ({ x, w, v }) => pipe(x,
  contract(w, 'e'),
  // ✗ contract: its left is a pending sum over 'tp', which cuts 'g' on the right; fix: sumOver('tp') on the left before it
  contract(v, 'f')))

export const divisor = program('wrong', mesh('tp=4'), matrices, ({ x }) => {
  const y = pipe(x, sum('e'))
  return pipe(x,
    // ✗ divide is not linear: its right is a pending sum over 'tp'; fix: layout('') or sumOver('tp') on the right before it
    divide(y))
})

export const oneBranch = program('wrong', mesh('sp=4'), { c: input('t:4', 'bool'), x: input('t:4 e:8@sp'), y: input('t:4') }, ({ c, x, y }) => {
  const z = pipe(x, sum('e'))
  return pipe(c,
    // ✗ where: its right is a pending sum over 'sp' but its left is not; fix: layout('') or sumOver('sp') on the right before it
    where(y, z))
})

export const branchesMeetCondition = program('wrong', mesh('sp=4'), { c: input('t:4@sp', 'bool'), x: input('t:4 e:8@sp') }, ({ c, x }) => {
  const y = pipe(x, sum('e')), z = pipe(y, negate)
  return pipe(c,
    // ✗ where: its left is a pending sum over 'sp', which cuts 't' on the condition; fix: sumOver('sp') on the left before it
    where(y, z))
})

export const concatenated = program('wrong', mesh('tp=4'), matrices, ({ x, w, y }) => pipe(x,
  contract(w, 'e'),
  // ✗ concat: its left is a pending sum over 'tp' but its right is not; fix: layout('') or sumOver('tp') on the left before it
  concat('t', y)))

export const bias = program('wrong', mesh('tp=4'), { x: input('t:16 e:8@tp'), w: input('e:8@tp f:4'), b: input('f:4') }, ({ x, w, b }) => pipe(x,
  // ✗ linear: a bias cannot be added to a pending sum over 'tp'; fix: contract(weight, 'e'), then layout('') or sumOver('tp'), then add(bias)
  linear({ weight: w, bias: b }, 'e')))

export const pendingBias = program('wrong', mesh('tp=4'), { x: input('t:16 e:8'), w: input('e:8 f:4'), z: input('f:4 g:8@tp') }, ({ x, w, z }) => {
  const b = pipe(z, sum('g'))
  return pipe(x,
    // ✗ linear: its bias is a pending sum over 'tp', to be finished first; fix: layout('') or sumOver('tp') on the bias before it
    linear({ weight: w, bias: b }, 'e'))
})

export const keys = program('wrong', mesh('tp=2'), { x: input('s:4 d:8'), z: input('s:4 d:8 g:4@tp') }, ({ x, z }) => {
  const k = pipe(z, sum('g'))
  return pipe(x,
    // ✗ attention is not linear: its key is a pending sum over 'tp'; fix: layout('') or sumOver('tp') on the key before it
    attention({ over: 's', features: 'd' })(k, x))
})

export const ids = program('wrong', mesh('sp=4'), { x: input('v:10 e:8@sp'), y: input('n:4@sp', 'i32') }, ({ x, y }) => pipe(x,
  sum('e'),
  // ✗ gather: its table is a pending sum over 'sp', which cuts 'n' on the index; fix: sumOver('sp') on the table before it
  gather('v', y)))

export const pendingMax = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  max('t'),
  // ✗ gelu: its input is a pending max over 'sp', to be finished first; fix: layout('') before it
  gelu))

export const linearOfMax = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  max('t'),
  // ✗ negate: its input is a pending max over 'sp', to be finished first; fix: layout('') before it
  negate))

export const sumOfMin = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  min('t'),
  // ✗ sum: its input is a pending min over 'sp', to be finished first; fix: layout('') before it
  sum('e')))

export const renamedMax = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  max('t'),
  // ✗ rename: its input is a pending max over 'sp', to be finished first; fix: layout('') before it
  rename('e', 'f')))

export const maxOfSum = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  sum('t'),
  // ✗ max is not linear: its input is a pending sum over 'sp'; fix: layout('') or sumOver('sp') before it
  max('e')))

export const addedMax = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8'), y: input('e:8') }, ({ x, y }) => {
  const z = pipe(x, max('t'))
  return pipe(y,
    // ✗ add: its right is a pending max over 'sp', to be finished first; fix: layout('') on the right before it
    add(z))
})

export const nothingPending = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  // ✗ sumOver: no sum is pending over 'sp'
  sumOver('sp')))

export const finishedTwice = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  sum('t'),
  layout('e@sp'),
  // ✗ sumOver: no sum is pending over 'sp'
  sumOver('sp')))

export const expectedWhole = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  sum('t'),
  // ✗ expect: the tensor is e:8, pending over sp, not e:8
  expect('e:8')))
