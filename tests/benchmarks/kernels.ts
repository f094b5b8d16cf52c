import { join, resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import Table from 'cli-table3'
import { openWebGpu } from '#backends/mod.ts'
import type { Device } from '#backends/webgpu/device.ts'
import { usages } from '#backends/webgpu/device.ts'
import { type Dispatch, encode, prepareAll } from '#backends/webgpu/dispatch.ts'
import type { Shader } from '#backends/webgpu/emit.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { call, type Expression, fold, input, real } from '#lib/kernel/expression.ts'
import {
  type AttentionGradientKernel,
  type AttentionKernel,
  type ContractKernel,
  elementsOf,
  type Kernel,
  type MapKernel,
  type RowKernel,
  type View,
} from '#lib/kernel/kernel.ts'

/**
 * Whether kernels became slower: those of this checkout against those of another one (an earlier commit's worktree, say),
 * taking turns on the same device in one run. Medians of milliseconds per run, by the process's CPU time on a software adapter
 * (which the machine's other work does not lengthen) and by the clock on a GPU, and of the ratios of neighbouring runs.
 *
 *   npx tsx tests/benchmarks/kernels.ts --against FOLDER [--rounds 15] [words of names]
 */
const words = process.argv.slice(2)
const option = (name: string): string | undefined => {
  const at = words.indexOf(name)
  return at < 0 ? undefined : words.splice(at, 2)[1]
}
const against = option('--against')
const rounds = Number(option('--rounds') ?? 15)
if (against === undefined) {
  console.error('kernels: --against FOLDER is missing: the checkout to compare with')
  process.exit(1)
}

const orDie = <A>(result: E.Either<Fault, A>): A => {
  if (E.isRight(result)) return result.right
  console.error(sentence(result.left))
  process.exit(1)
}

// ---- the kernels ---------------------------------------------------------------------------------------------------

const view = (buffer: number, strides: readonly number[]): View => ({ buffer, type: 'f32', offset: 0, strides })

const map = (expression: Expression, operands = 1): MapKernel => {
  const sizes = [1 << 20]
  const inputs = Array.from({ length: operands }, (_, n) => view(n + 1, [1]))
  return { kind: 'map', sizes, origin: [0], inputs, expression, output: view(0, [1]) }
}

const row = (rows: number, width: number, folds: RowKernel['folds'], result: Expression, per: RowKernel['per']): RowKernel => ({
  kind: 'row',
  outer: [rows],
  inner: [width],
  origin: [0, 0],
  inputs: [view(1, [width, 1])],
  folds,
  result,
  per,
  output: view(0, per === 'row' ? [1, 0] : [width, 1]),
})

const sumOf = (expression: Expression) => ({ combine: 'sum' as const, expression })
const shifted = call('exponential', call('subtract', input(0), fold(0)))
const deviation = call('subtract', input(0), call('multiply', fold(0), real(1 / 1152)))
const softmax = row(1024, 1024, [{ combine: 'max', expression: input(0) }, sumOf(shifted)], call('divide', shifted, fold(1)), 'element')
const norm = row(
  1024,
  1152,
  [sumOf(input(0)), sumOf(call('multiply', deviation, deviation))],
  call('multiply', deviation, call('reciprocalSquareRoot', call('multiply', fold(1), real(1 / 1152)))),
  'element',
)

const contract = (rows: number, columns: number, inner: number, left: 'N' | 'T', right: 'N' | 'T'): ContractKernel => ({
  kind: 'contract',
  batch: [],
  rows: [rows],
  columns: [columns],
  inner: [inner],
  extras: [],
  epilogue: input(0),
  left: view(1, left === 'N' ? [inner, 0, 1] : [1, 0, rows]),
  right: view(2, right === 'N' ? [0, 1, columns] : [0, inner, 1]),
  output: view(0, [columns, 1, 0]),
})

const attention = (heads: number, queries: number, keys: number, features: number, masked: boolean): AttentionKernel => ({
  kind: 'attention',
  rows: [heads, queries],
  keys,
  features,
  scale: 1 / Math.sqrt(features),
  query: view(1, [queries * features, features, 0, 1]),
  key: view(2, [keys * features, 0, features, 1]),
  value: view(3, [keys * features, 0, features, 1]),
  mask: masked ? { ...view(4, [0, keys, 1, 0]), type: 'bool' } : null,
  carry: null,
  logSum: false,
  output: view(0, [queries * features, features, 0, 1]),
})

const attentionGradient = (of: 'queries' | 'keys', heads: number, length: number, features: number): AttentionGradientKernel => {
  const all = heads * length * features
  const [own, other] = [[length * features, features, 0, 1], [length * features, 0, features, 1]]
  const [ofQueries, ofKeys] = of === 'queries' ? [own, other] : [other, own]
  return {
    kind: 'attention-gradient',
    of,
    rows: [heads, length],
    inner: [length],
    features,
    scale: 1 / Math.sqrt(features),
    query: view(1, ofQueries),
    key: view(2, ofKeys),
    value: view(3, ofKeys),
    cotangent: view(4, ofQueries),
    stats: view(5, of === 'queries' ? [2 * length, 2, 0, 1] : [2 * length, 0, 2, 1]),
    mask: null,
    carry: null,
    output: view(0, own),
    part: of === 'queries' ? 0 : all,
    carryPart: 0,
  }
}

const scaled = (x: Expression, by: number): Expression => call('multiply', x, real(by))
const gelu = call(
  'multiply',
  scaled(input(0), 0.5),
  call(
    'add',
    real(1),
    call(
      'hyperbolicTangent',
      scaled(call('add', input(0), call('multiply', call('multiply', input(0), input(0)), scaled(input(0), 0.044715))), 0.797),
    ),
  ),
)

const kernels: Readonly<Record<string, Kernel>> = {
  'add': map(call('add', input(0), input(1)), 2),
  'divide': map(call('divide', input(0), input(1)), 2),
  'less': map(call('toReal', call('less', input(0), input(1))), 2),
  'maximum': map(call('maximum', input(0), input(1)), 2),
  'absolute': map(call('absolute', input(0))),
  'exp': map(call('exponential', input(0))),
  'log': map(call('logarithm', call('absolute', input(0)))),
  'sqrt': map(call('squareRoot', call('absolute', input(0)))),
  'sin': map(call('sine', input(0))),
  'tanh': map(call('hyperbolicTangent', input(0))),
  'erf': map(call('errorFunction', input(0))),
  'power': map(call('power', call('absolute', input(0)), input(1)), 2),
  'gelu': map(gelu),
  'silu': map(call('divide', input(0), call('add', real(1), call('exponential', call('negate', input(0)))))),
  'sum of 1024 × 1152': row(1024, 1152, [sumOf(input(0))], fold(0), 'row'),
  'sum of 4 × 262144': row(4, 262144, [sumOf(input(0))], fold(0), 'row'),
  'softmax 1024 × 1024': softmax,
  'layer norm 1024 × 1152': norm,
  'contract 512³': contract(512, 512, 512, 'N', 'N'),
  'contract 512³, left turned': contract(512, 512, 512, 'T', 'N'),
  'linear 512 × 1152 → 1152': contract(512, 1152, 1152, 'N', 'T'),
  'linear 512 × 64 → 64': contract(512, 64, 64, 'N', 'T'),
  'weight gradient 128 × 128 over 16384': contract(128, 128, 16384, 'T', 'N'),
  'attention 4 × 512², 64 features': attention(4, 512, 512, 64, false),
  'attention 4 × 512², 64 features, mask': attention(4, 512, 512, 64, true),
  'attention 1 × 256 × 4096, 72 features': attention(1, 256, 4096, 72, false),
  'attention of queries back 4 × 512²': attentionGradient('queries', 4, 512, 64),
  'attention of keys back 4 × 512²': attentionGradient('keys', 4, 512, 64),
  'attention of keys back 1 × 2048²': attentionGradient('keys', 1, 2048, 64),
}

// ---- measuring -----------------------------------------------------------------------------------------------------

type ShadersOf = (kernel: Kernel, shape: Device['shape']) => readonly Shader[]

/** The shaders of a checkout, which in earlier ones was a single one. */
const from = async (folder: string): Promise<ShadersOf> => {
  const { shadersOf, shaderOf } = await import(pathToFileURL(join(resolve(folder), 'backends/webgpu/kernels/shader.ts')).href) as {
    readonly shadersOf?: (kernel: Kernel, shape: Device['shape'], scratch: number) => { readonly shaders: readonly Shader[] }
    readonly shaderOf: (kernel: Kernel, shape: Device['shape']) => Shader
  }
  // Earlier shaders bring their scalar functions and special numbers along, which then need names of their own.
  const renamed = ({ code, ...rest }: Shader): Shader => ({
    ...rest,
    code: code.replaceAll(/\b([a-z]\w*_)(?=\()/g, '$1own').replaceAll(/_bits_\b/g, '_bits_own'),
  })
  return (kernel, shape) => shadersOf === undefined ? [renamed(shaderOf(kernel, shape))] : shadersOf(kernel, shape, 5).shaders
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** Elements of each buffer that a kernel uses: as many as its views reach, or a few more. */
const lengthsOf = (kernel: Kernel): readonly number[] => {
  const most = kernel.kind === 'map' ? elementsOf(kernel.sizes) : 1 << 21
  return Array.from({ length: 6 }, () => most)
}

const measure = async (device: Device, name: string, kernel: Kernel, versions: readonly ShadersOf[]): Promise<readonly string[]> => {
  const buffers = orDie(
    await device.allocate(lengthsOf(kernel).map((length) => ({ bytes: 4 * length, usage: usages.storage | usages.copyDestination }))),
  )
  for (const buffer of buffers.slice(1)) {
    device.gpu.queue.writeBuffer(buffer, 0, Float32Array.from({ length: buffer.size / 4 }, () => 4 * Math.random() - 2))
  }
  const made: (readonly Dispatch[])[] = []
  for (const version of versions) {
    made.push(orDie(await prepareAll(device, version(kernel, device.shape), (n) => buffers[n]!)))
  }
  const run = async (dispatches: readonly Dispatch[], times: number): Promise<number> => {
    const [cpu, clock] = [process.cpuUsage(), performance.now()]
    const encoder = device.gpu.createCommandEncoder()
    for (let i = 0; i < times; i++) encode(encoder, dispatches)
    device.submit([encoder.finish()])
    await device.gpu.queue.onSubmittedWorkDone()
    const { user, system } = process.cpuUsage(cpu)
    return (device.software ? (user + system) / 1000 : performance.now() - clock) / times
  }
  for (const dispatches of made) await run(dispatches, 1)
  // A sample of some 60 ms, so that starting and waiting don't show.
  const times = Math.max(1, Math.min(200, Math.round(60 / await run(made[0]!, 1))))
  const samples: number[][] = versions.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [n, dispatches] of made.entries()) samples[n]!.push(await run(dispatches, times))
  }
  for (const buffer of buffers) buffer.destroy()
  const [after, before] = samples as [number[], number[]]
  const ratio = median(after.map((time, i) => time / before[i]!))
  return [name, median(before).toFixed(2), median(after).toFixed(2), ratio.toFixed(3)]
}

const backend = orDie(await openWebGpu()())
console.log(`${backend.describe.adapter}, ${rounds} rounds`)
const versions = [await from('.'), await from(against)]
const table = new Table({ head: ['kernel', 'before, ms', 'after, ms', 'after / before'], style: { head: [], border: [] } })
for (const [name, kernel] of Object.entries(kernels)) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue
  table.push([...await measure(backend.device, name, kernel, versions)])
}
console.log(table.toString())
await backend.close()
