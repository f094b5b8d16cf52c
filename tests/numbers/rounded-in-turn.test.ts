import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program, type Tensor } from '#lib/mod.ts'
import { add, cast, contract, divide, equal, multiply, negate, subtract } from '#ops/mod.ts'
import { right, run } from '../ops/run-law.ts'

/**
 * A kernel that does several calculations at once rounds in turn, as float32 does: WGSL lets compilers take them together,
 * (x · a) · b for x · (a · b), which is 0 where a · b is.
 */
type One = Tensor<'t:1', '', 'sp=1'>
interface Chain {
  readonly name: string
  readonly x: number
  readonly y?: number
  readonly of: (x: One, y: One) => Tensor
  /** The same in float32, step by step. */
  readonly wanted: (x: number, y: number) => number
}

const { fround } = Math
const [tiny, huge] = [1e-30, 1e30].map(fround) as [number, number]

const chains: readonly Chain[] = [
  { name: '(x · a) · b', x: huge, of: (x) => pipe(x, multiply(tiny), multiply(tiny)), wanted: (x) => fround(fround(x * tiny) * tiny) },
  { name: '(x / a) / b', x: 1e38, of: (x) => pipe(x, divide(huge), divide(huge)), wanted: (x) => fround(fround(x / huge) / huge) },
  { name: '(x · a) · b that overflows', x: 1e10, of: (x) => pipe(x, multiply(huge), multiply(tiny)), wanted: () => Infinity },
  { name: '(x + a) - a', x: 1, of: (x) => pipe(x, add(1e30), subtract(1e30)), wanted: () => 0 },
  { name: '(x + 1) - 2^24', x: 2 ** 24, of: (x) => pipe(x, add(1), subtract(2 ** 24)), wanted: () => 0 },
  { name: '(x - y) + y', x: 1, y: huge, of: (x, y) => pipe(x, subtract(y), add(y)), wanted: () => 0 },
  {
    name: 'x · y + x · -y',
    x: 1e20,
    y: huge,
    of: (x, y) => pipe(x, multiply(y), add(pipe(x, multiply(pipe(y, negate))))),
    wanted: () => NaN,
  },
  { name: '2 x - 2 x', x: 3e38, of: (x) => pipe(x, multiply(2), add(pipe(x, multiply(-2)))), wanted: () => NaN },
  {
    name: 'behind a contraction',
    x: huge,
    y: 1,
    of: (x, y) => pipe(x, contract(y, 't'), multiply(tiny), multiply(tiny)),
    wanted: (x) => fround(fround(x * tiny) * tiny),
  },
]

describe('calculations of one kernel are rounded in turn', () => {
  for (const { name, x, y = 0, of, wanted } of chains) {
    it(name, async () => {
      const chain = program(
        'chain',
        mesh('sp=1'),
        { x: input('t:1'), y: input('t:1') },
        ({ x, y }) => of(x, y) as Tensor<string, '', 'sp=1'>,
      )
      const got = right(await run(chain, { x: Float32Array.of(x), y: Float32Array.of(y) }, 'webgpu'))['output']![0]!
      const number = wanted(fround(x), fround(y))
      assert.ok(Object.is(got, number) || Math.abs(got - number) <= 1e-6 * Math.abs(number), `${got}, not ${number}`)
    })
  }

  it('an i32 that is cast is rounded before it is compared', async () => {
    const of = program('cast', mesh('sp=1'), { n: input('t:2', 'i32') }, ({ n }) => pipe(n, cast('f32'), equal(16777216)))
    for (const backend of ['reference', 'webgpu'] as const) {
      assert.deepEqual([...right(await run(of, { n: Int32Array.of(16777217, 16777219) }, backend))['output']!], [1, 0], backend)
    }
  })
})
