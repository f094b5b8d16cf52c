import process from 'node:process'
import * as E from 'fp-ts/lib/Either.js'
import Table from 'cli-table3'
import { openWebGpu } from '#backends/mod.ts'
import type { WebGpuBackend } from '#backends/webgpu/mod.ts'
import { Bindings, type Shader, shader } from '#backends/webgpu/emit.ts'
import { encode, prepareAll } from '#backends/webgpu/dispatch.ts'
import { usages } from '#backends/webgpu/device.ts'
import { contractShaders } from '#backends/webgpu/kernels/contract.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { input } from '#lib/kernel/expression.ts'
import type { ContractKernel } from '#lib/kernel/kernel.ts'

/**
 * How fast a contraction is, in GF/s of wall time and per core-second of the whole process, against the kernel a
 * beginner would write. Variants take turns, so that a busy machine slows all of them alike.
 *
 *   node --import tsx tests/benchmarks/contract.ts [size]
 */

const size = Number(process.argv[2] ?? 512)
const rounds = 7

const orDie = <A>(result: E.Either<Fault, A>): A => {
  if (E.isRight(result)) return result.right
  console.error(sentence(result.left))
  process.exit(1)
}

/** size x size matrices; the letters say which operand lies turned: N as written, T with its dims changed over. */
const kernel = (left: 'N' | 'T', right: 'N' | 'T'): ContractKernel => ({
  kind: 'contract',
  batch: [],
  rows: [size],
  columns: [size],
  inner: [size],
  extras: [],
  epilogue: input(0),
  left: { buffer: 1, type: 'f32', offset: 0, strides: left === 'N' ? [size, 0, 1] : [1, 0, size] },
  right: { buffer: 2, type: 'f32', offset: 0, strides: right === 'N' ? [0, 1, size] : [0, size, 1] },
  output: { buffer: 0, type: 'f32', offset: 0, strides: [size, 1, 0] },
})

/** One thread per element of the output, one multiplication after another. */
const naive = (k: ContractKernel): Shader => {
  const bindings = new Bindings()
  const [out, a, b] = [bindings.output(k.output), bindings.input(k.left), bindings.input(k.right)]
  return shader({
    bindings,
    declarations: [],
    count: size * size,
    workgroup: 64,
    body: `let i = i32(thread) / ${size}; let j = i32(thread) % ${size}; var sum = 0.0;
      for (var k = 0; k < ${size}; k++) { sum += ${a}[i * ${size} + k] * ${b}[k * ${size} + j]; }
      ${out}[i * ${size} + j] = sum;`,
  })
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

const measure = async ({ device }: WebGpuBackend): Promise<void> => {
  const ours = (['NN', 'NT', 'TN', 'TT'] as const).map((turns) => {
    const { shaders, scratch } = contractShaders(kernel(turns[0] as 'N' | 'T', turns[1] as 'N' | 'T'), device.shape, 3)
    return { name: `ours ${turns}`, shaders, scratch }
  })
  const lengths = [size * size, size * size, size * size, Math.max(1, ...ours.map(({ scratch }) => scratch))]
  const buffers = orDie(
    await device.allocate(lengths.map((length) => ({ bytes: 4 * length, usage: usages.storage | usages.copyDestination }))),
  )
  for (const buffer of buffers.slice(1, 3)) {
    device.gpu.queue.writeBuffer(buffer, 0, Float32Array.from({ length: size * size }, () => Math.random()))
  }
  const variants = []
  for (const { name, shaders } of [{ name: 'naive', shaders: [naive(kernel('N', 'N'))] }, ...ours]) {
    const dispatches = orDie(await prepareAll(device, shaders, (n) => buffers[n]!))
    variants.push({ name, dispatches, wall: [] as number[], cpu: [] as number[] })
  }
  const flops = 2 * size ** 3
  for (let round = 0; round <= rounds; round++) {
    for (const { dispatches, wall, cpu } of variants) {
      const before = process.cpuUsage()
      const start = performance.now()
      const encoder = device.gpu.createCommandEncoder()
      encode(encoder, dispatches)
      device.submit([encoder.finish()])
      await device.gpu.queue.onSubmittedWorkDone()
      const seconds = (performance.now() - start) / 1000
      const { user, system } = process.cpuUsage(before)
      // The first round warms up.
      if (round === 0) continue
      wall.push(flops / seconds / 1e9)
      cpu.push(flops / ((user + system) / 1e6) / 1e9)
    }
  }
  const table = new Table({ head: [`${size}^3`, 'GF/s', 'GF/s per core-second'], style: { head: [], border: [] } })
  for (const { name, wall, cpu } of variants) table.push([name, median(wall).toFixed(2), median(cpu).toFixed(2)])
  console.log(table.toString())
}

const backend = orDie(await openWebGpu()())
console.log(backend.describe.adapter)
await measure(backend)
await backend.close()
