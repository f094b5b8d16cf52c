import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { input, layout, mesh, output, type Program, program, residual } from '#lib/mod.ts'
import { add, attention, contract, exp, layerNorm, rename, softmax, split, sum, tanh } from '#ops/mod.ts'
import { plansOf } from './run-plan.ts'

/** Why each exchange of a program is there. */
const reasons = (program: Program): readonly string[] =>
  plansOf(program).unfused.steps.flatMap((step) => step.do === 'move' && step.bytes.some((bytes) => bytes > 0) ? [step.why] : [])

const sp = mesh('sp=2')

test('a move names the op that needs the dim whole', () => {
  assert.deepEqual(reasons(program('direct', sp, { x: input('t:4@sp s:6') }, ({ x }) => pipe(x, layout('s@sp'), softmax('t')))), [
    'softmax needs t whole',
  ])
})

test('also if others that do not care stand between', () => {
  const between = program('between', sp, { x: input('t:4@sp s:6 e:8') }, ({ x }) => {
    const moved = pipe(x, layout('s@sp'))
    return pipe(moved, residual(tanh, exp, add(1), layerNorm('e'), softmax('t')))
  })
  assert.deepEqual(reasons(between), ['softmax needs t whole'])
})

test('and if the dim has another name by then', () => {
  const renamed = program(
    'renamed',
    sp,
    { x: input('t:4@sp s:6') },
    ({ x }) => pipe(x, layout('s@sp'), rename('t', 'frames'), split('frames', 'scene:2 frame:2'), softmax('scene')),
  )
  assert.deepEqual(reasons(renamed), ['softmax needs scene whole'])
})

test('attention needs whole keys, not whole queries', () => {
  const attends = program('attends', sp, { x: input('t:4@sp d:8') }, ({ x }) => {
    const keys = pipe(x, layout(''))
    return pipe(x, attention({ over: 't', features: 'd' })(keys, keys))
  })
  assert.deepEqual(reasons(attends), ['attention needs t whole'])
})

test('a pending sum is finished for the first op that is not linear', () => {
  const pending = program(
    'pending',
    sp,
    { x: input('t:4 e:8@sp'), w: input('e:8@sp f:6') },
    ({ x, w }) => pipe(x, contract(w, 'e'), layout('t@sp'), tanh),
  )
  assert.deepEqual(reasons(pending), ['tanh needs the sum complete'])
  const summed = program('summed', sp, { x: input('t:4@sp e:8') }, ({ x }) => pipe(x, sum('t'), layout('e@sp'), exp))
  assert.deepEqual(reasons(summed), ['exp needs the sum complete'])
})

test('a move that nothing but a declaration asks for says so', () => {
  const declared = program(
    'declared',
    sp,
    { x: input('t:4@sp s:6') },
    { y: output('t:4 s:6@sp') },
    ({ x }) => ({ y: pipe(x, layout('s@sp')) }),
  )
  assert.deepEqual(reasons(declared), ["output 'y' is declared so"])
})
