import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { bytesPerElement, type Elements } from '#lib/dtype.ts'
import { device as deviceFault, type Fault, refused } from '#lib/fault.ts'
import { contiguous, elementsOf, type RankProgram, type View } from '#lib/kernel/kernel.ts'
import { type Executable, normalised, wrongLength } from '../backend.ts'
import { checkBounds, checkView } from '../bounds.ts'
import { type Device, usages } from './device.ts'
import { type Dispatch, encode, prepare, prepareAll } from './dispatch.ts'
import { type ExchangePlan, planExchange, runOf } from './exchange.ts'
import { copyShader } from './kernels/copy.ts'
import { shadersOf } from './kernels/shader.ts'
import { expectSoon } from './patience.ts'
import { Staging } from './staging.ts'

/** A step ready to run. */
type Step =
  | { readonly kind: 'kernel'; readonly dispatches: readonly Dispatch[] }
  | {
    readonly kind: 'exchange'
    readonly plan: ExchangePlan
    readonly gather: readonly Dispatch[]
    readonly save: readonly Dispatch[]
    readonly scatter: readonly Dispatch[]
  }

const storage = usages.storage | usages.copySource | usages.copyDestination

/** Says which step a fault comes from. */
const inStep = (program: RankProgram, step: number) => (fault: Fault): Fault =>
  fault.tag === 'Device' ? { ...fault, message: `step ${step} (${program.labels[step] ?? 'unnamed'}): ${fault.message}` } : fault

export const load = async (device: Device, program: RankProgram): Promise<E.Either<Fault, Executable>> => {
  const within = checkBounds(program)
  if (E.isLeft(within)) return within
  const scratch = program.buffers.length
  const plans = program.steps.map((step) => step.kind === 'exchange' ? planExchange(step, program.rank, scratch, device.shape) : null)
  const most = (of: (plan: ExchangePlan) => number): number => plans.reduce((sum, plan) => Math.max(sum, plan === null ? 0 : of(plan)), 0)
  const kernels = program.steps.map((step) => step.kind === 'exchange' ? null : shadersOf(step, device.shape, scratch + 2))
  const kernelScratch = kernels.reduce((most, kernel) => Math.max(most, kernel?.scratch ?? 0), 0)
  const lengths = [...program.buffers, most((plan) => plan.sendScratch), most((plan) => plan.receiveScratch), kernelScratch]

  const allocated = await device.allocate(lengths.map((length) => ({ bytes: length * bytesPerElement, usage: storage })))
  if (E.isLeft(allocated)) return allocated
  const buffers = allocated.right
  const bufferOf = (n: number): GPUBuffer => buffers[n]!
  const release = (): void => {
    for (const buffer of buffers) buffer.destroy()
    device.submit([])
  }

  const made = await Promise.all(program.steps.map(async (step, n): Promise<E.Either<Fault, Step>> => {
    const plan = plans[n]!
    if (step.kind === 'exchange') {
      const all = [plan.gather, plan.save, plan.scatter].map((shaders) => prepareAll(device, shaders, bufferOf))
      const [gather, save, scatter] = await Promise.all(all) as [Prepared, Prepared, Prepared]
      if (E.isLeft(gather)) return gather
      if (E.isLeft(save)) return save
      if (E.isLeft(scatter)) return scatter
      return E.right({ kind: 'exchange', plan, gather: gather.right, save: save.right, scatter: scatter.right })
    }
    const prepared = await prepareAll(device, kernels[n]!.shaders, bufferOf)
    return E.isLeft(prepared) ? E.left(inStep(program, n)(prepared.left)) : E.right({ kind: 'kernel', dispatches: prepared.right })
  }))
  const steps = E.sequenceArray(made)
  if (E.isLeft(steps)) {
    release()
    return steps
  }
  return E.right(executable(device, program.buffers, steps.right, buffers, release))
}

type Prepared = E.Either<Fault, readonly Dispatch[]>

const executable = (
  device: Device,
  lengths: readonly number[],
  steps: readonly Step[],
  buffers: readonly GPUBuffer[],
  release: () => void,
): Executable => {
  const staging = new Staging(device)

  /** Records work and queues it. */
  const submit = (record: (encoder: GPUCommandEncoder) => void): E.Either<Fault, void> => {
    const before = device.check()
    if (E.isLeft(before)) return before
    const encoder = device.gpu.createCommandEncoder()
    record(encoder)
    device.submit([encoder.finish()])
    return device.check()
  }

  const exchangeAt = (step: number): E.Either<Fault, Extract<Step, { kind: 'exchange' }>> => {
    const found = steps[step]
    return found?.kind === 'exchange' ? E.right(found) : E.left(deviceFault(`step ${step} is not an exchange`))
  }

  /** A scattered view goes by way of a contiguous buffer of its own. */
  const scattered = async (
    sizes: readonly number[],
    view: View,
    use: (temporary: GPUBuffer, place: View, own: readonly GPUBuffer[]) => Promise<E.Either<Fault, void>>,
  ): Promise<E.Either<Fault, void>> => {
    const made = await device.allocate([{ bytes: elementsOf(sizes) * bytesPerElement, usage: storage }])
    if (E.isLeft(made)) return made
    const temporary = made.right[0]!
    const place: View = { buffer: buffers.length, type: view.type, offset: 0, strides: contiguous(sizes) }
    const done = await use(temporary, place, [...buffers, temporary])
    temporary.destroy()
    return done
  }

  const write = async (view: View, sizes: readonly number[], given: Elements): Promise<E.Either<Fault, void>> => {
    if (given.length !== elementsOf(sizes)) {
      return E.left(refused(`${given.length} elements given for a view of [${sizes.join(', ')}]`))
    }
    const within = checkView(view, sizes, lengths)
    if (E.isLeft(within)) return within
    const elements = normalised(view.type, given)
    const typed = (view.type === 'f32') === (elements instanceof Float32Array)
      ? elements
      : view.type === 'f32'
      ? Float32Array.from(elements)
      : Int32Array.from(elements)
    const bytes = new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength)
    const run = runOf(view, sizes)
    if (run !== null) return staging.upload(buffers[run.buffer]!, run.offset, bytes)
    return scattered(sizes, view, async (temporary, place, all) => {
      const uploaded = await staging.upload(temporary, 0, bytes)
      if (E.isLeft(uploaded)) return uploaded
      const dispatch = await prepare(device, copyShader(sizes, place, view, device.shape), (n) => all[n]!)
      return E.isLeft(dispatch) ? dispatch : submit((encoder) => encode(encoder, [dispatch.right]))
    })
  }

  const read = async (view: View, sizes: readonly number[]): Promise<E.Either<Fault, Elements>> => {
    const within = checkView(view, sizes, lengths)
    if (E.isLeft(within)) return within
    const count = elementsOf(sizes)
    const elements = view.type === 'f32' ? new Float32Array(count) : new Int32Array(count)
    if (count === 0) return E.map(() => elements)(device.check())
    const bytes = elements.byteLength
    const readback = await staging.readback(bytes)
    if (E.isLeft(readback)) return readback
    const run = runOf(view, sizes)
    const copied = run !== null
      ? submit((encoder) => encoder.copyBufferToBuffer(buffers[run.buffer]!, run.offset, readback.right, 0, bytes))
      : await scattered(sizes, view, async (temporary, place, all) => {
        const dispatch = await prepare(device, copyShader(sizes, view, place, device.shape), (n) => all[n]!)
        return E.isLeft(dispatch) ? dispatch : submit((encoder) => {
          encode(encoder, [dispatch.right])
          encoder.copyBufferToBuffer(temporary, 0, readback.right, 0, bytes)
        })
      })
    if (E.isLeft(copied)) return copied
    return staging.mapped(readback.right, bytes, (mapped) => {
      new Uint8Array(elements.buffer).set(mapped)
      return elements
    })
  }

  const pack = async (step: number, deliver: (parcel: number, bytes: Uint8Array) => void): Promise<E.Either<Fault, void>> => {
    const found = exchangeAt(step)
    if (E.isLeft(found)) return found
    const { gather, plan: { sends } } = found.right
    let total = 0
    const starts = sends.map(({ bytes }) => {
      const start = total
      total += Math.ceil(bytes / 16) * 16
      return start
    })
    const handOver = (mapped: Uint8Array): void =>
      sends.forEach(({ bytes }, parcel) => deliver(parcel, mapped.subarray(starts[parcel]!, starts[parcel]! + bytes)))
    if (total === 0) return E.map(() => handOver(new Uint8Array(0)))(device.check())
    const readback = await staging.readback(total)
    if (E.isLeft(readback)) return readback
    const queued = submit((encoder) => {
      encode(encoder, gather)
      sends.forEach(({ buffer, offset, bytes }, parcel) => {
        if (bytes > 0) encoder.copyBufferToBuffer(buffers[buffer]!, offset, readback.right, starts[parcel]!, bytes)
      })
    })
    return E.isLeft(queued) ? queued : staging.mapped(readback.right, total, handOver)
  }

  const unpack = async (step: number, received: (parcel: number) => Uint8Array): Promise<E.Either<Fault, void>> => {
    const found = exchangeAt(step)
    if (E.isLeft(found)) return found
    const { save, scatter, plan: { receives } } = found.right
    if (save.length > 0) {
      const saved = submit((encoder) => encode(encoder, save))
      if (E.isLeft(saved)) return saved
    }
    for (const [parcel, { buffer, offset, bytes }] of receives.entries()) {
      if (bytes === 0) continue
      const given = received(parcel)
      if (given.byteLength !== bytes) return E.left(wrongLength(parcel, step, given.byteLength, bytes))
      const uploaded = await staging.upload(buffers[buffer]!, offset, given)
      if (E.isLeft(uploaded)) return uploaded
    }
    return submit((encoder) => encode(encoder, scatter))
  }

  /** A lost device has settled too: `safely` tells. */
  const settle = async (): Promise<E.Either<Fault, void>> => {
    expectSoon()
    await device.gpu.queue.onSubmittedWorkDone()
    return E.right(undefined)
  }

  const safely = <A>(use: () => Promise<E.Either<Fault, A>>): TaskEither<Fault, A> => async () => E.flatten(await device.guard(use))

  return {
    write: (view, sizes, elements) => safely(() => write(view, sizes, elements)),
    read: (view, sizes) => safely(() => read(view, sizes)),
    run: (from, to) =>
      safely(async () =>
        submit((encoder) => encode(encoder, steps.slice(from, to).flatMap((step) => step.kind === 'kernel' ? step.dispatches : [])))
      ),
    settle: () => safely(settle),
    pack: (step, deliver) => safely(() => pack(step, deliver)),
    unpack: (step, received) => safely(() => unpack(step, received)),
    free: async () => {
      staging.free()
      release()
    },
  }
}
