import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Fault } from '#lib/fault.ts'
import type { Backend } from '../backend.ts'
import { chooseAdapter } from './dawn.ts'
import { type Device, requestDevice, type Shape } from './device.ts'
import { load } from './executable.ts'

export interface WebGpuBackend extends Backend {
  /** For tests and tools that need the device itself. */
  readonly device: Device
}

export interface WebGpuOptions {
  /** Shapes kernels for the other kind of device than the one found: for tests and measurements. */
  readonly shape?: Shape
}

const adapterName = ({ vendor, architecture, device, description }: GPUAdapterInfo): string =>
  [...new Set([vendor, architecture, device, description].filter((part) => part !== ''))].join(' ')

/** WebGPU by way of Dawn, on a GPU or on the software driver that comes along. */
export const openWebGpu = (options: WebGpuOptions = {}): TaskEither<Fault, WebGpuBackend> => async () => {
  const { chosen } = await chooseAdapter()
  if (E.isLeft(chosen)) return chosen
  const opened = await requestDevice(chosen.right, options.shape)
  if (E.isLeft(opened)) return opened
  const device = opened.right
  return E.right({
    describe: { backend: 'webgpu', adapter: adapterName(device.info), software: device.software },
    device,
    load: (program) => async () => E.flatten(await device.guard(() => load(device, program))),
    close: () => Promise.resolve(device.close()),
  })
}
