import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import * as E from 'fp-ts/lib/Either.js'
import { device, type Fault } from '#lib/fault.ts'
import { bundledDriver, cacheFolders, loadLibrary, systemHasVulkan } from './driver.ts'
import { installPatience } from './patience.ts'

/**
 * The one place that touches Dawn (npm `webgpu`), in Node and in Deno alike: Deno's own WebGPU waits 11 ms per
 * read-back and blocks the event loop meanwhile.
 */

/** Which Vulkan (Metal, Direct3D) driver an adapter comes from. */
export type Origin = 'system' | 'bundled'

/** An adapter and the instance it comes from, which gives more of the same: each serves for one device only. */
export interface Found {
  readonly instance: GPU
  readonly adapter: GPUAdapter
}

export interface Candidate extends Found {
  readonly origin: Origin
}

/** One driver tried: what it gave, or why it gave nothing. */
export interface Attempt {
  readonly origin: Origin
  readonly found: E.Either<string, Found>
}

export interface Choice {
  readonly attempts: readonly Attempt[]
  readonly chosen: E.Either<Fault, Candidate>
  /** Why it was chosen, in a few words. */
  readonly reason: string
}

/**
 * Robustness is off because our kernels check their bounds themselves (twice as fast on a software GPU). The second
 * toggle lets NVIDIA GPUs offer f16; elsewhere it does nothing.
 */
const dawnFlags = ['enable-dawn-features=disable_robustness,vulkan_enable_f16_on_nvidia']

/** Dawn aborts the process if the object `create` returns is collected while anything of it is alive. */
const instances: GPU[] = []

/** The Vulkan loader prints an error line at each look-up where this folder is not named. */
const giveRuntimeFolder = (): void => {
  if (process.platform !== 'linux' || process.env['XDG_RUNTIME_DIR'] !== undefined) return
  for (const cache of cacheFolders()) {
    try {
      const folder = join(cache, 'runtime')
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      process.env['XDG_RUNTIME_DIR'] = folder
      return
    } catch { /* not writable: the next one, or else the line is printed */ }
  }
}

const newInstance = async (): Promise<GPU> => {
  const { create } = await import('webgpu')
  installPatience()
  const instance = create(dawnFlags)
  instances.push(instance)
  return instance
}

export const requestAdapter = (instance: GPU): Promise<GPUAdapter | null> =>
  instance.requestAdapter({ powerPreference: 'high-performance' })

const findAdapter = async (): Promise<E.Either<string, Found>> => {
  try {
    const instance = await newInstance()
    const adapter = await requestAdapter(instance)
    return adapter === null ? E.left('no adapter found') : E.right({ instance, adapter })
  } catch (error) {
    return E.left(error instanceof Error ? error.message : String(error))
  }
}

const trySystem = async (): Promise<E.Either<string, Found>> =>
  systemHasVulkan() ? findAdapter() : E.left('no Vulkan on this system (libvulkan.so.1 not found)')

const manifestVariables = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'] as const

const driverNamedByUser = (): boolean => manifestVariables.some((name) => process.env[name] !== undefined && process.env[name] !== '')

/** The loader reads its variables when an adapter is asked for; afterwards they are as before, for child processes. */
const tryBundled = async (): Promise<E.Either<string, Found>> => {
  const driver = await bundledDriver()
  if (E.isLeft(driver)) return E.left(driver.left.tag === 'Device' ? driver.left.message : driver.left.tag)
  const before = manifestVariables.map((name) => [name, process.env[name]] as const)
  for (const name of manifestVariables) process.env[name] = driver.right.manifest
  try {
    const loaded = loadLibrary(driver.right.loader)
    return E.isLeft(loaded) ? E.left(`the bundled Vulkan loader cannot be loaded: ${loaded.left}`) : await findAdapter()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

const isSoftware = ({ adapter }: Found): boolean => adapter.info.isFallbackAdapter

/**
 * A real GPU wins whenever there is one; then a software driver the user named through the loader's own variables;
 * then the bundled one; then whatever software driver the system has.
 */
const choose = async (): Promise<Choice> => {
  giveRuntimeFolder()
  const system = await trySystem()
  const first: Attempt = { origin: 'system', found: system }
  const take = (origin: Origin, found: Found, attempts: readonly Attempt[], reason: string): Choice => ({
    attempts,
    chosen: E.right({ origin, ...found }),
    reason,
  })

  if (E.isRight(system) && !isSoftware(system.right)) return take('system', system.right, [first], 'a real GPU')
  if (E.isRight(system) && driverNamedByUser()) {
    return take('system', system.right, [first], 'a software driver named by VK_DRIVER_FILES or VK_ICD_FILENAMES')
  }
  const bundled = await tryBundled()
  const attempts: readonly Attempt[] = [first, { origin: 'bundled', found: bundled }]
  if (E.isRight(bundled)) return take('bundled', bundled.right, attempts, 'no real GPU; the bundled software driver')
  if (E.isRight(system)) {
    return take('system', system.right, attempts, "no real GPU and no bundled driver; the system's software driver")
  }
  const fault = device(
    `no WebGPU adapter: ${system.left}; ${bundled.left}. Install a GPU driver with Vulkan (Debian: ` +
      "mesa-vulkan-drivers), or let npm install the optional package '@sparticuz/chromium', or use --backend reference",
  )
  return { attempts, chosen: E.left(fault), reason: 'nothing found' }
}

let choice: Promise<Choice> | null = null

/** Chooses once per process. */
export const chooseAdapter = (): Promise<Choice> => choice ??= choose()
