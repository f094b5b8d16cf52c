import * as E from 'fp-ts/lib/Either.js'
import { device as deviceFault, type Fault } from '#lib/fault.ts'
import type { Device } from './device.ts'
import type { Shader } from './emit.ts'

/** A compiled shader with its buffers bound. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly workgroups: readonly [number, number]
}

export const prepare = async (
  device: Device,
  { code, buffers, workgroups }: Shader,
  bufferOf: (n: number) => GPUBuffer,
): Promise<E.Either<Fault, Dispatch>> => {
  const most = device.gpu.limits.maxStorageBuffersPerShaderStage
  if (buffers.length > most) {
    return E.left(deviceFault(`a kernel uses ${buffers.length} buffers and this GPU allows ${most} (maxStorageBuffersPerShaderStage)`))
  }
  // WebGPU drops a dispatch that writes a buffer it also reads, and says so only to an event.
  if (buffers.indexOf(buffers[0]!, 1) > 0) {
    return E.left(deviceFault(`a kernel reads and writes buffer ${buffers[0]}: its output needs a buffer of its own`))
  }
  const pipeline = await device.pipeline(code, buffers.length)
  if (E.isLeft(pipeline)) return pipeline
  const group = device.gpu.createBindGroup({
    layout: device.layout(buffers.length),
    entries: buffers.map((n, binding) => ({ binding, resource: { buffer: bufferOf(n) } })),
  })
  return E.right({ pipeline: pipeline.right, group, workgroups })
}

/** Prepares many at once; equal shaders are compiled once. */
export const prepareAll = async (
  device: Device,
  shaders: readonly Shader[],
  bufferOf: (n: number) => GPUBuffer,
): Promise<E.Either<Fault, readonly Dispatch[]>> =>
  E.sequenceArray(await Promise.all(shaders.map((shader) => prepare(device, shader, bufferOf))))

export const encode = (encoder: GPUCommandEncoder, dispatches: readonly Dispatch[]): void => {
  if (dispatches.length === 0) return
  const pass = encoder.beginComputePass()
  for (const { pipeline, group, workgroups } of dispatches) {
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, group)
    pass.dispatchWorkgroups(...workgroups)
  }
  pass.end()
}
