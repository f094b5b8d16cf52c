import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import fc from 'fast-check'
import type * as t from 'io-ts'
import { NumberCodec, numberToJson } from '#lib/codec.ts'
import { type Expression, ExpressionCodec } from '#lib/kernel/expression.ts'
import { type Template, TemplateCodec } from '#lib/kernel/template.ts'
import { compile, decodePlan, encodePlan, input, mesh, program } from '#lib/mod.ts'
import { ToRank } from '#lib/run/messages.ts'
import { add, pad } from '#ops/mod.ts'
import { right } from './ops/run-law.ts'

/** Numbers that cross a process border as JSON, which has no infinities, no NaN and no -0. */

const anyNumber = fc.oneof(fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, 5e-324, -Number.MAX_VALUE), fc.double())

const throughJson = <A>(codec: t.Type<A, unknown>, value: A): A => {
  const decoded = codec.decode(JSON.parse(JSON.stringify(codec.encode(value))))
  return E.isRight(decoded) ? decoded.right : assert.fail('what was written is not read')
}
// Strict deep equality is that of Object.is: NaN is NaN, and -0 is not 0.
const same = <A>(codec: t.Type<A, unknown>, value: A): void => assert.deepEqual(throughJson(codec, value), value)

test('every number is read as it was written', () =>
  fc.assert(fc.property(anyNumber, (value) => assert.ok(Object.is(throughJson(NumberCodec, value), value)))))

test('numbers that differ are written differently', () =>
  fc.assert(fc.property(anyNumber, anyNumber, (a, b) => {
    assert.equal(JSON.stringify(numberToJson(a)) === JSON.stringify(numberToJson(b)), Object.is(a, b))
  })))

test('other texts are not numbers', () =>
  fc.assert(fc.property(fc.oneof(fc.string(), fc.constantFrom('1', '0', '', 'infinity', '+Infinity', '--0')), (text) => {
    fc.pre(!['NaN', 'Infinity', '-Infinity', '-0'].includes(text))
    assert.ok(E.isLeft(NumberCodec.decode(text)))
  })))

test('so are constants of all types, what fills a pad, and the scale of attention', () =>
  fc.assert(fc.property(anyNumber, fc.constantFrom('f32' as const, 'i32' as const, 'bool' as const), (value, type) => {
    const constant: Expression = { constant: value, type }
    const templates: readonly Template[] = [
      { family: 'map', expression: { call: 'add', of: [{ input: 0 }, constant] } },
      { family: 'row', inner: ['t'], folds: [{ combine: 'sum', expression: constant }], result: constant, per: 'row' },
      { family: 'contract', inner: ['t'], epilogue: constant },
      { family: 'place', dim: 't', before: 1, fill: value },
      { family: 'attention', over: 's', features: 'd', maskKeys: null, scale: value, carried: false, logSum: true },
    ]
    same(ExpressionCodec, constant)
    templates.forEach((template) => same(TemplateCodec, template))
  })))

test('a plan with any numbers is read as it was written, and its hash holds', () =>
  fc.assert(
    fc.property(anyNumber, anyNumber, (value, more) => {
      const plan = right(
        compile(
          program('numbers', mesh('sp=2'), { x: input('t:4 e:2@sp') }, ({ x }) => pipe(x, pad('t', { before: 1, value }), add(more))),
        ),
      )
      assert.deepEqual(right(decodePlan(JSON.parse(JSON.stringify(encodePlan(plan))))), plan)
    }),
    { numRuns: 30 },
  ))

test('a rank may be told to wait for ever', () =>
  same(ToRank, {
    kind: 'load',
    backend: 'reference',
    link: { kind: 'none' },
    timeout: Infinity,
    debug: false,
    spans: false,
    throttle: null,
    outputs: [],
  }))
