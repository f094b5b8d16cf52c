import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { loadCluster } from '#lib/cluster/load.ts'
import { sentence } from '#lib/fault.ts'
import { peakOf } from '#lib/lower/instantiate.ts'
import {
  compile,
  decodePlan,
  encodePlan,
  grad,
  input,
  layout,
  mesh,
  parameter,
  type Plan,
  type Program,
  program,
  type Tensor,
} from '#lib/mod.ts'
import { initialValues, normal, sgd, trainStep } from '#lib/train/mod.ts'
import { add, attention, linear, mean, multiply, selfAttention, split, square, stopGradient, subtract, sum } from '#ops/mod.ts'
import { assertClose, inputsFor, plannedBytes, plansOf, right, runPlan } from '../lower/run-plan.ts'
import { namesIn, sizesIn, stage } from '../ops/law.ts'
import { run } from '../ops/run-law.ts'
import { alone, attending, type Case, ringProgram, weighted } from './ring-programs.ts'

/**
 * Attention whose keys and values go round an axis gives what attention gives on one rank, and so do its gradients; what is
 * sent is what must be, and what is held at once does not grow with the ring.
 */
const own = { over: 's', features: 'd', ring: 'sp' } as const

/** The numbers of one rank, on every rank's pieces together; the bytes that the plan says, counted by the links. */
const assertSame = async (program: Program, single: Program): Promise<void> => {
  const one = plansOf(single).fused
  const wanted = await runPlan(one, inputsFor(one))
  const { fused } = plansOf(program)
  const { outputs, sent } = await runPlan(fused, inputsFor(fused), { poison: true })
  assert.deepEqual(Object.keys(outputs), Object.keys(wanted.outputs))
  for (const [name, elements] of Object.entries(outputs)) assertClose(elements, wanted.outputs[name]!, 1e-6)
  assert.deepEqual(sent, plannedBytes(fused))
  assert.equal(sent.reduce((sum, bytes) => sum + bytes, 0), fused.certificate.bytes)
}
const assertAlike = (given: Case): Promise<void> => assertSame(ringProgram(given), ringProgram(alone(given)))

describe('ring attention is attention, and its gradients are attention’s', () => {
  for (const ranks of [1, 2, 3, 4, 5]) {
    test(`on ${ranks} ranks, whatever the sizes`, async () => {
      for (const size of [1, 2, 3, 7]) await assertAlike({ ...own, mesh: `sp=${ranks}`, q: `s:${size}@sp d:3`, k: `s:${size}@sp d:3` })
      await assertAlike({ ...own, mesh: `sp=${ranks}`, q: 's:7@sp d:3', k: 's:2@sp d:3' })
    })
  }

  const ways: readonly (readonly [string, Partial<Case> & Pick<Case, 'mesh' | 'q' | 'k'>])[] = [
    ['with heads and a batch', { mesh: 'sp=3', q: 'b:2 s:5@sp h:2 d:3', k: 'b:2 s:7@sp h:2 d:3' }],
    ['with a batch of queries to the same keys', { mesh: 'sp=3', q: 'b:2 s:5@sp h:2 d:3', k: 's:7@sp h:2 d:3' }],
    ['with values that lie in another order', { mesh: 'sp=2', q: 's:5@sp h:2 d:3', k: 's:7@sp h:2 d:3', v: 'h:2 d:3 s:7@sp' }],
    ['of queries cut along another dim', { mesh: 'sp=3', q: 'b:2 t:5@sp h:2 d:3', k: 's:7@sp h:2 d:3' }],
    ['of one query to one key', { mesh: 'sp=3', q: 't:1@sp d:3', k: 's:1@sp d:3' }],
    ['of queries cut more finely than keys', { mesh: 'sp=2 tp=2', q: 's:7@sp+tp d:3', k: 's:5@sp d:3' }],
    ['of queries cut by another axis first', { mesh: 'tp=2 sp=2', q: 's:7@tp+sp d:3', k: 's:5@sp d:3' }],
    ['beside data parallelism', { mesh: 'dp=2 sp=2', q: 'b:3@dp s:5@sp d:3', k: 'b:3@dp s:7@sp d:3' }],
    ['beside data parallelism over queries alone', { mesh: 'dp=2 sp=2', q: 'b:3@dp s:5@sp d:3', k: 's:7@sp d:3' }],
    ['beside heads cut by another axis', { mesh: 'r=3 u=2', q: 's:7@r h:3@u d:3', k: 's:7@r h:3@u d:3', ring: 'r' }],
    ['computed again for the backward pass', { mesh: 'sp=3', q: 's:5@sp h:2 d:3', k: 's:7@sp h:2 d:3', recomputed: true }],
    ...(['bool', 'f32'] as const).flatMap((type) =>
      [
        [`with a mask of queries and keys (${type})`, {
          mesh: 'sp=3',
          q: 's:5@sp h:2 d:3',
          k: 's:7@sp h:2 d:3',
          mask: ['s:5@sp r:7', type],
          maskKeys: 'r',
        }],
        [`with a mask of keys and heads, computed again (${type})`, {
          mesh: 'sp=2',
          q: 't:5@sp h:2 d:3',
          k: 's:7@sp h:2 d:3',
          mask: ['s:7 h:2', type],
          recomputed: true,
        }],
      ] as const
    ),
  ]
  for (const [how, given] of ways) test(how, () => assertAlike({ ...own, ...given }))

  test('masked for all keys of some queries, in some pieces or in all', async () => {
    const given: Case = { ...own, mesh: 'sp=3', q: 't:4@sp d:3', k: 's:5@sp d:3', mask: ['t:4 s:5', 'bool'] }
    const plans = [plansOf(ringProgram(given)).fused, plansOf(ringProgram(alone(given))).fused]
    // The first query sees no key, the second one key of the last piece, the third those of the first piece.
    const mask = Int32Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1])
    const [ring, one] = await Promise.all(plans.map((plan) => runPlan(plan, { ...inputsFor(plan), mask }, { poison: true })))
    for (const [name, elements] of Object.entries(one!.outputs)) assertClose(ring!.outputs[name]!, elements, 1e-6)
    assert.ok(ring!.outputs['out']!.subarray(0, 3).every((x) => x === 0))
    assert.ok(ring!.outputs['by.q']!.subarray(0, 3).every((x) => x === 0))
  })

  test('as self-attention of a projection', async () => {
    const layer = (on: string, spec: string, ring: object): Program =>
      program('self', mesh(on), { x: input(spec), w: parameter('f:12 e:4'), c: input(spec.replace('e:4', 'h:2 d:2')) }, (tensors) => {
        const { x, w, c } = tensors as unknown as { readonly [name: string]: Tensor }
        const loss = ({ x, w }: { readonly x: Tensor; readonly w: Tensor }): Tensor => {
          const parts = stage(split('f', 'part:3 h:2 d:2'))(stage(linear(w, 'e'))(x) as Tensor) as Tensor
          return weighted(stage(selfAttention({ parts: 'part', over: 's', features: 'd', heads: 'h', ...ring }))(parts) as Tensor, c!)
        }
        return grad(loss)({ x: x!, w: w! })
      })
    await assertSame(layer('sp=3', 'b:2 s:5@sp e:4', { ring: 'sp' }), layer('one=1', 'b:2 s:5 e:4', {}))
  })

  test('twice over the same keys', () => {
    const twice = (given: Case): Program =>
      program('twice', mesh(given.mesh), { q: input(given.q), p: input(given.q), k: input(given.k), c: input(given.q) }, (tensors) => {
        const { q, p, k, c } = tensors as unknown as { readonly [name: string]: Tensor }
        const loss = ({ q, p, k }: { readonly [name: string]: Tensor }): Tensor => {
          const [first, second] = [q!, p!].map((q) => attending(given)({ q, k: k!, v: k! }))
          return weighted(stage(add(second!))(first!) as Tensor, c!)
        }
        return grad(loss)({ q: q!, p: p!, k: k! })
      })
    const given: Case = { ...own, mesh: 'sp=3', q: 's:5@sp d:3', k: 's:7@sp d:3' }
    return assertSame(twice(given), twice(alone(given)))
  })

  test('in a training, step after step', async () => {
    const training = (on: string, cut: string, ring: object): Program =>
      trainStep('ring', mesh(on as 'sp=1'), {
        inputs: { x: input(`b:2 s:5${cut} e:4` as 'b:2 s:5 e:4'), y: input(`b:2 s:5${cut} h:1 d:4` as 'b:2 s:5 h:1 d:4') },
        parameters: { w: parameter('f:12 e:4', normal(0.5)) },
        loss: ({ inputs: { x, y }, parameters: { w } }) => {
          const parts = stage(split('f', 'part:3 h:1 d:4'))(stage(linear(w, 'e'))(x as Tensor) as Tensor) as Tensor
          const attended = stage(selfAttention({ parts: 'part', over: 's', features: 'd', ...ring }))(parts) as Tensor
          return stage(mean('b s h d'))(square(stage(subtract(y as Tensor))(attended) as Tensor) as Tensor) as never
        },
        optimiser: sgd({ rate: 0.1 }),
      })
    const after = async (program: Program) => {
      const plan = plansOf(program).fused
      const given = { ...inputsFor(plan), ...right(initialValues(program, { seed: 3 })) }
      const { outputs } = await runPlan(plan, given, { poison: true })
      return outputs['loss']!
    }
    const wanted = await after(training('sp=1', '', {}))
    assertClose(await after(training('sp=3', '@sp', { ring: 'sp' })), wanted, 1e-6)
  })
})

describe('on WebGPU', () => {
  const cases: readonly Case[] = [
    { ...own, mesh: 'sp=3', q: 's:7@sp h:2 d:4', k: 's:7@sp h:2 d:4' },
    // Ranks without a query or without a key, a single query of a whole four beside several of them.
    { ...own, mesh: 'sp=3', q: 'b:2 s:2@sp d:4', k: 's:1@sp d:4' },
    { ...own, mesh: 'sp=2', q: 't:3@sp h:2 d:3', k: 's:5@sp h:2 d:3', mask: ['t:3 s:5', 'bool'] },
    { ...own, mesh: 'r=2 u=2', q: 's:5@r h:3@u d:4', k: 's:5@r h:3@u d:4', ring: 'r' },
  ]
  for (const given of cases) {
    test(`${given.q} to ${given.k} on ${given.mesh}`, async () => {
      const single = plansOf(ringProgram(alone(given))).fused
      const wanted = await runPlan(single, inputsFor(single))
      const outputs = right(await run(ringProgram(given), inputsFor(single), 'webgpu'))
      for (const [name, elements] of Object.entries(wanted.outputs)) assertClose(outputs[name]!, elements, 5e-5)
    })
  }
})

// ---- bytes ----------------------------------------------------------------------------------------------------------

/** Bytes of each rank's piece of a tensor that is cut along `s`; the first pieces are the longer ones. */
const piecesOf = (spec: string, ranks: number): readonly number[] => {
  const sizes = new Map(namesIn(spec).map((name, i) => [name, sizesIn(spec.replace(/@\w+/g, ''))[i]!]))
  const size = sizes.get('s')!
  const rest = [...sizes.values()].reduce((product, size) => product * size, 4) / size
  return Array.from({ length: ranks }, (_, rank) => rest * (Math.floor(size / ranks) + (rank < size % ranks ? 1 : 0)))
}
const total = (bytes: readonly number[]): number => bytes.reduce((sum, one) => sum + one, 0)

describe('what each rank sends, counted by its link', () => {
  for (const ranks of [1, 2, 3, 4]) {
    test(`on ${ranks} ranks: every piece of keys and values but the last one it meets, in the backward pass with their gradients`, async () => {
      for (const k of ['s:8@sp h:2 d:3', 's:7@sp h:2 d:3', 's:2@sp h:2 d:3']) {
        const given: Case = { ...own, mesh: `sp=${ranks}`, q: `b:2 s:9@sp h:2 d:3`, k }
        const pieces = piecesOf(k, ranks)
        const sentBy = async (given: Case) => {
          const { fused } = plansOf(ringProgram(given))
          return (await runPlan(fused, inputsFor(fused))).sent
        }
        // A rank meets its own piece last; the one that it met before comes from the rank behind it and goes no further.
        const blocks = pieces.map((_, rank) => 2 * (total(pieces) - pieces[(rank + 1) % ranks]!))
        // The gradients begin with the piece of the rank in front, and end with its own.
        const gradients = pieces.map((piece) => 2 * (total(pieces) - piece))
        assert.deepEqual(await sentBy({ ...given, forward: true }), blocks)
        assert.deepEqual(await sentBy(given), blocks.map((bytes, rank) => 2 * bytes + gradients[rank]!))
        assert.deepEqual(await sentBy({ ...given, recomputed: true }), blocks.map((bytes, rank) => 3 * bytes + gradients[rank]!))
      }
    })
  }

  test('keys that two attentions meet together go round once', async () => {
    const given: Case = { ...own, mesh: 'sp=3', q: 's:6@sp d:3', k: 's:6@sp d:3' }
    const both = (others: readonly string[]) =>
      program(
        'both',
        mesh('sp=3'),
        Object.fromEntries(['q', 'p', 'k', 'l'].map((name) => [name, input('s:6@sp d:3')])),
        (tensors) => {
          const all = tensors as unknown as { readonly [name: string]: Tensor }
          return { outs: others.map((k, i) => attending(given)({ q: all[i === 0 ? 'q' : 'p']!, k: all[k]!, v: all[k]! })) }
        },
      )
    const piece = 4 * 2 * 3
    const sent = async (program: Program) => (await runPlan(plansOf(program).fused, inputsFor(plansOf(program).fused))).sent
    assert.deepEqual(await sent(both(['k', 'k'])), [2 * piece, 2 * piece, 2 * piece])
    assert.deepEqual(await sent(both(['k', 'l'])), [4 * piece, 4 * piece, 4 * piece])
  })
})

test('what goes round meets all attentions of the round, also where one between them stays where it is', async () => {
  // Where time counts, the gather of keys is chosen to be a ring, which work can hide.
  const cluster = right(await loadCluster('h100')())
  const between = (on: string, cut: string): Program =>
    program(
      'between',
      mesh(on),
      {
        ...Object.fromEntries(['q', 'p', 'r'].map((name) => [name, input(`t:8${cut} d:4` as string)])),
        ...{ k: input(`s:6${cut} d:4` as string), l: input('s:5 d:4' as string) },
      },
      (tensors) => {
        const { q, p, r, k, l } = tensors as unknown as { readonly [name: string]: Tensor }
        const attend = (q: Tensor, k: Tensor): Tensor => stage(attention({ over: 's', features: 'd' })(k, k))(q) as Tensor
        const keys = stage(layout(''))(k!) as Tensor
        return { outs: [attend(q!, keys), attend(p!, l!), attend(r!, keys)] }
      },
    )
  const plan = right(compile(between('sp=2', '@sp'), { cluster }))
  assert.deepEqual(plan.steps.map((step) => step.do === 'move' ? step.name : step.op), ['ring', ...new Array<string>(5).fill('attention')])
  assert.deepEqual(right(decodePlan(JSON.parse(JSON.stringify(encodePlan(plan))))), plan)
  const one = plansOf(between('sp=1', '')).fused
  const [{ outputs }, wanted] = [await runPlan(plan, inputsFor(one), { poison: true }), await runPlan(one, inputsFor(one))]
  for (const [name, elements] of Object.entries(wanted.outputs)) assertClose(outputs[name]!, elements, 1e-6)
})

// ---- memory ---------------------------------------------------------------------------------------------------------

/**
 * How many values of each spec without its turns are there at once, of those that have been turned or are on their way: from the
 * step that makes them to the last one that reads them.
 */
const mostTurned = ({ values, steps }: Plan): ReadonlyMap<string, number> => {
  const turned = values.map(({ spec }) => spec.includes('>') ? spec.replace(/>\d+/, '') : undefined)
  const lives = turned.map(() => ({ from: Infinity, until: -1 }))
  steps.forEach((step, at) => {
    const [made, read] = step.do === 'compute' ? [step.result, step.operands] : [step.to, [step.from]]
    lives[made]!.from = Math.min(lives[made]!.from, at)
    for (const value of read) lives[value]!.until = at
  })
  const most = new Map<string, number>()
  steps.forEach((_, at) => {
    const alive = new Map<string, number>()
    lives.forEach(({ from, until }, value) => {
      const spec = turned[value]
      if (spec !== undefined && from <= at && at <= until) alive.set(spec, (alive.get(spec) ?? 0) + 1)
    })
    for (const [spec, count] of alive) most.set(spec, Math.max(most.get(spec) ?? 0, count))
  })
  return most
}

describe('memory', () => {
  const ranks = 6
  const given: Case = { ...own, mesh: `sp=${ranks}`, q: 's:6@sp d:4', k: 's:96@sp d:4' }

  test('holds two pieces of keys and of values beside a rank’s own, forward and backward, and of their gradients one more', () => {
    assert.deepEqual([...mostTurned(plansOf(ringProgram({ ...given, v: 'd:4 s:96@sp', forward: true })).fused)], [
      ['s:96@sp d:4', 2],
      ['d:4 s:96@sp', 2],
    ])
    const both = mostTurned(plansOf(ringProgram({ ...given, v: 'd:4 s:96@sp' })).fused)
    assert.deepEqual([both.get('s:96@sp d:4'), both.get('d:4 s:96@sp'), both.get('part:2 s:96@sp d:4')], [2, 2, 2])
  })

  test('is that of some pieces, not of all keys, as where they are gathered', () => {
    const all = 4 * 96 * 4
    const { ring: _, ...plain } = given
    const gathering: Case = { ...plain, gathered: true }
    const peak = (of: Case): number => {
      const { activations, gradients } = peakOf(plansOf(ringProgram(of)).fused, 0)
      return activations + gradients
    }
    // Two pieces each of keys and values, and small things as large as the queries.
    assert.ok(peak({ ...given, forward: true }) < 5 * all / ranks, `${peak({ ...given, forward: true })}`)
    assert.ok(peak(given) < 10 * all / ranks, `${peak(given)}`)
    for (const forward of [true, false]) {
      assert.ok(peak({ ...gathering, forward }) >= 2 * all, `${peak({ ...gathering, forward })}`)
      // What they send is the same.
      const sent = (of: Case): number => plansOf(ringProgram(of)).fused.certificate.bytes
      if (forward) assert.equal(sent({ ...gathering, forward }), sent({ ...given, forward }))
    }
  })
})

// ---- refusals -------------------------------------------------------------------------------------------------------

describe('a ring has no', () => {
  const refusalOf = (program: Program): string => {
    const plan = compile(program)
    return E.isLeft(plan) ? sentence(plan.left).replace(/^.*?:\d+: /, '') : assert.fail('not refused')
  }
  const given: Case = { ...own, mesh: 'sp=2', q: 't:3@sp d:3', k: 's:4@sp d:3', mask: ['t:3 s:4', 'f32'] }
  const masked = (stop: boolean): Program =>
    program('masked', mesh('sp=2'), { q: input(given.q), k: input(given.k), m: input('t:3 s:4'), c: input(given.q) }, (tensors) => {
      const { q, k, m, c } = tensors as unknown as { readonly [name: string]: Tensor }
      const loss = ({ q, m }: { readonly [name: string]: Tensor }): Tensor => {
        const scaled = stage(multiply(2))(m!) as Tensor
        return weighted(attending(given)({ q: q!, k: k!, v: k!, mask: stop ? stage(stopGradient)(scaled) as Tensor : scaled }), c!)
      }
      return grad(loss)({ q: q!, m: m! })
    })

  test('gradient of a mask, and says so; stopped, it is 0', async () => {
    assert.equal(
      refusalOf(masked(false)),
      "attention: a mask has no gradient where keys go round 'sp'; fix: stopGradient on the mask before it",
    )
    const { fused } = plansOf(masked(true))
    const { outputs } = await runPlan(fused, inputsFor(fused))
    assert.ok(outputs['m']!.every((x) => x === 0) && outputs['q']!.some((x) => x !== 0))
  })

  test('second derivatives, and says so', () => {
    const { mask: _, ...plain } = given
    const twice = program('second', mesh('sp=2'), { q: input(given.q), k: input(given.k), c: input(given.q) }, (tensors) => {
      const { q, k, c } = tensors as unknown as { readonly [name: string]: Tensor }
      const slope = (q: Tensor): Tensor => grad((q: Tensor) => weighted(attending(plain)({ q, k: k!, v: k! }), c!))(q)
      return grad((q: Tensor) => pipe(square(slope(q)), stage(sum('t d'))) as Tensor)(q!)
    })
    assert.equal(
      refusalOf(twice),
      "attention's gradient has no gradient where keys go round 'sp'; fix: stopGradient before it",
    )
  })
})
