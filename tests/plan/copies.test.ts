import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyOf, type Layout, type Shape } from '#lib/layout/layout.ts'
import { type Mesh, mesh } from '#lib/language/mesh.ts'
import { copyPrices } from '#lib/plan/copies.ts'
import { inBytes } from '#lib/plan/pricing.ts'
import { type Ground, statesOf } from '#lib/plan/states.ts'
import { copySets, moveBytes } from './brute-force.ts'

const on = (mesh: Mesh): Ground => ({ mesh, cutSingles: new Set() })

const prices = (mesh: Mesh) => copyPrices(on(mesh), inBytes({ mesh }).exchange)

/** A value of a small shape that is made in one layout and wanted in some others. */
const value = (meshes: readonly string[], dims: number, wishes: number) =>
  fc.record({
    mesh: fc.constantFrom(...meshes).map((text) => mesh(text)),
    shape: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: dims })
      .map((sizes): Shape => ({ dims: sizes.map((size, i) => ({ name: 'xyz'[i]!, size })), type: 'f32' })),
    pending: fc.boolean(),
  }).chain(({ mesh, shape, pending }) => {
    const makings = statesOf(shape, on(mesh), pending ? [{ axis: mesh.axes[0]!.name, combine: 'sum' }] : [])
    return fc.constantFrom(...makings).chain((made) => {
      const states = statesOf(shape, on(mesh), made.pending)
      return fc.record({
        mesh: fc.constant(mesh),
        shape: fc.constant(shape),
        made: fc.constant(made),
        wanted: fc.subarray([...states], { maxLength: Math.min(wishes, states.length) }),
      })
    })
  })

/** The least bytes over all sets of stops on the way, and over all ways of giving each copy the one that it is made from. */
const leastTree = (shape: Shape, mesh: Mesh, made: Layout, wanted: readonly Layout[]): number => {
  const root = keyOf(made)
  const keys = new Set(wanted.map(keyOf).filter((key) => key !== root))
  const states = statesOf(shape, on(mesh), made.pending)
  const needed = states.filter((state) => keys.has(keyOf(state)))
  const spare = states.filter((state) => keyOf(state) !== root && !keys.has(keyOf(state)))
  let least = Infinity
  for (let set = 0; set < 2 ** spare.length; set++) {
    const copies = [made, ...needed, ...spare.filter((_, i) => (set & 2 ** i) !== 0)]
    const parents = new Array<number>(copies.length).fill(0)
    const reachesRoot = (copy: number): boolean => {
      let at = copy
      for (let steps = 0; steps < copies.length && at !== 0; steps++) at = parents[at]!
      return at === 0
    }
    const assign = (copy: number, bytes: number): void => {
      if (copy === copies.length) {
        if (bytes < least && copies.every((_, i) => reachesRoot(i))) least = bytes
        return
      }
      for (let parent = 0; parent < copies.length; parent++) {
        if (parent === copy) continue
        parents[copy] = parent
        assign(copy + 1, bytes + moveBytes(shape, copies[parent]!, copies[copy]!, mesh))
      }
    }
    assign(1, 0)
  }
  return least
}

test('the states of a value are all layouts that exist, each once', () => {
  fc.assert(fc.property(value(['sp=2', 'a=2 b=3', 'a=2 b=2 c=2', 'a=3 b=1'], 3, 0), ({ mesh, shape, made }) => {
    const live = mesh.axes.filter(({ size }) => size > 1)
    const long = shape.dims.flatMap(({ size }, dim) => size > 1 ? [dim] : [])
    // Axes one by one: each may open a reduction (if it is pending), cut a dim behind or before others, or do nothing.
    let layouts: Layout[] = [{ cuts: shape.dims.map(() => []), pending: [] }]
    for (const { name } of live) {
      layouts = layouts.flatMap((layout) => [
        layout,
        ...made.pending.filter(({ axis }) => axis === name).map((one) => ({ ...layout, pending: [...layout.pending, one] })),
        ...long.flatMap((dim) =>
          Array.from(
            { length: layout.cuts[dim]!.length + 1 },
            (_, at) => ({ ...layout, cuts: layout.cuts.map((cut, i) => i === dim ? cut.toSpliced(at, 0, name) : cut) }),
          )
        ),
      ])
    }
    assert.deepEqual(statesOf(shape, on(mesh), made.pending).map(keyOf).toSorted(), layouts.map(keyOf).toSorted())
  }))
})

test('the cheapest copies equal the cheapest of all trees', () => {
  fc.assert(
    fc.property(value(['sp=2', 'sp=3'], 3, 4), ({ mesh, shape, made, wanted }) => {
      assert.equal(inBytes({ mesh }).sum(prices(mesh).cheapest(shape, made, wanted).cost), leastTree(shape, mesh, made, wanted))
    }),
    { numRuns: 200 },
  )
})

test('on two axes too, they equal the cheapest set of copies', () => {
  fc.assert(
    fc.property(value(['a=2 b=2', 'a=2 b=3', 'a=3 b=2'], 2, 5), ({ mesh, shape, made, wanted }) => {
      assert.equal(inBytes({ mesh }).sum(prices(mesh).cheapest(shape, made, wanted).cost), copySets(shape, on(mesh), made)(wanted))
    }),
    { numRuns: 200 },
  )
})

test('the two ways of trying everything agree', () => {
  fc.assert(fc.property(value(['sp=2', 'sp=3'], 2, 4), ({ mesh, shape, made, wanted }) => {
    assert.equal(leastTree(shape, mesh, made, wanted), copySets(shape, on(mesh), made)(wanted))
  }))
})

test('the moves make every wanted copy from one that exists, and cost what is said', () => {
  fc.assert(
    fc.property(value(['sp=3', 'a=2 b=2', 'a=2 b=3'], 3, 5), ({ mesh, shape, made, wanted }) => {
      const { moves, cost } = prices(mesh).cheapest(shape, made, wanted)
      const copies = new Set([keyOf(made)])
      const waiting = new Map(moves.map((move) => [keyOf(move.to), move]))
      assert.equal(waiting.size, moves.length, 'each copy is made once')
      while (waiting.size > 0) {
        const ready = [...waiting].filter(([, { from }]) => copies.has(keyOf(from)))
        assert.ok(ready.length > 0, 'each copy is made from one that exists')
        for (const [key] of ready) {
          copies.add(key)
          waiting.delete(key)
        }
      }
      assert.ok(wanted.every((layout) => copies.has(keyOf(layout))))
      for (const { from, to, bytes } of moves) assert.equal(bytes, moveBytes(shape, from, to, mesh))
      assert.equal(moves.reduce((sum, { bytes }) => sum + bytes, 0), inBytes({ mesh }).sum(cost))
    }),
    { numRuns: 200 },
  )
})

test('the pricer of many choices gives the price of each', () => {
  const cases = value(['sp=3', 'a=2 b=2'], 2, 6).chain((one) =>
    fc.record({
      one: fc.constant(one),
      choices: fc.array(fc.array(fc.nat(5), { minLength: 3, maxLength: 5 }), { minLength: 1, maxLength: 10 }),
    })
  )
  fc.assert(fc.property(cases, ({ one: { mesh, shape, made, wanted }, choices }) => {
    fc.pre(wanted.length > 0)
    for (const choice of choices) {
      const price = prices(mesh).pricer(shape, [made], choice.map(() => wanted))
      const picked = choice.map((at) => at % wanted.length)
      assert.equal(price(0, picked), prices(mesh).cheapest(shape, made, picked.map((at) => wanted[at]!)).cost)
    }
  }))
})
