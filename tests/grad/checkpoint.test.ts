import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { checkpoint, explain, grad, input, layout, mesh, parameter, type Program, program, seq, type Tensor } from '#lib/mod.ts'
import type { Plan } from '#lib/plan/plan.ts'
import { add, attention, exp, gelu, layerNorm, linear, mean, multiply, sin, softmax, square, sum, tanh } from '#ops/mod.ts'
import { assertClose, inputsFor, plansOf, runPlan } from '../lower/run-plan.ts'

/** Checkpoints change what is kept and what is computed again, and nothing else. */

type Around = <F extends (...inputs: never[]) => unknown>(f: F) => F
const plain: Around = (f) => f

const planOf = (program: Program): Plan => plansOf(program).unfused
const opsIn = (plan: Plan, phase: string): readonly string[] =>
  plan.steps.flatMap((step) => step.do === 'compute' && step.phase === phase ? [step.op] : [])

/**
 * The gradients with checkpoints are those without, to the last bit, and those without are in no phase of recomputing. Where
 * something is sent, plans may differ in what they round to float32 on the way: a tolerance says so.
 */
const assertSame = async (make: (around: Around) => Program, tolerance = 0): Promise<{ readonly kept: Plan; readonly remade: Plan }> => {
  const [kept, remade] = [planOf(make(plain)), planOf(make(checkpoint))]
  const [wanted, got] = [await runPlan(kept, inputsFor(kept)), await runPlan(remade, inputsFor(remade), { poison: true })]
  for (const [name, elements] of Object.entries(wanted.outputs)) {
    if (tolerance === 0) assert.deepEqual(got.outputs[name], elements, name)
    else assertClose(got.outputs[name]!, elements, tolerance)
  }
  assert.deepEqual(opsIn(kept, 'recompute'), [])
  return { kept, remade }
}

type X = Tensor<'t:5@sp e:6'>
const sp = mesh('sp=2')
const x = input('t:5@sp e:6')

describe('a checkpoint', () => {
  test('computes its inside once more for the backward pass, except for its result', async () => {
    const { remade } = await assertSame((around) =>
      program('one', sp, { x }, ({ x }) => grad((x: X) => pipe(x, around(seq(sin, exp, tanh)), square, mean('t e')))(x))
    )
    assert.deepEqual(opsIn(remade, 'forward').filter((op) => ['sin', 'exp', 'tanh'].includes(op)), ['sin', 'exp', 'tanh'])
    // tanh again: its gradient is made of its own result.
    assert.deepEqual(opsIn(remade, 'recompute').filter((op) => op !== 'tanh'), ['sin', 'exp'])
  })

  test('does not matter where no gradient is wanted', () => {
    const forward = (around: Around): Plan => planOf(program('forward', sp, { x }, ({ x }) => pipe(x, around(seq(sin, exp)))))
    const work = (plan: Plan) => plan.steps.map((step) => step.do === 'compute' ? step.op : step.name)
    assert.deepEqual(work(forward(checkpoint)), work(forward(plain)))
  })

  test('may have several inputs and outputs', async () => {
    const { remade } = await assertSame((around) =>
      program(
        'several',
        sp,
        { x, w: parameter('f:4 e:6'), y: x },
        ({ x, w, y }) =>
          grad(({ x, w, y }: { readonly x: X; readonly w: Tensor<'f:4 e:6'>; readonly y: X }) => {
            const both = around((x: X, w: Tensor<'f:4 e:6'>, y: X) => {
              const z = pipe(x, multiply(y), sin)
              return { first: pipe(z, linear(w, 'e'), tanh, sum('f')), second: [pipe(z, exp), pipe(y, square, sum('e'))] as const }
            })
            const { first, second: [second, third] } = both(x, w, y)
            return pipe(second, softmax('e'), multiply(first), sum('e'), add(third), square, mean('t'))
          })({ x, w, y }),
      )
    )
    assert.ok(opsIn(remade, 'recompute').includes('sin'))
  })

  test('may use what lies outside, and what it uses may be used outside too', async () => {
    await assertSame((around) =>
      program('outside', sp, { x, w: parameter('e:6') }, ({ x, w }) =>
        grad(({ x, w }: { readonly x: X; readonly w: Tensor<'e:6'> }) => {
          const y = pipe(x, sin)
          let inside: X | undefined
          const z = pipe(
            y,
            around((y: X) => {
              const u = pipe(y, multiply(w), tanh)
              inside = u
              return pipe(u, exp, add(x))
            }),
          )
          return pipe(z, multiply(y), add(inside!), multiply(w), square, mean('t e'))
        })({ x, w }))
    )
  })

  test('may be inside of another, which may be inside of another', async () => {
    const { remade } = await assertSame((around) =>
      program('nested', sp, { x }, ({ x }) =>
        grad((x: X) => {
          const inner = around(seq(sin, exp))
          const middle = around(seq(inner, tanh, inner))
          const outer = around(seq(middle, square, middle))
          return pipe(x, outer, mean('t e'))
        })(x))
    )
    // The outer one needs both inner ones of its first half, each half its own first one, and each inner one its own sine.
    assert.equal(opsIn(remade, 'recompute').filter((op) => op === 'sin').length, 2 + 2 + 4)
  })

  test('may follow another of the same function, over the same values', async () => {
    await assertSame((around) =>
      program('again', sp, { x }, ({ x }) =>
        grad((x: X) => {
          const layer = around(seq(sin, exp))
          return pipe(x, layer, add(pipe(x, layer)), layer, mean('t e'))
        })(x))
    )
  })

  test('may be what gradients are taken by, or around them', async () => {
    await assertSame((around) =>
      program('around', sp, { x }, ({ x }) => {
        const slopes = around((x: X) => grad((x: X) => pipe(x, around(seq(sin, exp)), mean('t e')))(x))
        return grad((x: X) => pipe(slopes(x), square, mean('t e')))(x)
      })
    )
    await assertSame((around) =>
      program('inside', sp, { x }, ({ x }) => {
        let inside: X | undefined
        return grad(() =>
          pipe(
            x,
            around((x: X) => {
              inside = pipe(x, sin)
              return pipe(inside, exp)
            }),
            square,
            mean('t e'),
          )
        )(inside ?? pipe(x, sin))
      })
    )
  })

  test('sends what is sent inside once more', async () => {
    const switching = (x: X): X => pipe(x, exp, layout('e@sp'), softmax('t'), layout('t@sp'), softmax('e'))
    const { kept, remade } = await assertSame(
      (around) => program('sends', sp, { x }, ({ x }) => grad((x: X) => pipe(x, around(switching), square, mean('t e')))(x)),
      1e-6,
    )
    const moves = (plan: Plan, phase: string): number => plan.steps.filter((step) => step.do === 'move' && step.phase === phase).length
    assert.equal(moves(kept, 'recompute'), 0)
    assert.ok(moves(remade, 'recompute') > 0)
  })
})

describe('memory', () => {
  type S = Tensor<'t:16 s:8 e:8'>
  /** A block whose inside is several times as large as its result. */
  const block = (w: Tensor<'f:64 e:8'>, v: Tensor<'e:8 f:64'>) => (x: S): S =>
    pipe(x, layerNorm('e'), (y) => pipe(y, attention({ over: 's', features: 'e' })(y, y)), linear(w, 'e'), gelu, linear(v, 'f'), add(x))
  const stack = (layers: number, around: Around): Plan =>
    plansOf(program(
      'stack',
      mesh('sp=1'),
      {
        x: input('t:16 s:8 e:8'),
        weights: Array.from({ length: layers }, () => ({ w: parameter('f:64 e:8'), v: parameter('e:8 f:64') })),
      },
      ({ x, weights }) =>
        grad((weights: readonly { readonly w: Tensor<'f:64 e:8'>; readonly v: Tensor<'e:8 f:64'> }[]) =>
          pipe(weights.reduce((y, { w, v }) => around(block(w, v))(y), x as S), square, mean('t s e'))
        )(weights),
    )).fused
  const peak = (layers: number, around: Around): number => explain(stack(layers, around)).peakBytesPerRank

  test('of a deep stack grows by one result for each layer, not by the layers’ insides', () => {
    const result = 16 * 8 * 8 * 4
    const parameters = 2 * 64 * 8 * 4
    const [few, many] = [4, 8]
    const growth = (around: Around): number => (peak(many, around) - peak(few, around)) / (many - few)
    // Parameters and their gradients are there in any case.
    assert.ok(growth(checkpoint) <= result + 2 * parameters, `${growth(checkpoint)}`)
    assert.ok(growth(plain) > 5 * growth(checkpoint), `${growth(plain)} without, ${growth(checkpoint)} with`)
    assert.ok(peak(many, checkpoint) < peak(many, plain) / 2)
  })
})
