import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { type AnyTensor, compile, grad, input, launch, layout, mesh, program, type Tensor } from '#lib/mod.ts'
import { attention, multiply, sum } from '#ops/mod.ts'
import { right, run, type Values } from '../ops/run-law.ts'

/** What a mask leaves out, by false or by -∞, never reaches a result or a gradient, whatever it is. */

const [queries, keys, features] = [7, 11, 4]
const plain = (count: number, seed: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i))

/** Keys 2 and 5 are for nobody, keys from 8 on for the later queries only, and query 3 sees none at all. */
const keeps = (query: number, key: number): boolean => key !== 2 && key !== 5 && query !== 3 && (key < 8 || query > 3)
const hidden = [2, 5]

type Mask = 'bool' | 'f32'

const inputs = (garbage: number, type: Mask): Values => {
  const [k, v] = [plain(keys * features, 2), plain(keys * features, 3)]
  for (const part of [k, v]) for (const key of hidden) part.fill(garbage, key * features, (key + 1) * features)
  const kept = Array.from({ length: queries * keys }, (_, i) => keeps(Math.floor(i / keys), i % keys))
  const mask = type === 'bool' ? Int32Array.from(kept, Number) : Float32Array.from(kept, (keep, i) => keep ? Math.cos(i) : -Infinity)
  return { q: plain(queries * features, 1), k, v, mask, g: plain(queries * features, 4) }
}

const of = (stage: unknown): (x: AnyTensor) => AnyTensor => stage as (x: AnyTensor) => AnyTensor
const whole = of(layout(''))

/** Result and gradients; with a ring, queries and keys are the same dim, cut over the axis. */
const attended = (ranks: number, ring: boolean, type: Mask) => {
  const cut = ring ? '@sp' : ''
  const [n, own] = [ring ? keys : queries, ring ? 's' : 'n']
  const specs = {
    q: `${own}:${n}@sp d:${features}`,
    k: `s:${keys}${cut} d:${features}`,
    v: `s:${keys}${cut} d:${features}`,
    mask: `${own}:${n}@sp r:${keys}`,
    g: `${own}:${n}@sp d:${features}`,
  }
  const declared = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, input(spec, name === 'mask' ? type : 'f32')]))
  return program('masked', mesh(`sp=${ranks}`), declared, (given) => {
    const { mask, g, ...parts } = given as unknown as Readonly<Record<string, Tensor>>
    const attend = ({ q, k, v }: typeof parts): AnyTensor =>
      of(attention({ over: 's', features: 'd', mask: mask!, maskKeys: 'r', ...(ring ? { ring: 'sp' } : {}) })(k!, v!))(q!)
    const loss = (tensors: typeof parts): Tensor<''> => pipe(attend(tensors), of(multiply(g!)), of(sum(`${own} d`)), whole) as Tensor<''>
    const gradients = grad(loss as never)(parts as never) as typeof parts
    return { result: whole(attend(parts)), ...Object.fromEntries(Object.entries(gradients).map(([name, x]) => [name, whole(x)])) }
  })
}

describe('what a mask leaves out', () => {
  for (const [backend, type] of [['reference', 'bool'], ['reference', 'f32'], ['webgpu', 'bool'], ['webgpu', 'f32']] as const) {
    for (const [ranks, ring] of [[1, false], [3, false], [3, true]] as const) {
      it(`by ${type} is not seen on ${ranks} ranks${ring ? ' in a ring' : ''} on ${backend}`, async () => {
        const given = (garbage: number): Values => ring ? widened(inputs(garbage, type)) : inputs(garbage, type)
        const session = right(await launch(right(compile(attended(ranks, ring, type))), { backend, inProcess: true })())
        const outputs = async (garbage: number): Promise<Values> => right(await session.run(given(garbage))()).outputs
        const wanted = await outputs(0)
        for (const garbage of [NaN, Infinity, -Infinity, 3e38]) {
          const got = await outputs(garbage)
          for (const [name, elements] of Object.entries(wanted)) {
            assert.ok(elements.every(Number.isFinite), name)
            // WebGPU makes a row with such a value anew, in another order.
            const most = Math.max(...elements.map(Math.abs))
            const near = got[name]!.every((x, i) => Math.abs(x - elements[i]!) <= 1e-6 * most)
            assert.ok(near, `with ${garbage} ${name} is ${got[name]!.join(' ')}, not ${elements.join(' ')}`)
          }
        }
        await session.close()
      })
    }
  }

  it('is seen by queries that do not leave it out', async () => {
    const values = inputs(0, 'bool')
    values['v']![9 * features] = NaN
    for (const backend of ['reference', 'webgpu'] as const) {
      const result = right(await run(attended(2, false, 'bool'), values, backend))['result']!
      result.forEach((x, i) => {
        const [query, feature] = [Math.floor(i / features), i % features]
        assert.equal(Number.isNaN(x), feature === 0 && keeps(query, 9), `query ${query}, feature ${feature} on ${backend}`)
      })
    }
  })
})

/** The same with as many queries as keys: those behind the others see what query 6 sees. */
function widened({ q, k, v, mask, g }: Values): Values {
  const rows = (x: ArrayLike<number>, width: number): readonly number[] =>
    Array.from({ length: keys * width }, (_, i) => x[Math.min(Math.floor(i / width), queries - 1) * width + i % width]!)
  const real = (x: ArrayLike<number>): Float32Array => Float32Array.from(rows(x, features))
  return { q: real(q!), k: k!, v: v!, mask: (mask instanceof Int32Array ? Int32Array : Float32Array).from(rows(mask!, keys)), g: real(g!) }
}
