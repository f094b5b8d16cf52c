import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { sentence } from '#lib/fault.ts'
import {
  decodeSafetensors,
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  type StoredTensor,
  writeSafetensors,
} from '#lib/files/safetensors.ts'

const sizes = fc.array(fc.nat({ max: 4 }), { maxLength: 3 })
const tensor: fc.Arbitrary<StoredTensor> = fc.tuple(sizes, fc.boolean(), fc.integer()).map(([shape, real, seed]) => {
  const count = shape.reduce((product, size) => product * size, 1)
  const values = Array.from({ length: count }, (_, i) => Math.sin(seed + i) * 1000)
  return { sizes: shape, elements: real ? Float32Array.from(values) : Int32Array.from(values) }
})
const tensors = fc.dictionary(fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__'), tensor, {
  maxKeys: 5,
})

describe('safetensors', () => {
  it('gives back what was written', () => {
    fc.assert(fc.property(tensors, (given) => {
      const read = parseSafetensors('file', encodeSafetensors(given))
      assert.ok(E.isRight(read))
      assert.deepEqual(Object.keys(read.right).sort(), Object.keys(given).sort())
      for (const [name, { sizes, elements }] of Object.entries(given)) {
        assert.deepEqual(read.right[name]!.sizes, sizes)
        assert.deepEqual(read.right[name]!.elements, elements)
      }
    }))
  })

  it('has its data at a multiple of 8 bytes and a header that any JSON reader understands', () => {
    const bytes = encodeSafetensors({ a: { sizes: [2], elements: Float32Array.of(1, 2) } })
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    assert.equal(length % 8, 0)
    assert.deepEqual(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))), {
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    })
  })

  it('keeps what is said beside the tensors, in any letters', () => {
    fc.assert(fc.property(tensors, fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (given, said) => {
      const metadata = { ...said, data_offsets: 'π' }
      const bytes = encodeSafetensors(given, metadata)
      assert.equal(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8, 0)
      const read = decodeSafetensors('file', bytes)
      assert.ok(E.isRight(read))
      assert.deepEqual(read.right.metadata, metadata)
      assert.deepEqual(read.right.tensors, { ...given })
    }))
  })

  it('refuses every truncated or damaged file with a sentence that names it', () => {
    const whole = encodeSafetensors({
      weights: { sizes: [3, 2], elements: new Float32Array(6) },
      ids: { sizes: [2], elements: new Int32Array(2) },
    })
    for (let length = 0; length < whole.length; length++) {
      const read = parseSafetensors('cut.safetensors', whole.subarray(0, length))
      assert.ok(E.isLeft(read), `${length} of ${whole.length} bytes were taken for a whole file`)
      assert.match(sentence(read.left), /cut\.safetensors/)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      assert.ok(E.isLeft(parseSafetensors('noise', bytes)) || bytes.length > 8)
    }))
  })

  it('tells of a tensor type that it does not read, and of a missing file', async () => {
    const header = new TextEncoder().encode(JSON.stringify({ half: { dtype: 'F16', shape: [1], data_offsets: [0, 2] } }))
    const bytes = new Uint8Array(8 + header.length + 2)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
    bytes.set(header, 8)
    const read = parseSafetensors('half.safetensors', bytes)
    assert.ok(E.isLeft(read))
    assert.equal(sentence(read.left), "half.safetensors: tensor 'half' is F16; only F32 and I32 are read")
    assert.ok(E.isLeft(await readSafetensors('/there/is/no/such.safetensors')()))
  })

  it('replaces a file whole', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shardwise-'))
    try {
      const path = join(folder, 'a.safetensors')
      for (const value of [1, 2]) {
        assert.ok(E.isRight(await writeSafetensors(path, { a: { sizes: [], elements: Float32Array.of(value) } })()))
        const read = await readSafetensors(path)()
        assert.ok(E.isRight(read))
        assert.equal(read.right['a']!.elements[0], value)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
