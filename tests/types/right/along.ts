/** Ops along whole dims, and folds. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, layout, mesh, program, sumOver } from '#lib/mod.ts'
import { add, crossEntropy, divide, exp, layerNorm, logSoftmax, logSumExp, max, mean, min, multiply, negate, rmsNorm, softmax, sqrt, subtract, sum, variance } from '#ops/mod.ts'

export const twoStages = program('right', mesh('sp=4'), { x: input('t:16@sp s:1024 e:384') }, ({ x }) => pipe(x,
  softmax('s'), layout('s@sp'), softmax('t')))

export const norms = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), scale: input('e:8'), shift: input('e:8') }, ({ x, scale, shift }) => pipe(x,
  layerNorm('e'), rmsNorm('e', { scale }), layerNorm('e', { shift, epsilon: 1e-5 }), layerNorm('e', { scale, shift })))

export const scaleOfOtherDims = program('right', mesh('sp=4'), { x: input('t:16 e:8'), scale: input('t:16@sp e:8') }, ({ x, scale }) => pipe(x,
  layerNorm('e', { scale })))

export const foldedAway = program('right', mesh('sp=4'), { x: input('t:16@sp s:4 e:8') }, ({ x }) => pipe(x, variance('e'), logSumExp('s')))

export const byHand = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => {
  const centred = pipe(x, subtract(pipe(x, mean('e'))))
  return pipe(centred, divide(pipe(x, variance('e'), add(1e-6), sqrt)))
})

export const wholeSum = program('right', mesh('sp=4'), { x: input('t:16@sp s:4 e:8') }, ({ x }) => pipe(x, sum('s e'), exp))

export const pendingSum = program('right', mesh('sp=4'), { x: input('t:16@sp s:4 e:8') }, ({ x }) => pipe(x, sum('t')))

export const pendingMean = program('right', mesh('sp=4 tp=2'), { x: input('t:16@sp s:4 e:8@tp') }, ({ x }) => pipe(x, mean('e t')))

export const pendingInTurn = program('right', mesh('sp=4 tp=2'), { x: input('t:16@sp s:4 e:8@tp') }, ({ x }) => pipe(x,
  sum('e'), mean('t'), sumOver('sp'), sum('s'), sumOver('tp'), exp))

export const pendingMax = program('right', mesh('sp=4 tp=2'), { x: input('t:16@sp s:4 e:8@tp') }, ({ x }) => pipe(x, max('t e')))

export const finishedMin = program('right', mesh('sp=4'), { x: input('t:16@sp s:4') }, ({ x }) => pipe(x, min('t'), layout('s@sp'), exp))

export const linearOnes = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), y: input('e:8') }, ({ x, y }) => pipe(x,
  sum('t'), negate, multiply(0.5), multiply(y), divide(y), divide(2)))

export const bothPending = program('right', mesh('sp=4'), { x: input('t:16@sp e:8'), y: input('s:4@sp e:8') }, ({ x, y }) => pipe(x,
  sum('t'), add(pipe(y, sum('s'))), subtract(pipe(x, mean('t'))), layout('e@sp'), exp))

export const logarithms = program('right', mesh('sp=4'), { x: input('t:16@sp e:8') }, ({ x }) => pipe(x, logSoftmax('e'), layout('e@sp'), logSoftmax('t')))

export const losses = program('right', mesh('dp=2 sp=2'), { x: input('b:4@dp t:16 v:10'), y: input('b:4 t:16@sp', 'i32') }, ({ x, y }) => pipe(x,
  crossEntropy('v', y, { ignore: -100, smoothing: 0.1 }), mean('b t')))

export const lossesOfFewLabels = program('right', mesh('dp=2'), { x: input('v:10 b:4 t:16@dp'), y: input('t:16', 'i32') }, ({ x, y }) => pipe(x,
  crossEntropy('v', y), sum('b t'), sumOver('dp')))
