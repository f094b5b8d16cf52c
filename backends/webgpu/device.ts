import * as E from 'fp-ts/lib/Either.js'
import { device, type Fault } from '#lib/fault.ts'
import { type Candidate, type Origin, requestAdapter } from './dawn.ts'
import { expectSoon } from './patience.ts'
import { withPrelude } from './prelude.ts'

/** What kernels are shaped for: workgroups with shared memory on a GPU, plain register tiles on a CPU. */
export type Shape = 'gpu' | 'cpu'

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`

const message = (error: unknown): string => error instanceof Error ? error.message : String(error)

const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
] as const

/**
 * A GPU device that says what went wrong. WebGPU itself keeps silent: work on a lost device succeeds and does nothing,
 * and mistakes go to an event. Here both are remembered, and `check` turns them into faults.
 */
export class Device {
  readonly gpu: GPUDevice
  readonly info: GPUAdapterInfo
  readonly origin: Origin
  readonly shape: Shape
  #fault: Fault | null = null
  #closed = false
  readonly #pipelines = new Map<string, Promise<E.Either<Fault, GPUComputePipeline>>>()
  readonly #layouts = new Map<number, GPUBindGroupLayout>()

  constructor(gpu: GPUDevice, candidate: Candidate, shape: Shape) {
    this.gpu = gpu
    this.info = candidate.adapter.info
    this.origin = candidate.origin
    this.shape = shape
    gpu.addEventListener('uncapturederror', (event) => {
      // Node's and Deno's types of this event differ.
      this.#fault ??= device(`the GPU refused work: ${(event as GPUUncapturedErrorEvent).error.message}`)
      event.preventDefault()
    })
    void gpu.lost.then(({ reason, message }) => {
      this.#fault ??= device(
        this.#closed
          ? 'the device was closed'
          : `the GPU device was lost (${reason}${message === '' ? '' : `: ${message}`}); start the session again`,
      )
    })
  }

  get software(): boolean {
    return this.info.isFallbackAdapter
  }

  /** What went wrong so far, if anything did: ask after every await. */
  check(): E.Either<Fault, void> {
    return this.#fault === null ? E.right(undefined) : E.left(this.#fault)
  }

  /** Runs an asynchronous use of the device; a rejection or a loss meanwhile becomes a fault. */
  async guard<A>(use: () => Promise<A>): Promise<E.Either<Fault, A>> {
    const before = this.check()
    if (E.isLeft(before)) return before
    try {
      const result = await use()
      const after = this.check()
      return E.isLeft(after) ? after : E.right(result)
    } catch (error) {
      // A rejected mapping may come before the news of the loss that caused it.
      await new Promise((resolve) => setTimeout(resolve, 0))
      const after = this.check()
      return E.isLeft(after) ? after : E.left(device(`the GPU refused work: ${message(error)}`))
    }
  }

  submit(commands: readonly GPUCommandBuffer[]): void {
    expectSoon()
    this.gpu.queue.submit([...commands])
  }

  /** Creates buffers, all or none. */
  async allocate(wanted: readonly { readonly bytes: number; readonly usage: number }[]): Promise<E.Either<Fault, GPUBuffer[]>> {
    const storage = usages.storage
    for (const { bytes, usage } of wanted) {
      const limits: readonly ('maxBufferSize' | 'maxStorageBufferBindingSize')[] = (usage & storage) === 0
        ? ['maxBufferSize']
        : ['maxBufferSize', 'maxStorageBufferBindingSize']
      for (const limit of limits) {
        if (bytes > this.gpu.limits[limit]) {
          return E.left(device(
            `a buffer of ${megabytes(bytes)} is larger than this GPU allows (${limit} is ` +
              `${megabytes(this.gpu.limits[limit])}): shard the tensor over more ranks or take a smaller one`,
          ))
        }
      }
    }
    const made = await this.guard(async () => {
      this.gpu.pushErrorScope('out-of-memory')
      this.gpu.pushErrorScope('validation')
      const buffers = wanted.map(({ bytes, usage }) => this.gpu.createBuffer({ size: roundUp(bytes), usage }))
      const invalid = await this.gpu.popErrorScope()
      const exhausted = await this.gpu.popErrorScope()
      return { buffers, problem: invalid ?? exhausted }
    })
    if (E.isLeft(made)) return made
    const { buffers, problem } = made.right
    if (problem === null) return E.right(buffers)
    for (const buffer of buffers) buffer.destroy()
    const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0)
    return E.left(device(`the GPU has no room for ${buffers.length} buffers of ${megabytes(total)} in all: ${problem.message}`))
  }

  /** Bindings of a shader with so many buffers: the first is written, the others are read. */
  layout(buffers: number): GPUBindGroupLayout {
    const known = this.#layouts.get(buffers)
    if (known !== undefined) return known
    const layout = this.gpu.createBindGroupLayout({
      entries: Array.from({ length: buffers }, (_, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type: binding === 0 ? 'storage' as const : 'read-only-storage' as const },
      })),
    })
    this.#layouts.set(buffers, layout)
    return layout
  }

  /** The pipeline of a shader, given without the scalar functions that it calls, with so many buffers; the same text is compiled once. */
  pipeline(code: string, buffers: number): Promise<E.Either<Fault, GPUComputePipeline>> {
    const known = this.#pipelines.get(code)
    if (known !== undefined) return known
    const made = this.guard(async () => {
      this.gpu.pushErrorScope('validation')
      const module = this.gpu.createShaderModule({ code: withPrelude(code, this.software && this.shape === 'cpu') })
      const scope = this.gpu.popErrorScope()
      const layout = this.gpu.createPipelineLayout({ bindGroupLayouts: [this.layout(buffers)] })
      const pipeline = this.gpu.createComputePipelineAsync({ layout, compute: { module, entryPoint: 'main' } })
      const invalid = await scope
      if (invalid !== null) {
        await pipeline.catch(() => undefined)
        throw new Error(`${invalid.message}\nin the shader\n${code}`)
      }
      return pipeline
    })
    this.#pipelines.set(code, made)
    return made
  }

  close(): void {
    this.#closed = true
    this.gpu.destroy()
  }
}

const roundUp = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16)

/** WebGPU's flags; Node has no such globals. */
const computeStage = 4
export const mapForReading = 1
export const mapForWriting = 2
export const usages = { mapRead: 1, mapWrite: 2, copySource: 4, copyDestination: 8, storage: 128 } as const

/** A device of its own with all the room the adapter has to give. */
export const requestDevice = async (candidate: Candidate, shape?: Shape): Promise<E.Either<Fault, Device>> => {
  const { description, isFallbackAdapter } = candidate.adapter.info
  try {
    const adapter = await requestAdapter(candidate.instance)
    if (adapter === null) return E.left(device(`the adapter '${description}' is gone`))
    const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]))
    const gpu = await adapter.requestDevice({ requiredLimits })
    return E.right(new Device(gpu, candidate, shape ?? (isFallbackAdapter ? 'cpu' : 'gpu')))
  } catch (error) {
    return E.left(device(`the adapter '${description}' gives no device: ${message(error)}`))
  }
}
