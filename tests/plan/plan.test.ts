import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { sentence } from '#lib/fault.ts'
import { decodePlan, encodePlan, type Plan } from '#lib/mod.ts'
import { sign } from '#lib/plan/plan.ts'
import { plansOf } from '../lower/run-plan.ts'
import { ringProgram } from '../grad/ring-programs.ts'
import { programOf, recipes } from './random-programs.ts'

const plans = recipes(['sp=1', 'sp=3', 'a=2 b=2'], 10).map((recipe) => plansOf(programOf(recipe, 3)).fused)

/** A plan as it is after a journey through a file. */
const asJson = (plan: Plan): unknown => JSON.parse(JSON.stringify(encodePlan(plan)))

/** What decoding must say of anything that is not a plan: where it is wrong, and never an exception. */
const assertMalformed = (json: unknown): void => {
  const decoded = decodePlan(json)
  assert.ok(E.isLeft(decoded))
  assert.equal(decoded.left.tag, 'Malformed')
  if (decoded.left.tag === 'Malformed') assert.notEqual(decoded.left.path, '')
  assert.match(sentence(decoded.left), /^plan: expected /)
}

/** The places of a JSON value, as paths of keys. */
const placesOf = (json: unknown): readonly (readonly string[])[] =>
  typeof json !== 'object' || json === null
    ? [[]]
    : [[], ...Object.entries(json).flatMap(([key, part]) => placesOf(part).map((path) => [key, ...path]))]

const replacedAt = (json: unknown, [key, ...rest]: readonly string[], change: (part: unknown) => unknown): unknown => {
  if (key === undefined) return change(json)
  const copy: Record<string, unknown> | unknown[] = Array.isArray(json) ? [...json] : { ...json as Record<string, unknown> }
  Object.assign(copy, { [key]: replacedAt((json as Record<string, unknown>)[key], rest, change) })
  return copy
}

const without = (json: unknown, key: string): unknown => Object.fromEntries(Object.entries(json as object).filter(([name]) => name !== key))

test('a plan read back is the plan that was written', () => {
  fc.assert(fc.property(plans, (plan) => {
    const decoded = decodePlan(asJson(plan))
    assert.ok(E.isRight(decoded))
    assert.deepEqual(decoded.right, plan)
    assert.deepEqual(asJson(decoded.right), asJson(plan))
  }))
})

test('equal programs have plans of equal hash', () => {
  fc.assert(
    fc.property(recipes(['sp=3', 'a=2 b=2'], 8), (recipe) => {
      assert.equal(plansOf(programOf(recipe, 3)).fused.hash, plansOf(programOf(recipe, 3)).fused.hash)
    }),
    { numRuns: 30 },
  )
})

test('a plan changed in any one place is refused', () => {
  const other = fc.oneof(fc.anything(), fc.integer(), fc.string(), fc.constantFrom(null, -1, 1e9, 'Infinity', [], {}))
  fc.assert(
    fc.property(plans, fc.nat(), other, (plan, number, other) => {
      const json = asJson(plan)
      const places = placesOf(json)
      const path = places[number % places.length]!
      const changed = replacedAt(json, path, (part) => {
        fc.pre(JSON.stringify(part) !== JSON.stringify(other))
        return other
      })
      assertMalformed(changed)
    }),
    { numRuns: 300 },
  )
})

test('a change that was sealed again is refused where the parts of the plan no longer fit, and never throws', () => {
  const other = fc.oneof(
    fc.integer({ min: -2, max: 40 }),
    fc.constantFrom('', 'sum', 't:5@sp', 't:5 s:6', 'a=2 b=2', 'sp=2', [], null),
    fc.string(),
  )
  fc.assert(
    fc.property(plans, fc.nat(), other, (plan, number, other) => {
      const json = asJson(plan)
      const places = placesOf(json).filter(([field]) => field !== 'hash')
      const changed = replacedAt(json, places[number % places.length]!, () => other)
      const sealed = trySeal(changed)
      fc.pre(sealed !== undefined)
      const decoded = decodePlan(sealed)
      if (E.isLeft(decoded)) return assertMalformed(sealed)
      for (const { spec, value } of [...decoded.right.inputs, ...decoded.right.outputs]) {
        assert.equal(decoded.right.values[value]?.spec, spec)
      }
      const sent = decoded.right.steps.flatMap((step) => step.do === 'move' ? step.bytes : [])
      assert.equal(sent.reduce((sum, bytes) => sum + bytes, 0), decoded.right.certificate.bytes)
    }),
    { numRuns: 300 },
  )
})

/** The changed plan with a hash that fits, if it still has the form of a plan. */
const trySeal = (changed: unknown): unknown => {
  try {
    const { hash: _, ...unsigned } = changed as Plan
    return JSON.parse(JSON.stringify(encodePlan(sign(unsigned))))
  } catch {
    return undefined
  }
}

test('a plan with pieces that go round is read back, and refused where a turn is not what it was', () => {
  const plan = plansOf(ringProgram({ mesh: 'sp=3', q: 's:7@sp d:2', k: 's:4@sp d:2', over: 's', features: 'd', ring: 'sp' })).fused
  assert.ok(plan.values.some(({ spec }) => spec === 's:4@sp>2 d:2'))
  assert.deepEqual(decodePlan(asJson(plan)), E.right(plan))
  const changed = (change: (spec: string) => string): unknown => {
    const values = plan.values.map((value) => ({ ...value, spec: change(value.spec) }))
    assert.notDeepEqual(values, plan.values)
    return trySeal({ ...asJson(plan) as object, values })
  }
  // Never made, made too early, made by none of the mesh's axes, too often, and not at all by a number.
  for (const other of ['', '>2', '@xx>1', '>4', '>-1', '>all', '>', '>1>1']) {
    assertMalformed(changed((spec) => spec.replace(other.startsWith('@') ? '@sp>1' : '>1', other)))
  }
})

test('a missing field, another format or another version is named', () => {
  const json = asJson(fc.sample(plans, 1)[0]!)
  for (const key of Object.keys(json as object)) {
    const decoded = decodePlan(without(json, key))
    assert.ok(E.isLeft(decoded) && decoded.left.tag === 'Malformed')
    assert.equal(decoded.left.path, key)
  }
  for (const [key, other] of [['format', 'another-plan'], ['version', 1]] as const) {
    const decoded = decodePlan({ ...json as object, [key]: other })
    assert.ok(E.isLeft(decoded) && decoded.left.tag === 'Malformed')
    assert.equal(decoded.left.path, key)
  }
})

test('a plan of an earlier version is refused for that, whatever else it lacks', () => {
  const decoded = decodePlan({ format: 'shardwise-plan', version: 3, steps: [{ template: { family: 'gather', dim: 'v' } }] })
  assert.ok(E.isLeft(decoded))
  assert.equal(sentence(decoded.left), 'plan: expected 4 (a plan of another version must be made again) at version, got 3')
})

test('a wrong hash is told from a wrong form', () => {
  const plan = fc.sample(plans, 1)[0]!
  const decoded = decodePlan({ ...asJson(plan) as object, hash: plan.hash.replace(/./g, '0') })
  assert.ok(E.isLeft(decoded))
  assert.match(sentence(decoded.left), /the plan was changed after it was made/)
})

test('anything else is not a plan', () => {
  fc.assert(fc.property(fc.oneof(fc.jsonValue(), fc.anything()), (json) => assertMalformed(json)), { numRuns: 300 })
})
