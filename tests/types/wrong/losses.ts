/** Losses: labels that don't fit their logits, and options that are none. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import { crossEntropy, equal, logSigmoid, logSoftmax, softplus, sum } from '#ops/mod.ts'

export const logSoftmaxOfCut = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  // ✗ logSoftmax needs dim 't' whole, but it is @sp; fix: layout('e@sp') before it
  logSoftmax('t')))

export const softplusOfInteger = program('wrong', mesh('sp=4'), { x: input('t:16@sp', 'i32') }, ({ x }) => pipe(x,
  // ✗ softplus needs f32, but its input is i32; fix: cast('f32') before it
  softplus))

export const logSigmoidOfPending = program('wrong', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x,
  sum('t'),
  // ✗ logSigmoid is not linear: its input is a pending sum over 'sp'; fix: layout('') or sumOver('sp') before it
  logSigmoid))

export const vocabularyCut = program('wrong', mesh('tp=2'), { x: input('t:16 v:10@tp'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy needs dim 'v' whole, but it is @tp on the logits; fix: layout('t@tp') on the logits before it
  crossEntropy('v', y)))

export const vocabularyCutAsLabels = program('wrong', mesh('tp=2'), { x: input('t:16 v:10@tp'), y: input('t:16@tp', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy needs dim 'v' whole, but it is @tp on the logits; fix: layout('') on the logits before it
  crossEntropy('v', y)))

export const noVocabulary = program('wrong', mesh('tp=2'), { x: input('t:16 v:10'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: no dim 'w' on the logits; dims are: t, v
  crossEntropy('w', y)))

export const labelsWithVocabulary = program('wrong', mesh('tp=2'), { x: input('t:16 v:10'), y: input('t:16 v:10', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: there is a dim 'v' already on the labels; dims are: t, v
  crossEntropy('v', y)))

export const labelsWithMore = program('wrong', mesh('tp=2'), { x: input('t:16 v:10'), y: input('b:2 t:16', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: no dim 'b' on the logits; dims are: t, v
  crossEntropy('v', y)))

export const labelsOfOtherSize = program('wrong', mesh('tp=2'), { x: input('t:16 v:10'), y: input('t:15', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: dim 't' is 16 on the logits but 15 on the labels
  crossEntropy('v', y)))

export const labelsOfReals = program('wrong', mesh('tp=2'), { x: input('t:16 v:10'), y: input('t:16') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy needs i32, but its labels is f32; fix: cast('i32') on the labels before it
  crossEntropy('v', y)))

export const logitsOfIntegers = program('wrong', mesh('tp=2'), { x: input('t:16 v:10', 'i32'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy needs f32, but its logits is i32; fix: cast('f32') on the logits before it
  crossEntropy('v', y)))

export const logitsPending = program('wrong', mesh('tp=2'), { x: input('t:16 e:4@tp v:10'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  sum('e'),
  // ✗ crossEntropy is not linear: its logits is a pending sum over 'tp'; fix: layout('') or sumOver('tp') on the logits before it
  crossEntropy('v', y)))

export const labelsCutOtherwise = program('wrong', mesh('dp=2 tp=2'), { x: input('t:16@dp v:10'), y: input('t:16@tp', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: dim 't' is @dp on the logits but @tp on the labels; fix: layout('t@dp') on the labels before it
  crossEntropy('v', y)))

export const labelsCutTwice = program('wrong', mesh('dp=2'), { x: input('b:4@dp t:16 v:10'), y: input('t:16@dp', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: mesh axis 'dp' would cut both 'b' and 't'; fix: layout('') on the labels before it
  crossEntropy('v', y)))

export const smoothingOfOne = program('wrong', mesh('dp=2'), { x: input('t:16 v:10'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: 'smoothing' is 1, not a number from 0 to less than 1
  crossEntropy('v', y, { smoothing: 1 })))

export const smoothingBelowNothing = program('wrong', mesh('dp=2'), { x: input('t:16 v:10'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: 'smoothing' is -0.1, not a number from 0 to less than 1
  crossEntropy('v', y, { ignore: -100, smoothing: -0.1 })))

export const ignoreFraction = program('wrong', mesh('dp=2'), { x: input('t:16 v:10'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: 'ignore' is 0.5, not a whole number of i32
  crossEntropy('v', y, { ignore: 0.5 })))

export const ignoreLarge = program('wrong', mesh('dp=2'), { x: input('t:16 v:10'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: 'ignore' is 2147483648, not a whole number of i32
  crossEntropy('v', y, { ignore: 2147483648 })))

export const reduction = program('wrong', mesh('dp=2'), { x: input('t:16 v:10'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  // ✗ crossEntropy: no option 'reduction'; options are: ignore, smoothing
  crossEntropy('v', y, { ignore: -100, reduction: 'mean' })))

export const equalOfLabels = program('wrong', mesh('dp=2'), { x: input('t:16', 'i32') }, ({ x }) => pipe(x,
  // ✗ equal: 3000000000 is outside i32 (-2147483648 to 2147483647), but the input is i32; fix: cast('f32') before it
  equal(3e9)))
