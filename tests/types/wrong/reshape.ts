/** Ops that change dims, names, order and extents. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import { concat, fill, gather, iota, merge, normal, pad, rename, reorder, repeat, select, slice, split, sum, uniform } from '#ops/mod.ts'

export const splitProduct = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:384') }, ({ x }) => pipe(x,
  // ✗ split: h:5 × d:77 = 385, but 'e' is 384
  split('e', 'h:5 d:77')))

export const splitMissing = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:384') }, ({ x }) => pipe(x,
  // ✗ split: no dim 'f'; dims are: t, e
  split('f', 'h:6 d:64')))

export const splitName = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:384') }, ({ x }) => pipe(x,
  // ✗ split: there is a dim 't' already; dims are: t
  split('e', 't:6 d:64')))

export const splitCut = program('wrong', mesh('sp=4'), { x: input('t:16 e:384@sp') }, ({ x }) => pipe(x,
  // ✗ split: 'e' is @sp, but its 4 ranks do not divide 'h:6'; fix: layout('t@sp') before it
  split('e', 'h:6 d:64')))

export const splitCutByTwo = program('wrong', mesh('sp=4 tp=2'), { x: input('t:16 e:32@sp+tp') }, ({ x }) => pipe(x,
  // ✗ split: 'e' is @sp+tp, but its 8 ranks do not divide 'h:4'; fix: layout('t@sp+tp') before it
  split('e', 'h:4 d:8')))

export const splitForm = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:384') }, ({ x }) => pipe(x,
  // ✗ split: 'h6' is not of the form dim:size
  split('e', 'h6 d:64')))

export const splitAxes = program('wrong', mesh('sp=4'), { x: input('t:16 e:384') }, ({ x }) => pipe(x,
  // ✗ split: 'h:6@sp' is not of the form dim:size
  split('e', 'h:6@sp d:64')))

export const mergeMinorCut = program('wrong', mesh('sp=4'), { x: input('t:16 h:8 d:8@sp') }, ({ x }) => pipe(x,
  // ✗ merge needs dim 'd' whole, but it is @sp; fix: layout('t@sp') before it
  merge('h d', 'f')))

export const mergeMajorCut = program('wrong', mesh('sp=4'), { x: input('t:16 h:6@sp d:8') }, ({ x }) => pipe(x,
  // ✗ merge: 'h' is @sp, but its 4 ranks do not divide 'h:6'; fix: layout('t@sp') before it
  merge('h d', 'f')))

export const mergeName = program('wrong', mesh('sp=4'), { x: input('t:16 h:6 d:8') }, ({ x }) => pipe(x,
  // ✗ merge: there is a dim 't' already; dims are: t
  merge('h d', 't')))

export const mergeMissing = program('wrong', mesh('sp=4'), { x: input('t:16 h:6 d:8') }, ({ x }) => pipe(x,
  // ✗ merge: no dim 'e'; dims are: t, h, d
  merge('h e', 'f')))

export const renameTaken = program('wrong', mesh('sp=4'), { x: input('t:16 e:8') }, ({ x }) => pipe(x,
  // ✗ rename: there is a dim 't' already; dims are: t
  rename('e', 't')))

export const renameMissing = program('wrong', mesh('sp=4'), { x: input('t:16 e:8') }, ({ x }) => pipe(x,
  // ✗ rename: no dim 'f'; dims are: t, e
  rename('f', 'g')))

export const reorderShort = program('wrong', mesh('sp=4'), { x: input('t:16 s:4 e:8') }, ({ x }) => pipe(x,
  // ✗ reorder: dim 's' is missing in 'e t'
  reorder('e t')))

export const reorderTwice = program('wrong', mesh('sp=4'), { x: input('t:16 e:8') }, ({ x }) => pipe(x,
  // ✗ reorder: dim 'e' is given twice
  reorder('e t e')))

export const reorderMissing = program('wrong', mesh('sp=4'), { x: input('t:16 e:8') }, ({ x }) => pipe(x,
  // ✗ reorder: no dim 's'; dims are: t, e
  reorder('e s t')))

export const sumMissing = program('wrong', mesh('sp=4'), { x: input('t:16 e:8') }, ({ x }) => pipe(x,
  // ✗ sum: no dim 's'; dims are: t, e
  sum('t s')))

export const sumTwice = program('wrong', mesh('sp=4'), { x: input('t:16 e:8') }, ({ x }) => pipe(x,
  // ✗ sum: dim 't' is given twice
  sum('t t')))

export const sliceRange = program('wrong', mesh('sp=4'), { x: input('t:16 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ slice: { from: 12, count: 5 } is outside 't', which is 16
  slice('t', { from: 12, count: 5 })))

export const sliceNegative = program('wrong', mesh('sp=4'), { x: input('t:16 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ slice: { from: -1, count: 5 } is outside 't', which is 16
  slice('t', { from: -1, count: 5 })))

export const selectRange = program('wrong', mesh('sp=4'), { x: input('part:3 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ select: position 3 is outside 'part', which is 3
  select('part', 3)))

export const padNegative = program('wrong', mesh('sp=4'), { x: input('t:16 e:8@sp') }, ({ x }) => pipe(x,
  // ✗ pad: 'before' is -1, not a number of positions
  pad('t', { before: -1 })))

export const padCut = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  // ✗ pad needs dim 't' whole, but it is @sp; fix: layout('e@sp') before it
  pad('t', { before: 1, after: 2 })))

export const concatCut = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8'), y: input('t:4@sp e:8') }, ({ x, y }) => pipe(x,
  // ✗ concat needs dim 't' whole, but it is @sp on the left; fix: layout('') on the left and layout('') on the right before it
  concat('t', y)))

export const concatCutRight = program('wrong', mesh('sp=4'), { x: input('t:16 e:8'), y: input('t:4@sp e:8') }, ({ x, y }) => pipe(x,
  // ✗ concat needs dim 't' whole, but it is @sp on the right; fix: layout('e@sp') on the right before it
  concat('t', y)))

export const concatSizes = program('wrong', mesh('sp=4'), { x: input('t:16 e:8'), y: input('t:4 e:9') }, ({ x, y }) => pipe(x,
  // ✗ concat: dim 'e' is 8 on the left but 9 on the right
  concat('t', y)))

export const concatDims = program('wrong', mesh('sp=4'), { x: input('t:16 e:8'), y: input('t:4') }, ({ x, y }) => pipe(x,
  // ✗ concat: no dim 'e' on the right; dims are: t
  concat('t', y)))

export const repeatTaken = program('wrong', mesh('sp=4'), { x: input('t:16 e:8') }, ({ x }) => pipe(x,
  // ✗ repeat: there is a dim 't' already; dims are: t, e
  repeat('t:4')))

export const repeatTwo = program('wrong', mesh('sp=4'), { x: input('t:16 e:8') }, ({ x }) => pipe(x,
  // ✗ repeat: 'n:4 m:2' is not of the form dim:size
  repeat('n:4 m:2')))

export const gatherMissing = program('wrong', mesh('sp=4'), { x: input('v:100 e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ gather: no dim 'w' on the table; dims are: v, e
  gather('w', y)))

export const gatherCut = program('wrong', mesh('sp=4'), { x: input('v:100@sp e:8'), y: input('n:4', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ gather needs dim 'v' whole, but it is @sp on the table; fix: layout('e@sp') on the table before it
  gather('v', y)))

export const gatherCutBoth = program('wrong', mesh('sp=4'), { x: input('v:100@sp e:8'), y: input('n:4@sp', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ gather needs dim 'v' whole, but it is @sp on the table; fix: layout('') on the table before it
  gather('v', y)))

export const gatherAxisTwice = program('wrong', mesh('sp=4'), { x: input('v:100 e:8@sp'), y: input('n:4@sp', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ gather: mesh axis 'sp' would cut both 'n' and 'e'; fix: layout('') on the index before it
  gather('v', y)))

export const gatherByReals = program('wrong', mesh('sp=4'), { x: input('v:100 e:8'), y: input('n:4') }, ({ x, y }) => pipe(x,
  // ✗ gather needs i32, but its index is f32; fix: cast('i32') on the index before it
  gather('v', y)))

export const fillForm = program('wrong', mesh('sp=4'), {}, () =>
  // ✗ fill: 'e4' is not of the form dim:size or dim:size@axis
  fill('t:16 e4', 0.5))

export const iotaMissing = program('wrong', mesh('sp=4'), {}, () =>
  // ✗ iota: no dim 's'; dims are: t
  iota('t:16', 's'))

export const uniformForm = program('wrong', mesh('sp=4'), {}, () =>
  // ✗ uniform: 't:1.5' is not of the form dim:size or dim:size@axis
  uniform('t:1.5', { seed: 1 }))

export const normalTwice = program('wrong', mesh('sp=4'), {}, () =>
  // ✗ normal: dim 't' is given twice
  normal('t:4 t:5', { seed: 1 }))
