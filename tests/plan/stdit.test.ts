import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { compile, type Plan, type Program, sentence } from '#lib/mod.ts'
import { extraLarge, stdit, streamBytes } from './stdit.ts'
import { videoTransformer } from '../../examples/video/model.ts'

const planOf = (program: Program): Plan => {
  const plan = compile(program)
  if (E.isLeft(plan)) assert.fail(sentence(plan.left))
  return plan.right
}

/** The exchanges that send anything. */
const exchanges = (plan: Plan) => plan.steps.flatMap((step) => step.do === 'move' && step.bytes.some((bytes) => bytes > 0) ? [step] : [])

const [ranks, depth] = [8, extraLarge.depth]
/** One switch of the residual stream, over all ranks: M (N-1)/N. */
const switchBytes = streamBytes(extraLarge) * (ranks - 1) / ranks

/** Two switches per block and nothing else, each of M (N-1)/N² bytes on every rank (DSP, arXiv 2403.10266, table 3). */
const assertDsp = (plan: Plan, switches: number): void => {
  const moves = exchanges(plan)
  assert.equal(moves.length, switches)
  for (const { name, bytes } of moves) {
    assert.equal(name, 'switch')
    assert.deepEqual(bytes, Array.from({ length: ranks }, () => switchBytes / ranks))
  }
  assert.equal(plan.certificate.bytes, switches * switchBytes)
  assert.equal(plan.certificate.bound, plan.certificate.bytes)
  assert.ok(plan.certificate.minimal)
}

test('STDiT-XL/2 on 8 ranks as DSP declares it: two switches per block, proven minimal', () => {
  const plan = planOf(stdit(extraLarge, 'sp=8', 'sequence'))
  assertDsp(plan, 2 * depth)
  assert.equal(plan.certificate.declaredBytes, plan.certificate.bytes)
})

test('left to the planner, it finds the same, without the last switch back, which nobody asks for', () => {
  const plan = planOf(stdit(extraLarge, 'sp=8', 'nothing'))
  assertDsp(plan, 2 * depth - 1)
})

test('the whole video transformer at that size costs what its blocks cost', () => {
  const { batch, frames, width, heads, words } = extraLarge
  const plan = planOf(videoTransformer({
    batch,
    frames,
    rows: 32,
    columns: 32,
    width,
    heads,
    depth,
    words,
    captionWidth: 4096,
    channels: 4,
    outputChannels: 8,
  }, ranks))
  assertDsp(plan, 2 * depth)
})

test('two axes are used for the sequence together, which is cheaper than heads over one of them', () => {
  const few = { ...extraLarge, depth: 4 }
  const plan = planOf(stdit(few, 'sp=4 tp=2', 'nothing'))
  assert.ok(plan.certificate.minimal)
  assert.equal(plan.certificate.bytes, (2 * few.depth - 1) * switchBytes)
  const declared = planOf(stdit(few, 'sp=4 tp=2', 'heads'))
  assert.ok(declared.certificate.minimal)
  assert.ok(declared.certificate.bytes <= declared.certificate.declaredBytes!)
})

test('on three axes too, although the copies of some values are too many for one table', () => {
  const few = { ...extraLarge, depth: 3 }
  const plan = planOf(stdit(few, 'a=2 sp=2 tp=2', 'nothing'))
  assert.equal(plan.certificate.bytes, (2 * few.depth - 1) * switchBytes)
  assert.ok(plan.certificate.minimal)
})
