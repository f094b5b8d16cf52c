import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { grad, input, mesh, program, type Tensor } from '#lib/mod.ts'
import { fill, greater, log, sqrt, sum, where } from '#ops/mod.ts'
import { right, run } from './run-law.ts'

/** What a side that is not chosen does to the value and to the gradient, as the op's description says it. */
type X = Tensor<'t:4', '', 'sp=1'>
const [zero, one] = [fill('t:4', 0), fill('t:4', 1)]
const chosenAfter = (x: X) => pipe(x, greater(0), where(pipe(x, log), zero))
const chosenBefore = (x: X) => {
  const positive = pipe(x, greater(0))
  return pipe(positive, where(pipe(positive, where(x, one), log), zero))
}
const ofRoots = (x: X) => pipe(x, greater(0), where(zero, pipe(x, sqrt)))

const of = program('where', mesh('sp=1'), { x: input('t:4') }, ({ x }) => ({
  after: chosenAfter(x),
  before: chosenBefore(x),
  afterSlope: grad((x: X) => pipe(chosenAfter(x), sum('t')))(x),
  beforeSlope: grad((x: X) => pipe(chosenBefore(x), sum('t')))(x),
  rootSlope: grad((x: X) => pipe(ofRoots(x), sum('t')))(x),
}))

test('NaN and infinities of the side that is not chosen are not in the value; in the gradient they are, unless chosen before', async () => {
  for (const backend of ['reference', 'webgpu'] as const) {
    const { after, before, afterSlope, beforeSlope, rootSlope } = right(await run(of, { x: Float32Array.from([1, 0, -1, NaN]) }, backend))
    assert.deepEqual([...after!].map(Math.abs), [0, 0, 0, 0])
    assert.deepEqual([...before!].map(Math.abs), [0, 0, 0, 0])
    // 0 times the slope 1 / x of log: infinite at 0, finite at -1.
    assert.deepEqual([...afterSlope!].map(Math.abs), [1, NaN, 0, NaN])
    assert.deepEqual([...beforeSlope!].map(Math.abs), [1, 0, 0, 0])
    // Of the roots only those of 0, -1 and NaN are chosen.
    assert.deepEqual([...rootSlope!].map(Math.abs), [0, Infinity, NaN, NaN])
  }
})
