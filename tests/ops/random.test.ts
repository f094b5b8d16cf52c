import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Elements } from '#lib/dtype.ts'
import { sentence } from '#lib/fault.ts'
import { type AnyTensor, compile, input, launch, mesh, type Program, program } from '#lib/mod.ts'
import { dropout, normal, ones, sum, uniform } from '#ops/mod.ts'
import { countIn } from './law.ts'
import { close, correlation, dropped, limit, meanOf, normals, numbers } from './random-numbers.ts'
import { right, run, type Values } from './run-law.ts'

const backends = ['reference', 'webgpu'] as const

const count = 32_768

describe('random numbers', () => {
  it('of different ops, seeds and streams are independent, and so are neighbours', async () => {
    const spec = `n:${count}` as 'n:32768'
    const mask = (seed: number, stream = 0) => pipe(ones(spec), dropout({ rate: 0.5, seed, stream }))
    const all = right(
      await run(
        program('columns', mesh(''), {}, () => ({
          uniform: uniform(spec, { seed: 1 }),
          normal: normal(spec, { seed: 1 }),
          dropout: mask(1),
          'uniform of the next seed': uniform(spec, { seed: 2 }),
          'normal of the next seed': normal(spec, { seed: 2 }),
          'dropout of the next seed': mask(2),
          'uniform of the next stream': uniform(spec, { seed: 1, stream: 1 }),
          'normal of the next stream': normal(spec, { seed: 1, stream: 1 }),
          'dropout of the next stream': mask(1, 1),
          'uniform of a seed with the same low word': uniform(spec, { seed: 2 ** 32 + 1 }),
          'uniform of the negative seed': uniform(spec, { seed: -1 }),
          'uniform of seed 0': uniform(spec, { seed: 0 }),
        })),
        {},
        'reference',
      ),
    )
    const columns = Object.entries(all).flatMap(([name, elements]): (readonly [string, readonly number[]])[] => {
      const values = Array.from(elements)
      return name.startsWith('normal') ? [[name, values], [`size of ${name}`, values.map(Math.abs)]] : [[name, values]]
    })
    columns.forEach(([name, values], i) => {
      const lagged = correlation(values.slice(1), values.slice(0, -1))
      assert.ok(Math.abs(lagged) < limit(count), `${name} and its neighbours: ${lagged}`)
      for (const [other, others] of columns.slice(i + 1)) {
        if (other === `size of ${name}`) continue
        const found = correlation(values, others)
        assert.ok(Math.abs(found) < limit(count), `${name} and ${other}: ${found}`)
      }
    })
  })

  it('are uniform, or normal: moments, and shares of intervals', async () => {
    const spec = `n:${count}` as 'n:32768'
    for (const backend of backends) {
      const { u, z } = right(
        await run(
          program('moments', mesh(''), {}, () => ({ u: uniform(spec, { seed: 5 }), z: normal(spec, { seed: 5 }) })),
          {},
          backend,
        ),
      )
      const share = (x: Elements, inside: (x: number) => boolean): number => Array.from(x).filter(inside).length / count
      const near = (got: number, wanted: number, deviation: number, what: string): void =>
        assert.ok(Math.abs(got - wanted) < limit(count) * deviation, `${what} is ${got}, not ${wanted}`)
      const binomial = (share: number): number => Math.sqrt(share * (1 - share))
      for (const end of [0.01, 0.25, 0.5, 0.9]) near(share(u!, (x) => x < end), end, binomial(end), `the share below ${end}`)
      // Moments of the normal distribution, and how far those of one number are from them.
      for (const [power, moment, deviation] of [[1, 0, 1], [2, 1, Math.sqrt(2)], [3, 0, Math.sqrt(15)], [4, 3, Math.sqrt(96)]] as const) {
        near(meanOf(Array.from(z!, (x) => x ** power)), moment, deviation, `moment ${power}`)
      }
      for (const [size, part] of [[1, 0.682689], [2, 0.9545], [3, 0.9973]] as const) {
        near(share(z!, (x) => Math.abs(x) < size), part, binomial(part), `the share within ${size}`)
      }
    }
  })

  const dims = ['a:7', 'b:3', 'c:10'] as const
  const ways = [-1, 0, 1, 2].map((cut) => dims.map((dim, i) => i === cut ? `${dim}@sp` : dim).join(' '))
  it('are the same on every mesh and cut along every dim, on both backends, from seeds of both kinds', async () => {
    const plain = dims.join(' ')
    const x = Float32Array.from({ length: countIn(plain) }, (_, i) => 1 + i / 8)
    const [seed, stream] = [-7, 3]
    const wanted = {
      uniform: numbers(x.length, seed, 'uniform', stream),
      normal: normals(x.length, seed, stream),
      dropout: dropped(x, 0.4, seed, stream),
    }
    const first: Readonly<Record<string, Record<string, Elements>>> = { reference: {}, webgpu: {} }
    for (const ranks of [1, 2, 3, 5]) {
      for (const spec of ways) {
        const made = program('made', mesh(`sp=${ranks}` as 'sp=2'), { x: input(spec), given: input('', 'i32') }, ({ x, given }) => ({
          uniform: uniform(spec, { seed, stream }),
          normal: normal(spec, { seed, stream }),
          dropout: pipe(x, dropout({ rate: 0.4, seed, stream })),
          uniformGiven: uniform(spec, { seed: given, stream }),
          normalGiven: normal(spec, { seed: given, stream }),
          dropoutGiven: pipe(x, dropout({ rate: 0.4, seed: given, stream })),
        }))
        for (const backend of backends) {
          const got = right(await run(made, { x, given: Int32Array.of(seed) }, backend))
          for (const [name, elements] of Object.entries(got)) {
            const use = name.replace('Given', '') as keyof typeof wanted
            const what = `${name} of ${spec} on ${ranks} ranks, ${backend}`
            close(elements, wanted[use], use === 'uniform' ? 0 : 1e-5, what)
            // Whatever a backend rounds, it rounds alike on every mesh.
            assert.deepEqual(elements, first[backend]![use] ??= elements, what)
          }
        }
      }
    }
  })
})

describe('a seed that is given at run time', () => {
  const runs = async (program: Program, backend: 'reference' | 'webgpu', inputs: readonly Values[]): Promise<readonly Values[]> => {
    const session = right(await launch(right(compile(program)), { backend, inProcess: true })())
    const results: Values[] = []
    for (const values of inputs) results.push(right(await session.run(values)()).outputs)
    await session.close()
    return results
  }
  it('changes the numbers from run to run, to those of the same number', async () => {
    const seeds = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]
    const noise = program('noise', mesh('sp=2'), { step: input('', 'i32') }, ({ step }) => uniform('t:16@sp e:4', { seed: step }))
    for (const backend of backends) {
      const results = await runs(noise, backend, seeds.map((seed) => ({ step: Int32Array.of(seed) })))
      for (const [i, seed] of seeds.entries()) close(results[i]!['output']!, numbers(64, seed, 'uniform'), 0, `seed ${seed} on ${backend}`)
    }
  })
})

describe('what is no seed, no stream or no option', () => {
  const refusalOf = (body: () => AnyTensor): string => {
    const compiled = compile(program('refused', mesh('sp=2'), {}, body))
    return E.isLeft(compiled) ? sentence(compiled.left).replace(/^[^ ]+:\d+: /, '') : assert.fail('nothing is refused')
  }
  const form = 'a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is'
  const seeds: readonly (readonly [unknown, string])[] = [
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
    [1.5, '1.5'],
    [2 ** 53, '9007199254740992'],
    [-(2 ** 53), '-9007199254740992'],
    [5n, '5'],
    ['5', "'5'"],
    [undefined, 'undefined'],
    [null, 'no number'],
    [[1], 'no number'],
    [true, 'true'],
  ]
  for (const [seed, told] of seeds) {
    it(`is refused: seed ${told} (${typeof seed})`, () => {
      assert.equal(refusalOf(() => uniform('t:4', { seed } as never)), `uniform: ${form} ${told}`)
      assert.equal(refusalOf(() => normal('t:4', { seed } as never)), `normal: ${form} ${told}`)
      assert.equal(refusalOf(() => pipe(ones('t:4'), dropout({ rate: 0.5, seed } as never))), `dropout: ${form} ${told}`)
    })
  }
  for (const stream of [-1, 0.5, NaN, Infinity, 2 ** 29]) {
    it(`is refused: stream ${stream}`, () => {
      const wanted = `a stream is a whole number from 0 to below 2^29, but it is ${stream}`
      assert.equal(refusalOf(() => uniform('t:4', { seed: 1, stream })), `uniform: ${wanted}`)
      assert.equal(refusalOf(() => normal('t:4', { seed: 1, stream })), `normal: ${wanted}`)
      assert.equal(refusalOf(() => pipe(ones('t:4'), dropout({ rate: 0.5, seed: 1, stream }))), `dropout: ${wanted}`)
    })
  }
  it('is refused: an option of another name', () => {
    assert.equal(refusalOf(() => uniform('t:4', { seed: 1, Stream: 1 } as never)), "uniform: no option 'Stream'; options are: seed, stream")
    assert.equal(refusalOf(() => normal('t:4', { seed: 1, mean: 1 } as never)), "normal: no option 'mean'; options are: seed, stream")
  })
  it('is refused: more elements than a stream has numbers', () => {
    const told = "'a:65536 b:65537' has 4295032832 elements, but a stream has 2^32 numbers; fix: parts that take a stream each"
    assert.equal(refusalOf(() => pipe(uniform('a:65536 b:65537', { seed: 1 }), sum('a b'))), `uniform: ${told}`)
    assert.equal(refusalOf(() => pipe(normal('a:65536 b:65537', { seed: 1 }), sum('a b'))), `normal: ${told}`)
    assert.equal(refusalOf(() => pipe(ones('a:65536 b:65537'), dropout({ rate: 0.5, seed: 1 }), sum('a b'))), `dropout: ${told}`)
    assert.ok(E.isRight(compile(program('most', mesh('sp=2'), {}, () => pipe(uniform('a:65536 b:65536', { seed: 1 }), sum('a b'))))))
  })
  it('is refused: an axis that the mesh of the seed lacks', () => {
    const made = program('axis', mesh('sp=2'), { step: input('', 'i32') }, ({ step }) => uniform('t:4@tp', { seed: step }))
    const compiled = compile(made)
    assert.ok(E.isLeft(compiled) && sentence(compiled.left).endsWith("uniform: no mesh axis 'tp'; the mesh has: sp"))
  })
})
