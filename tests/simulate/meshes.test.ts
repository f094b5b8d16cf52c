import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mesh } from '#lib/mod.ts'
import { meshesOf } from '#lib/simulate/meshes.ts'

test('each mesh of so many ranks is there once', () => {
  assert.deepEqual(meshesOf(['sp'], 12), ['sp=12'])
  assert.deepEqual(meshesOf(['dp', 'sp'], 4), ['dp=1 sp=4', 'dp=2 sp=2', 'dp=4 sp=1'])
  assert.deepEqual([meshesOf([], 1), meshesOf([], 2)], [[''], []])
  // Ways to write a prime power p^k as an ordered product of three: (k+2 choose 2).
  assert.equal(meshesOf(['dp', 'sp', 'tp'], 128).length, (9 * 8) / 2)
  fc.assert(fc.property(fc.subarray(['dp', 'sp', 'tp'], { minLength: 1 }), fc.integer({ min: 1, max: 60 }), (axes, ranks) => {
    const meshes = meshesOf(axes, ranks)
    assert.equal(new Set(meshes).size, meshes.length)
    for (const text of meshes) {
      const of = mesh(text)
      assert.equal(of.ranks, ranks)
      assert.deepEqual(of.axes.map(({ name }) => name), axes)
    }
  }))
})
