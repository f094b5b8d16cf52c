import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import * as E from 'fp-ts/lib/Either.js'
import { sentence } from '#lib/fault.ts'
import { compile, customGradient, explain, input, mesh, parameter } from '#lib/mod.ts'
import { printExplanation } from '#lib/report/print.ts'
import { adam, adamW, constant, ones, type Optimiser, sgd, train, trainStep, zeros } from '#lib/train/mod.ts'
import { add, cast, gather, greater, linear, mean, multiply, square, stopGradient, sum, where } from '#ops/mod.ts'
import { right } from '../lower/run-plan.ts'
import { notReached, refusal, take } from './one-step.ts'

/** Which parameters a training changes, and what is different for some of them. */

const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1))
const optimisers: Readonly<Record<string, Optimiser>> = {
  sgd: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 0.1 }),
  adam: adam({ rate: 0.1, weightDecay: 0.1 }),
  adamW: adamW({ rate: 0.1, weightDecay: 0.1, shard: 'dp' }),
}

/** A frozen base with an addition of low rank, and a head that is not used at all. */
const lowRank = (optimiser: Optimiser, clip?: number) =>
  trainStep('low rank', mesh('dp=2'), {
    inputs: { x: input('b:4@dp e:3') },
    parameters: {
      base: parameter('f:2 e:3', constant(1)),
      a: parameter('r:1 e:3', constant(0.5)),
      c: parameter('f:2 r:1', constant(0.25)),
      head: { bias: parameter('f:2', constant(7)) },
    },
    loss: ({ inputs: { x }, parameters: { base, a, c } }) => {
      const low = pipe(x, linear({ weight: a }, 'e'), linear({ weight: c }, 'r'))
      return pipe(x, linear({ weight: pipe(base, stopGradient) }, 'e'), add(low), square, mean('b f'))
    },
    optimiser,
    ...(clip === undefined ? {} : { clip }),
  })

describe('parameters that no gradient reaches', () => {
  for (const [name, optimiser] of Object.entries(optimisers)) {
    it(`stay as they are, without moments, with ${name}`, async () => {
      const { parameters } = await take(lowRank(optimiser), { x }, 3)
      assert.deepEqual(Array.from(parameters['base']!), [1, 1, 1, 1, 1, 1])
      assert.deepEqual(Array.from(parameters['head.bias']!), [7, 7])
      assert.notEqual(parameters['a']![0], 0.5)
      assert.notEqual(parameters['c']![0], 0.25)
      for (const state of Object.keys(parameters)) assert.doesNotMatch(state, /^optimiser\..*(base|bias)$/)
      for (const moment of optimiser.moments) assert.ok(`optimiser.${moment}.a` in parameters)
    })
  }

  it("are told by explain, and their memory is not the optimiser's", () => {
    const told = explain(right(compile(lowRank(optimisers['adamW']!))))
    assert.deepEqual(told.notReached, ['base', 'head.bias'])
    assert.match(printExplanation(told), /not reached by the loss\S*: base, head\.bias; they stay as they are/)
    assert.equal(told.peak.parameters, 4 * (6 + 3 + 2 + 2))
    assert.doesNotMatch(printExplanation(explain(right(compile(training('i32', { trained: false }))))), /not reached/)
  })

  it("are those behind conditions, whole numbers, and gradients of one's own that give none", () => {
    const step = trainStep('ways', mesh(''), {
      inputs: { x: input('e:3') },
      parameters: {
        used: parameter('e:3', ones),
        condition: parameter('e:3', ones),
        whole: parameter('e:3', ones),
        own: parameter('e:3', ones),
      },
      loss: ({ inputs: { x }, parameters: { used, condition, whole, own } }) => {
        const none = customGradient((of: typeof own) => of, () => [undefined])
        const rounded = pipe(whole, cast('i32'), cast('f32'))
        return pipe(condition, greater(0), where(pipe(x, multiply(used)), x), multiply(rounded), multiply(none(own)), square, mean('e'))
      },
      optimiser: adamW({ rate: 0.1 }),
    })
    assert.deepEqual(notReached(step), ['condition', 'whole', 'own'])
  })

  it("don't count in the norm, and leave the others' steps as they would be without them", async () => {
    const alone = trainStep('alone', mesh('dp=2'), {
      inputs: { x: input('b:4@dp e:3') },
      parameters: { a: parameter('r:1 e:3', constant(0.5)), c: parameter('f:2 r:1', constant(0.25)) },
      loss: ({ inputs: { x }, parameters: { a, c } }) =>
        pipe(x, linear({ weight: a }, 'e'), linear({ weight: c }, 'r'), add(pipe(x, sum('e'))), square, mean('b f')),
      optimiser: optimisers['adam']!,
      clip: 0.1,
    })
    const [wanted, got] = [await take(alone, { x }, 3), await take(lowRank(optimisers['adam']!, 0.1), { x }, 3)]
    assert.ok(Math.abs(got.norm - wanted.norm) < 1e-5 * wanted.norm)
    for (const name of ['a', 'c']) {
      got.parameters[name]!.forEach((value, i) => assert.ok(Math.abs(value - wanted.parameters[name]![i]!) < 1e-5))
    }
  })

  it('are refused where there are no others', () => {
    const step = trainStep('none', mesh(''), {
      inputs: { x: input('e:3') },
      parameters: { w: parameter('e:3', ones), v: parameter('e:3', ones, { trained: false }) },
      loss: ({ inputs: { x }, parameters: { w, v } }) => pipe(x, multiply(pipe(w, stopGradient)), multiply(v), mean('e')),
      optimiser: sgd({ rate: 0.1 }),
    })
    assert.equal(
      refusal(step),
      'trainStep: no gradient of the loss reaches a parameter that is trained; fix: use one in the loss, not behind stopGradient',
    )
  })

  it("don't hide what is wrong with the loss", () => {
    const step = trainStep('wrong', mesh(''), {
      inputs: { x: input('e:3') },
      parameters: { w: parameter('e:3', ones) },
      loss: ({ inputs: { x }, parameters: { w } }) => pipe(x, multiply(w)),
      optimiser: sgd({ rate: 0.1 }),
    })
    assert.equal(refusal(step), "grad needs a single number, but the value is e:3; fix: mean('e') at the end")
  })
})

/** A training with a table that is not trained, of ids that are not. */
const training = (type: 'f32' | 'i32', options: { readonly trained?: boolean }, moreOf: object = {}) =>
  trainStep('frozen', mesh('dp=2'), {
    inputs: { x: input('b:4@dp') },
    parameters: {
      table: parameter('v:3', constant(2), { trained: false }),
      ids: parameter('b:4@dp', type, constant(1), options),
      w: parameter('', ones),
    },
    loss: ({ inputs: { x }, parameters: { table, ids, w } }) =>
      pipe(table, gather('v', pipe(ids, cast('i32'))), multiply(x), multiply(w), square, mean('b')),
    optimiser: sgd({ rate: 0.1 }),
    ...moreOf,
  })

describe('parameters that are not trained', () => {
  it('stay as they are, of any type, and are constants of the loss', async () => {
    const { loss, parameters } = await take(training('i32', { trained: false }), { x: Float32Array.of(1, 2, 3, 4) }, 1)
    assert.equal(loss, 4 * 30 / 4)
    assert.deepEqual(Object.keys(parameters).sort(), ['ids', 'optimiser.step', 'table', 'w'])
    assert.deepEqual([Array.from(parameters['table']!), Array.from(parameters['ids']!)], [[2, 2, 2], [1, 1, 1, 1]])
    // w - 0.1 · 2 · (2 x)² / 4
    assert.ok(Math.abs(parameters['w']![0]! - (1 - 0.1 * 60)) < 1e-5)
  })

  it('are not among those that the loss does not reach', () => assert.deepEqual(notReached(training('i32', { trained: false })), []))

  it('must be said to be so where they are no f32', () => {
    assert.equal(
      refusal(training('i32', {})),
      "trainStep: parameter 'ids' is i32 and cannot be trained; fix: parameter(…, { trained: false })",
    )
  })

  it('may be given without an initialiser, and other options are refused', () => {
    assert.deepEqual(parameter('n:7', 'i32', { trained: false }), { role: 'parameter', spec: 'n:7', type: 'i32', trained: false })
    assert.deepEqual(parameter('n:7', { trained: false }), { role: 'parameter', spec: 'n:7', type: 'f32', trained: false })
    assert.deepEqual(parameter('n:7', zeros, { trained: true }), { role: 'parameter', spec: 'n:7', type: 'f32', init: zeros })
    assert.throws(
      () => parameter('n:7', zeros, { train: false } as object),
      { message: "parameter 'n:7': no option 'train'; options are: trained" },
    )
  })

  it('are saved and go on; a checkpoint of a training that froze others is refused in one sentence', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shardwise-frozen-'))
    const step = (frozen: boolean) =>
      trainStep('frozen', mesh(''), {
        inputs: { x: input('e:3') },
        parameters: { w: parameter('e:3', ones), v: parameter('e:3', constant(2), frozen ? { trained: false } : {}) },
        loss: ({ inputs: { x }, parameters: { w, v } }) => pipe(x, multiply(w), multiply(v), square, mean('e')),
        optimiser: sgd({ rate: 0.1, momentum: 0.5 }),
      })
    const options = {
      batch: () => ({ x: x.slice(0, 3) }),
      parameters: { v: Float32Array.of(1, 2, 3) },
      launch: { backend: 'reference', inProcess: true },
    } as const
    const run = (frozen: boolean, steps: number) =>
      train(step(frozen), { ...options, steps, checkpoint: { folder: join(folder, 'state'), every: 10 } })()
    try {
      right(await run(true, 2))
      assert.deepEqual(Array.from(right(await run(true, 4)).parameters['v']!), [1, 2, 3])
      const other = await run(false, 6)
      assert.ok(E.isLeft(other))
      assert.match(
        sentence(other.left),
        /^tensor 'optimiser\.velocity\.v': the checkpoint .* did not train parameter 'v'; fix: a new folder, with what readParameters\(.*\) gives as parameters$/,
      )
      right(await train(step(false), { ...options, steps: 1, checkpoint: { folder: join(folder, 'other'), every: 1 } })())
      const frozen = await train(step(true), { ...options, steps: 2, checkpoint: { folder: join(folder, 'other'), every: 1 } })()
      assert.ok(E.isLeft(frozen))
      assert.match(
        sentence(frozen.left),
        /^tensor 'optimiser\.velocity\.v': the checkpoint .* trained parameter 'v', which the program leaves as it is; fix: a new folder/,
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('groups of parameters', () => {
  /** Gradients are 1 for each: what a step does is the optimiser's alone. */
  const step = (optimiser: Optimiser) =>
    trainStep('groups', mesh('dp=2'), {
      inputs: { x: input('b:2@dp') },
      parameters: {
        embedding: { weight: parameter('', constant(2)) },
        blocks: [{ up: { weight: parameter('', constant(2)), bias: parameter('', constant(2)) } }],
      },
      loss: ({ inputs: { x }, parameters: { embedding, blocks } }) =>
        pipe(x, multiply(embedding.weight), add(blocks[0].up.weight), add(blocks[0].up.bias), mean('b')),
      optimiser,
    })
  const after = async (optimiser: Optimiser) => {
    const { parameters } = await take(step(optimiser), { x: Float32Array.of(1, 1) })
    return ['embedding.weight', 'blocks.0.up.weight', 'blocks.0.up.bias'].map((name) => parameters[name]![0]!)
  }
  const near = (got: readonly number[], wanted: readonly number[]): void =>
    wanted.forEach((value, i) => assert.ok(Math.abs(got[i]! - value) < 1e-6, `${i}: ${got[i]}, not ${value}`))

  it('have a weight decay and a factor on the rate of their own', async () => {
    const groups = { '*.bias': { weightDecay: 0 }, 'embedding.*': { rateFactor: 0.5 } }
    near(await after(adamW({ rate: 0.1, weightDecay: 0.5, groups })), [2 - 0.05 * 2, 2 - 0.1 * 2, 2 - 0.1])
    near(await after(sgd({ rate: 0.1, weightDecay: 0.5, groups })), [2 - 0.05 * 2, 2 - 0.1 * 2, 2 - 0.1])
    // Of adam the decay is a part of the gradient, whose size does not matter in the first step.
    near(await after(adam({ rate: 0.1, weightDecay: 0.5, groups })), [2 - 0.05, 2 - 0.1, 2 - 0.1])
    near(await after(sgd({ rate: 0.1, groups: { '*.up.*': { weightDecay: 1 } } })), [2 - 0.1, 2 - 0.3, 2 - 0.3])
    near(await after(sgd({ rate: 0.1, momentum: 0.9, groups: { '*': { rateFactor: 0 } } })), [2, 2, 2])
  })

  it('have the last word option by option where several are of one name', async () => {
    const groups = { '*': { weightDecay: 1, rateFactor: 2 }, 'blocks*': { weightDecay: 0 }, 'blocks.0.up.bias': { rateFactor: 0.5 } }
    near(await after(sgd({ rate: 0.1, groups })), [2 - 0.2 * 3, 2 - 0.2, 2 - 0.05])
  })

  it("are refused where they are no one's, and so are options that are none or out of range", () => {
    const names = 'embedding.weight, blocks.0.up.weight, blocks.0.up.bias'
    const refused = (groups: object) => refusal(step(adamW({ rate: 0.1, groups: groups as never })))
    for (const pattern of ['bias', '*.biases', 'up.*', 'embedding.*.weight', '', 'blocks.0.up.weight*weight']) {
      assert.equal(
        refused({ [pattern]: { weightDecay: 0 } }),
        `adamW: group '${pattern}' is the name of no parameter that is trained; they are: ${names}`,
      )
    }
    assert.equal(refused({ '*': { decay: 0 } }), "adamW: group '*': no option 'decay'; options are: weightDecay, rateFactor")
    assert.equal(refused({ '*': { weightDecay: -1 } }), "adamW: group '*': 'weightDecay' is -1, not a finite number from 0 up")
    assert.equal(refused({ '*': { rateFactor: NaN } }), "adamW: group '*': 'rateFactor' is NaN, not a finite number from 0 up")
  })
})
