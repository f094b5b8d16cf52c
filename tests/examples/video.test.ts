import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import type { Elements } from '#lib/dtype.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import type { StoredTensors } from '#lib/files/safetensors.ts'
import { pieceOf } from '#lib/layout/pieces.ts'
import { compile, explain, launch, type LaunchOptions, type Plan, type RunResult } from '#lib/mod.ts'
import { type GoldenCase, readGolden, relativeError } from '../../examples/video/golden.ts'
import { type Sizes, videoTransformer } from '../../examples/video/model.ts'
import small from '../../examples/video/small.ts'

/**
 * The video transformer against PyTorch's float64 results, on any number of ranks, and its bytes against the closed form of
 * Dynamic Sequence Parallelism (arXiv 2403.10266).
 */
const right = <A>(result: E.Either<Fault, A>): A => {
  if (E.isLeft(result)) assert.fail(sentence(result.left))
  return result.right
}

const named = (tensors: StoredTensors): Record<string, Elements> =>
  Object.fromEntries(Object.entries(tensors).map(([name, { elements }]) => [name, elements]))

const runOn = async (
  golden: GoldenCase,
  ranks: number,
  options: LaunchOptions,
): Promise<{ readonly plan: Plan; readonly result: RunResult }> => {
  const plan = right(compile(videoTransformer(golden.sizes, ranks)))
  const { target: _, ...inputs } = named(golden.inputs)
  const session = right(await launch(plan, { ...options, parameters: named(golden.weights) })())
  try {
    return { plan, result: right(await session.run(inputs)()) }
  } finally {
    await session.close()
  }
}

const largestError = (golden: GoldenCase, { outputs }: RunResult): number =>
  Math.max(
    ...Object.entries(outputs).map(([name, got]) =>
      relativeError(got, golden.outputs[name.replace(/^streams\.(\d+)$/, 'block.$1.out')]!.elements)
    ),
  )

/**
 * Bytes that a rank sends for the blocks: two switches each. Of its frames it gives every other rank that rank's patches,
 * and of its patches that rank's frames; with even pieces this is 2 M (N - 1) / N² of the activation's M bytes.
 */
const closedForm = ({ batch, frames, rows, columns, width, depth }: Sizes, ranks: number, rank: number): number => {
  const piece = (size: number, of: number): number => pieceOf(size, ranks, of).size
  let sent = 0
  for (let peer = 0; peer < ranks; peer++) {
    if (peer === rank) continue
    sent += piece(frames, rank) * piece(rows * columns, peer) + piece(rows * columns, rank) * piece(frames, peer)
  }
  return depth * batch * width * 4 * sent
}

const cases = [['small', [1, 2, 3, 4]], ['odd', [1, 2, 3, 5]]] as const

for (const [name, counts] of cases) {
  describe(`video transformer, golden case ${name}`, () => {
    for (const ranks of counts) {
      it(`equals PyTorch to 1e-6 on ${ranks} ranks of the reference, and sends the bytes of the closed form`, async () => {
        const golden = right(await readGolden(name)())
        const { plan, result } = await runOn(golden, ranks, { backend: 'reference', inProcess: true })
        assert.ok(largestError(golden, result) <= 1e-6, `${largestError(golden, result)}`)
        for (let rank = 0; rank < ranks; rank++) {
          const planned = plan.steps.reduce((sum, step) => step.do === 'move' ? sum + step.bytes[rank]! : sum, 0)
          assert.equal(planned, closedForm(golden.sizes, ranks, rank))
          assert.equal(result.sent[rank], planned)
        }
        assert.ok(plan.certificate.minimal)
      })
      it(`equals PyTorch to 1e-4 on ${ranks} ranks of WebGPU`, async () => {
        const golden = right(await readGolden(name)())
        const { result } = await runOn(golden, ranks, { backend: 'webgpu', inProcess: true })
        assert.ok(largestError(golden, result) <= 1e-4, `${largestError(golden, result)}`)
      })
    }
  })
}

describe('video transformer in processes', () => {
  it('gives on 3 ranks, Node and Deno mixed, over shared memory and over sockets, what one rank gives', async () => {
    const golden = right(await readGolden('odd')())
    const alone = await runOn(golden, 1, { backend: 'webgpu' })
    for (const link of ['auto', 'socket'] as const) {
      const { plan, result } = await runOn(golden, 3, { backend: 'webgpu', runtimes: ['node', 'deno'], link })
      for (const { name } of plan.outputs) assert.ok(relativeError(result.outputs[name]!, alone.result.outputs[name]!) <= 1e-5)
      assert.equal(result.sent.reduce((sum, bytes) => sum + bytes, 0), plan.certificate.bytes)
    }
  })

  it('explains two switches per block, forced by attention over time and over space', () => {
    const { transitions, total } = explain(right(compile(small(2))))
    assert.deepEqual(transitions.map(({ name, what, times }) => [name, what, times]), [['switch', 't→s over sp', 2], [
      'switch',
      's→t over sp',
      2,
    ]])
    assert.deepEqual(transitions.map(({ declares }) => declares), ["layout('b@dp s@sp')", "layout('b@dp t@sp')"])
    assert.equal(total.lowerBound, total.bytes)
  })
})
