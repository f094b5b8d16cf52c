import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { derivative } from '#lib/kernel/derivative.ts'
import { call, compile, type Expression, fold, index, input, real, substitute } from '#lib/kernel/expression.ts'
import { type ScalarName, scalars } from '#lib/kernel/scalar.ts'

/** Derivatives of expressions, against slopes of their float64 meaning. */

const one = (name: ScalarName) => (x: Expression): Expression => call(name, x)
const two = (name: ScalarName) => (x: Expression, y: Expression): Expression => call(name, x, y)
/** A number between 1/2 and 3/2 made of any number: where logarithms and roots are smooth. */
const positive = (x: Expression): Expression => call('add', real(1), call('multiply', real(0.5), call('sine', x)))
/** A number between -1 and 1, so that exponentials of exponentials stay small. */
const small = (x: Expression): Expression => call('sine', x)
const less = (x: Expression, y: Expression): Expression => call('less', x, y)

/** Every function of real numbers, each where it is smooth or, at kinks, where both sides are far apart. */
const ofOne: Readonly<Partial<Record<ScalarName, (x: Expression) => Expression>>> = {
  negate: one('negate'),
  absolute: one('absolute'),
  sine: one('sine'),
  cosine: one('cosine'),
  hyperbolicTangent: one('hyperbolicTangent'),
  errorFunction: one('errorFunction'),
  toReal: one('toReal'),
  exponential: (x) => call('exponential', small(x)),
  logarithm: (x) => call('logarithm', positive(x)),
  logarithmOfOnePlus: (x) => call('logarithmOfOnePlus', positive(x)),
  squareRoot: (x) => call('squareRoot', positive(x)),
  reciprocalSquareRoot: (x) => call('reciprocalSquareRoot', positive(x)),
}
const ofTwo: Readonly<Partial<Record<ScalarName, (x: Expression, y: Expression) => Expression>>> = {
  add: two('add'),
  subtract: two('subtract'),
  multiply: (x, y) => call('multiply', small(x), y),
  divide: (x, y) => call('divide', x, positive(y)),
  maximum: two('maximum'),
  minimum: two('minimum'),
  power: (x, y) => call('power', positive(x), small(y)),
  select: (x, y) => call('select', less(x, y), call('sine', x), call('cosine', y)),
}
/** What has steps, is a step, or is no number that slopes could be taken of. */
const withoutSlope: readonly ScalarName[] = [
  'floor',
  'less',
  'lessOrEqual',
  'equal',
  'and',
  'or',
  'not',
  'isFinite',
  'toInteger',
  'toTruth',
  'uniform',
]
/** Rounding to float32: its slope is 1 on the whole, but not between neighbours. */
const rounding: ScalarName = 'single'

/** Numbers between -2 and 2; those of one place never equal those of another, nor 0, so that no kink is hit. */
const number = (place: number): fc.Arbitrary<number> => fc.integer({ min: -2000, max: 2000 }).map((n) => n / 1000 + place / 7000)

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  fc.nat(2).map(input),
  fc.nat(1).map(fold),
  fc.constant(call('toReal', index(0))),
  number(6).map(real),
)
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, depthSize: 'large' },
    leaf,
    fc.tuple(fc.constantFrom(...Object.values(ofOne)), tie('expression')).map(([make, x]) => make(x)),
    fc.tuple(fc.constantFrom(...Object.values(ofTwo)), tie('expression'), tie('expression')).map(([make, x, y]) => make(x, y)),
  ),
}))

const point: fc.Arbitrary<Point> = fc.record({ inputs: fc.tuple(number(1), number(2), number(3)), folds: fc.tuple(number(4), number(5)) })
type Point = { readonly inputs: readonly number[]; readonly folds: readonly number[] }
type By = { readonly input: number } | { readonly fold: number }
const by: fc.Arbitrary<By> = fc.oneof(fc.nat(2).map((input) => ({ input })), fc.nat(1).map((fold) => ({ fold })))

const value = (e: Expression, { inputs, folds }: Point): number => compile(e)(inputs, folds, [3])
const moved = ({ inputs, folds }: Point, by: By, step: number): Point =>
  'input' in by
    ? { inputs: inputs.map((x, i) => i === by.input ? x + step : x), folds }
    : { inputs, folds: folds.map((x, i) => i === by.fold ? x + step : x) }

/** The slopes to the left and to the right of a point, and across it. */
const slopes = (e: Expression, at: Point, by: By) => {
  const step = 1e-5
  const [before, here, after] = [value(e, moved(at, by, -step)), value(e, at), value(e, moved(at, by, step))]
  return { left: (here - before) / step, right: (after - here) / step, across: (after - before) / (2 * step) }
}

const uses = (e: Expression, by: By): boolean =>
  'call' in e
    ? e.of.some((part) => uses(part, by))
    : 'input' in by
    ? 'input' in e && e.input === by.input
    : 'fold' in e && e.fold === by.fold

describe('derivative', () => {
  it('is known for every scalar function, or is none', () => {
    assert.deepEqual([...Object.keys(ofOne), ...Object.keys(ofTwo), ...withoutSlope, rounding].sort(), Object.keys(scalars).sort())
  })

  it('is the slope', () => {
    let compared = 0
    fc.assert(
      fc.property(expression, point, by, (e, at, by) => {
        const { left, right, across } = slopes(e, at, by)
        const found = derivative(e, by)
        const slope = found === null ? 0 : value(found, at)
        const scale = 1 + Math.abs(left) + Math.abs(right) + Math.abs(across)
        // Where the sides differ there is a kink or a step nearby, or it is so steep that differences say nothing. Sides
        // of smooth functions differ by the step times the curvature.
        if (!(Math.abs(left - right) < 2e-4 * scale) || scale > 1e4) return
        compared++
        assert.ok(Math.abs(slope - across) <= 2e-4 * scale, `${slope}, not ${across}`)
      }),
      { numRuns: 2000 },
    )
    assert.ok(compared > 1500, `only ${compared} of 2000 could be compared`)
  })

  it('is null where the input or fold is not used, and never computes what is 0', () => {
    fc.assert(fc.property(expression, by, (e, by) => {
      if (!uses(e, by)) assert.equal(derivative(e, by), null)
    }))
    for (const name of withoutSlope) assert.equal(derivative(call(name, input(0), input(0)), { input: 0 }), null, name)
    assert.equal(derivative(call('select', less(input(0), real(1)), real(2), real(3)), { input: 0 }), null)
    assert.equal(derivative(call('add', call('floor', input(0)), input(1)), { input: 0 }), null)
  })

  it('does no work for factors that are 1 and for sums with 0', () => {
    const [x, y] = [input(0), input(1)]
    assert.deepEqual(derivative(call('add', x, y), { input: 0 }), real(1))
    assert.deepEqual(derivative(call('multiply', x, y), { input: 0 }), y)
    assert.deepEqual(derivative(call('add', call('multiply', x, y), call('exponential', y)), { input: 0 }), y)
    assert.deepEqual(derivative(call('single', x), { input: 0 }), real(1))
  })

  it('is the sum over all places of an input, however deep', () => {
    fc.assert(
      fc.property(expression, point, (e, at) => {
        // With input 1 in the places of all leaves, the derivative is the sum of those by each of them.
        const merged = substitute(e, (leaf) => 'input' in leaf ? input(1) : leaf)
        const same: Point = { ...at, inputs: at.inputs.map(() => at.inputs[1]!) }
        const parts = [0, 1, 2].map((n) => derivative(e, { input: n })).map((part) => part === null ? 0 : value(part, same))
        const sum = parts.reduce((a, b) => a + b, 0)
        const whole = derivative(merged, { input: 1 })
        const scale = 1 + parts.reduce((most, part) => Math.max(most, Math.abs(part)), 0)
        assert.ok(Math.abs((whole === null ? 0 : value(whole, same)) - sum) <= 1e-9 * scale)
      }),
      { numRuns: 500 },
    )
  })

  it('at a kink is that of one side, and of maximum with 0 is 0', () => {
    const at = (e: Expression, x: number): number => {
      const found = derivative(e, { input: 0 })
      return found === null ? 0 : value(found, { inputs: [x, 0, 0], folds: [0, 0] })
    }
    assert.equal(at(call('maximum', input(0), real(0)), 0), 0)
    for (const kinked of [call('absolute', input(0)), call('maximum', input(0), real(0)), call('minimum', input(0), real(0))]) {
      assert.equal(at(kinked, 0), [at(kinked, -1), at(kinked, 1)].find((side) => side === at(kinked, 0)))
    }
    // x⁰ and 0ʸ: no logarithm of 0 turns up.
    assert.equal(at(call('power', input(0), real(2)), 0), 0)
    assert.equal(at(call('power', real(0), input(0)), 2), 0)
    assert.equal(at(call('power', input(0), real(1)), 0), 1)
  })
})
