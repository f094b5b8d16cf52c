import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { diagnose, openBackend, openWebGpu } from '#backends/mod.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { call, input, real } from '#lib/kernel/expression.ts'
import { contiguous, type Exchange, type Kernel, type MapKernel } from '#lib/kernel/kernel.ts'
import { left, program, right, whole } from './support.ts'

const count = 1 << 16
const double: MapKernel = {
  kind: 'map',
  sizes: [count],
  origin: [0],
  inputs: [whole(0, 'f32')],
  expression: call('multiply', input(0), real(2)),
  output: whole(1, 'f32'),
}

/** A contraction that keeps a software GPU busy for a while. */
const side = 768
const long: Kernel = {
  kind: 'contract',
  batch: [],
  rows: [side],
  columns: [side],
  inner: [side],
  extras: [],
  epilogue: input(0),
  left: { buffer: 0, type: 'f32', offset: 0, strides: [side, 0, 1] },
  right: { buffer: 1, type: 'f32', offset: 0, strides: [0, 1, side] },
  output: { buffer: 2, type: 'f32', offset: 0, strides: [side, 1, 0] },
}

const exchange: Exchange = {
  kind: 'exchange',
  name: 'swap',
  signature: '',
  combine: 'place',
  keeps: null,
  sends: [{ peer: 1, sizes: [side, side], view: { buffer: 2, type: 'f32', offset: 0, strides: [...contiguous([side, side])] } }],
  receives: [{ peer: 1, sizes: [side, side], view: { buffer: 2, type: 'f32', offset: 0, strides: [1, side] } }],
}

test('a lost device ends every pending call and every later one with a fault', async () => {
  const backend = await right(openWebGpu())
  const executable = await right(backend.load(program([side * side, side * side, side * side], [long, exchange], 0, 2)))
  await right(executable.run(0, 1))
  const pending = [
    executable.settle()(),
    executable.read(whole(2, 'f32'), [side * side])(),
    executable.pack(1, () => undefined)(),
  ]
  backend.device.gpu.destroy()
  for (const result of await Promise.all(pending)) assert.ok(E.isLeft(result) && result.left.tag === 'Device')
  const received = new Uint8Array(side * side * 4)
  const later: readonly TaskEither<Fault, unknown>[] = [
    executable.run(0, 1),
    executable.settle(),
    executable.read(whole(0, 'f32'), [4]),
    executable.pack(1, () => undefined),
    executable.unpack(1, () => received),
    executable.write(whole(0, 'f32'), [2], new Float32Array(2)),
  ]
  for (const call of later) {
    const fault = await left(call)
    assert.match(sentence(fault), /lost/)
  }
  assert.equal((await left(backend.load(program([4], [])))).tag, 'Device')
  await executable.free()
})

test('a loss while a large upload is under way ends it too', async () => {
  const backend = await right(openWebGpu())
  const size = 8 << 20
  const executable = await right(backend.load(program([size], [])))
  const pending = executable.write(whole(0, 'f32'), [size], new Float32Array(size))()
  await new Promise((resolve) => setTimeout(resolve, 3))
  backend.device.gpu.destroy()
  await pending
  assert.equal((await left(executable.read(whole(0, 'f32'), [4]))).tag, 'Device')
})

test('a buffer larger than the device allows is a fault that names the limit', async () => {
  const backend = await right(openWebGpu())
  const most = backend.device.gpu.limits.maxBufferSize / 4
  const fault = await left(backend.load(program([4 * most], [])))
  assert.equal(fault.tag, 'Device')
  assert.match(sentence(fault), /MiB.*maxBufferSize/)
  // The device goes on.
  const executable = await right(backend.load(program([count, count], [double])))
  await right(executable.write(whole(0, 'f32'), [count], new Float32Array(count).fill(3)))
  await right(executable.run(0, 1))
  assert.ok((await right(executable.read(whole(1, 'f32'), [count]))).every((x) => x === 6))
  await executable.free()
  await backend.close()
})

test('a kernel that writes what it reads, or reads too many buffers, is refused when it is loaded', async () => {
  const backend = await right(openWebGpu())
  const aliased = await left(backend.load(program([count], [{ ...double, output: whole(0, 'f32') }])))
  assert.match(sentence(aliased), /step 0 \(map\).*reads and writes/)
  const buffers = Array.from({ length: 70 }, (_, n) => n)
  const sum = buffers.slice(1).map((_, n) => input(n)).reduce((a, b) => call('add', a, b))
  const greedy: MapKernel = {
    ...double,
    sizes: [4],
    inputs: buffers.slice(1).map((n) => whole(n, 'f32')),
    expression: sum,
    output: whole(0, 'f32'),
  }
  assert.match(sentence(await left(backend.load(program(buffers.map(() => 4), [greedy])))), /maxStorageBuffersPerShaderStage/)
  await backend.close()
})

test('equal kernels are compiled once', async () => {
  const backend = await right(openWebGpu())
  const blocks = Array.from({ length: 28 }, (_, n): MapKernel => ({ ...double, inputs: [whole(n, 'f32')], output: whole(n + 1, 'f32') }))
  let compiled = 0
  const create = backend.device.gpu.createComputePipelineAsync.bind(backend.device.gpu)
  backend.device.gpu.createComputePipelineAsync = (descriptor) => {
    compiled++
    return create(descriptor)
  }
  const executable = await right(backend.load(program(Array.from({ length: 29 }, () => count), blocks)))
  assert.equal(compiled, 1)
  await right(executable.write(whole(0, 'f32'), [count], new Float32Array(count).fill(1)))
  await right(executable.run(0, blocks.length))
  assert.ok((await right(executable.read(whole(28, 'f32'), [count]))).every((x) => x === 2 ** 28))
  await executable.free()
  await backend.close()
})

test('an adapter is found, and the diagnosis says which and why', async () => {
  const { attempts, chosen, reason, problem } = await diagnose()
  assert.equal(problem, null)
  assert.notEqual(reason, '')
  const taken = attempts.find(({ origin }) => origin === chosen)!.adapter!
  assert.ok(taken.limits.maxBufferSize >= 2 ** 28)
  const backend = await right(openBackend('auto'))
  assert.equal(backend.describe.backend, 'webgpu')
  assert.equal(backend.describe.software, taken.software)
  await backend.close()
})

test('a view that reaches beyond its buffer is refused before it can do harm', async () => {
  const wrong: readonly Kernel[] = [
    { ...double, sizes: [count + 1] },
    { ...double, inputs: [{ ...whole(0, 'f32'), offset: 1 }] },
    { ...double, output: { ...whole(1, 'f32'), strides: [-1] } },
    { ...double, inputs: [whole(7, 'f32')] },
    { ...long, left: { ...long.left, strides: [side + 1, 0, 1] } } as Kernel,
  ]
  for (const open of [openBackend('webgpu'), openBackend('reference')]) {
    const backend = await right(open)
    for (const kernel of wrong) {
      const fault = await left(backend.load(program(kernel.kind === 'map' ? [count, count] : [1, 1, 1].map(() => side * side), [kernel])))
      assert.match(sentence(fault), /step 0 .*(reaches|no buffer)/)
    }
    const executable = await right(backend.load(program([8], [])))
    assert.match(sentence(await left(executable.read(whole(0, 'f32'), [9]))), /reaches/)
    assert.match(sentence(await left(executable.write(whole(0, 'f32'), [9], new Float32Array(9)))), /reaches/)
    await executable.free()
    await backend.close()
  }
})
