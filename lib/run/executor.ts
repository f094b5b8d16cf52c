import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Executable } from '#backends/backend.ts'
import { bytesPerElement, type Elements } from '../dtype.ts'
import { badTensor, type Fault } from '../fault.ts'
import { elementsOf, type Kernel, type Parcel, type Port, type RankProgram } from '../kernel/kernel.ts'
import { nowhere } from './link/arena.ts'
import type { Link, Message, Turn } from './link/link.ts'
import { kindIn, madeNotFinite } from './not-finite.ts'
import type { MeasuredSpans, Span } from './span.ts'
import { makeTimeline, type Timeline, type Times } from './timeline.ts'

/**
 * Runs a rank's program on a device: kernels in the longest runs there are between exchanges, and exchanges as
 * pack, wire, unpack. It knows nothing of processes, plans or layouts.
 */
export interface Executor {
  /** Puts elements into inputs or parameters; they stay until they are written again. */
  readonly write: (values: NamedElements) => TaskEither<Fault, void>
  /** Takes parameters out, as runs have left them. */
  readonly read: (parameters: readonly string[]) => TaskEither<Fault, NamedElements>
  /** Writes the inputs, runs every step, reads the outputs asked for. One run at a time. */
  readonly run: (inputs: NamedElements, outputs: readonly string[]) => TaskEither<Fault, RankRun>
}

export type NamedElements = Readonly<Record<string, Elements>>

export interface RankRun {
  readonly outputs: NamedElements
  /** Payload bytes this run sent to each rank, counted by the link. */
  readonly sent: readonly number[]
  readonly times: Times
  /** Empty unless the executor was made with `spans`. */
  readonly spans: readonly Span[]
}

/** Told before each step, or run of kernels, where the rank is: a step's number or one of `places`. */
export type Position = (step: number) => void

/** Where a rank is when it is in no step. */
export const places = { idle: nowhere, writing: -2, reading: -3 } as const

/** What a rank is doing there, as part of a fault's sentence. */
export const doing = (program: RankProgram, position: number): string => {
  if (position === places.writing) return 'while taking its inputs'
  if (position === places.reading) return 'while handing in its tensors'
  const step = program.steps[position]
  if (step === undefined) return 'between runs'
  const place = `step ${position + 1} of ${program.steps.length}`
  const label = program.labels[position] ?? ''
  return label === '' ? `at ${place}` : `${/^(in|at) /.test(label) ? '' : 'in '}${label}, ${place}`
}

/** `attention at video.ts:12`, `all-to-all t→s over sp for video.ts:14`. */
const labelOf = (program: RankProgram, step: number): string => {
  const found = program.steps[step]!
  const label = (program.labels[step] ?? '').replace(/^in (the )?/, '')
  return label !== '' ? label : found.kind === 'exchange' ? found.name : found.kind
}

/** `#2 all-to-all t→s over sp for video.ts:12`: exchanges are counted from 1 within the program. */
const exchangeLabel = (program: RankProgram, step: number): string =>
  `#${program.steps.slice(0, step + 1).filter(({ kind }) => kind === 'exchange').length} ${labelOf(program, step)}`

/** Steps `from … to - 1`: a longest run of kernels, or one exchange. */
interface Stretch {
  readonly from: number
  readonly to: number
  readonly exchange: Meeting | null
}

/** An exchange with all that is the same in every run worked out. */
interface Meeting {
  readonly name: string
  readonly signature: string
  readonly label: string
  /** Bytes to be sent in all. */
  readonly bytes: number
  readonly sends: readonly Message[]
  readonly receives: readonly Message[]
}

export const parcelBytes = (parcel: Parcel): number => bytesPerElement * elementsOf(parcel.sizes)

const messagesOf = (parcels: readonly Parcel[]): readonly Message[] =>
  parcels.map((parcel) => ({ peer: parcel.peer, bytes: parcelBytes(parcel) }))

const stretchesOf = (program: RankProgram): readonly Stretch[] => {
  const stretches: Stretch[] = []
  let from = 0
  const flush = (to: number): void => {
    if (from < to) stretches.push({ from, to, exchange: null })
  }
  program.steps.forEach((step, i) => {
    if (step.kind !== 'exchange') return
    flush(i)
    const { name, signature } = step
    const [sends, receives] = [messagesOf(step.sends), messagesOf(step.receives)]
    stretches.push({
      from: i,
      to: i + 1,
      exchange: {
        name,
        signature,
        label: exchangeLabel(program, i),
        bytes: sends.reduce((sum, { bytes }) => sum + bytes, 0),
        sends,
        receives,
      },
    })
    from = i + 1
  })
  flush(program.steps.length)
  return stretches
}

/** The largest number of bytes an outbox holds at once, over all steps; 0 for a program that sends nothing. */
export const largestExchange = (program: RankProgram, capacityFor: (bytesOf: readonly number[]) => number): number =>
  program.steps.reduce(
    (most, step) => (step.kind === 'exchange' ? Math.max(most, capacityFor(step.sends.map(parcelBytes))) : most),
    0,
  )

export interface ExecutorOptions {
  /** Looks at each operation when it is done: the first that makes a number that is not finite ends the run. */
  readonly debug: boolean
  /** Tells what the rank did when. Then the device is waited for, or its time would show where it is waited for anyway. */
  readonly spans: MeasuredSpans
}

/** An executor for a loaded program; `link` may be null for a rank that is alone. */
export const makeExecutor = (
  program: RankProgram,
  executable: Executable,
  link: Link | null,
  position: Position,
  { debug = false, spans = false }: Partial<ExecutorOptions> = {},
): Executor => {
  const { rank } = program
  const stretches = stretchesOf(program)
  const labels = program.steps.map((_, step) => labelOf(program, step))
  const inputPorts = new Map(program.inputs.map((port) => [port.name, port]))
  const parameterPorts = new Map(program.inputs.filter(({ parameter }) => parameter).map((port) => [port.name, port]))
  const outputPorts = new Map(program.outputs.map((port) => [port.name, port]))
  let sequence = 0
  let here: number = places.idle

  const moveTo = (place: number): void => {
    here = place
    position(place)
  }
  const portIn = (ports: ReadonlyMap<string, Port>, name: string): E.Either<Fault, Port> =>
    E.fromNullable(badTensor(name, `rank ${rank}'s program has no such tensor`))(ports.get(name))

  const write = async (values: NamedElements): Promise<E.Either<Fault, void>> => {
    for (const [name, elements] of Object.entries(values)) {
      const kind = debug && elements instanceof Float32Array ? kindIn(elements) : null
      if (kind === 'NaN') return E.left({ tag: 'NotFinite', rank, step: `in what is given as '${name}'`, value: kind })
      const port = portIn(inputPorts, name)
      if (E.isLeft(port)) return port
      const expected = elementsOf(port.right.sizes)
      if (elements.length !== expected) {
        return E.left(badTensor(name, `rank ${rank}'s piece has ${expected} elements, got ${elements.length}`))
      }
      const written = await executable.write(port.right.view, port.right.sizes, elements)()
      if (E.isLeft(written)) return written
    }
    return E.right(undefined)
  }

  /** Where spans are asked for, nothing is left to the device when the next thing begins. */
  const settled = (task: TaskEither<Fault, void>): TaskEither<Fault, void> =>
    spans === false ? task : pipe(task, TE.chain(executable.settle))

  const exchange = async (step: number, meeting: Meeting, timeline: Timeline): Promise<E.Either<Fault, void>> => {
    sequence++
    const about = { name: labels[step]!, step }
    let toSend: { readonly bytes?: number } = { bytes: meeting.bytes }
    const turn: Turn = (activity, since) => {
      timeline.turn(activity, activity === 'wire' ? { ...about, ...toSend } : about, since)
      if (activity === 'wire') toSend = {}
    }
    const pack = (outgoing: (send: number) => Uint8Array) => executable.pack(step, (parcel, bytes) => outgoing(parcel).set(bytes))
    const unpack = (incoming: (receive: number) => Uint8Array) => settled(executable.unpack(step, incoming))
    return link === null
      ? await meetNobody(meeting, pack, unpack, turn)
      : await link.exchange({ sequence, ...meeting }, meeting.sends, meeting.receives, pack, unpack, turn)()
  }

  /** Alone, an exchange still moves what the rank keeps. */
  const meetNobody = async (
    meeting: Meeting,
    pack: (outgoing: (send: number) => Uint8Array) => TaskEither<Fault, void>,
    unpack: (incoming: (receive: number) => Uint8Array) => TaskEither<Fault, void>,
    turn: Turn,
  ): Promise<E.Either<Fault, void>> => {
    if (meeting.sends.length + meeting.receives.length > 0) {
      return E.left({ tag: 'RankFailed', rank, step: `in ${meeting.label}`, cause: 'it has peers but no link' })
    }
    turn('pack')
    const packed = await pack(() => new Uint8Array(0))()
    turn('unpack')
    return E.isLeft(packed) ? packed : unpack(() => new Uint8Array(0))()
  }

  /** One kernel after another, each waited for and looked at. */
  const runEach = async (from: number, to: number, timeline: Timeline): Promise<E.Either<Fault, void>> => {
    for (let step = from; step < to; step++) {
      moveTo(step)
      timeline.turn('compute', { name: labels[step]!, step })
      const done = await settled(executable.run(step, step + 1))()
      if (E.isLeft(done)) return done
      const made = debug ? await madeNotFinite(executable, program.steps[step] as Kernel) : E.right(null)
      if (E.isLeft(made)) return made
      if (made.right !== null) return E.left({ tag: 'NotFinite', rank, step: doing(program, step), value: made.right })
    }
    return E.right(undefined)
  }

  const runAll = (from: number, to: number, timeline: Timeline): Promise<E.Either<Fault, void>> => {
    moveTo(from)
    timeline.turn('compute', { name: to - from === 1 ? labels[from]! : `${labels[from]} and ${to - from - 1} more`, step: from })
    return settled(executable.run(from, to))()
  }

  const runSteps = async (timeline: Timeline): Promise<E.Either<Fault, void>> => {
    for (const { from, to, exchange: meeting } of stretches) {
      if (meeting !== null) moveTo(from)
      const done = meeting !== null
        ? await exchange(from, meeting, timeline)
        : await (debug || spans === true ? runEach : runAll)(from, to, timeline)
      if (E.isLeft(done)) return done
    }
    return E.right(undefined)
  }

  const read = async (ports: ReadonlyMap<string, Port>, names: readonly string[]): Promise<E.Either<Fault, NamedElements>> => {
    const values: Record<string, Elements> = {}
    for (const name of names) {
      // Told for each tensor: a rank that hands in many of them is at work, not stuck.
      moveTo(places.reading)
      const port = portIn(ports, name)
      if (E.isLeft(port)) return port
      const elements = await executable.read(port.right.view, port.right.sizes)()
      if (E.isLeft(elements)) return elements
      values[name] = elements.right
    }
    return E.right(values)
  }

  const sentSoFar = (): readonly number[] => Array.from({ length: program.ranks }, (_, peer) => link?.sent.toPeer(peer) ?? 0)

  const runOnce = async (inputs: NamedElements, outputs: readonly string[]): Promise<E.Either<Fault, RankRun>> => {
    const before = sentSoFar()
    const timeline = makeTimeline(rank, spans !== false, 'write', { name: 'inputs', step: null })
    moveTo(places.writing)
    const written = await settled(() => write(inputs))()
    if (E.isLeft(written)) return written
    const ran = await runSteps(timeline)
    if (E.isLeft(ran)) return ran
    timeline.turn('read', { name: 'outputs', step: null })
    const results = await read(outputPorts, outputs)
    if (E.isLeft(results)) return results
    const sent = sentSoFar().map((bytes, peer) => bytes - before[peer]!)
    return E.right({ outputs: results.right, sent, ...timeline.end() })
  }

  /** Faults of the device and exceptions of a backend say where they happened. */
  const located = async <A>(work: () => Promise<E.Either<Fault, A>>): Promise<E.Either<Fault, A>> => {
    const failed = (cause: string): E.Either<Fault, A> => E.left({ tag: 'RankFailed', rank, step: doing(program, here), cause })
    try {
      const result = await work()
      if (E.isRight(result)) moveTo(places.idle)
      return E.isLeft(result) && result.left.tag === 'Device' ? failed(result.left.message) : result
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error))
    }
  }

  return {
    write: (values) => () =>
      located(() => {
        moveTo(places.writing)
        return write(values)
      }),
    read: (parameters) => () => located(() => read(parameterPorts, parameters)),
    run: (inputs, outputs) => () => located(() => runOnce(inputs, outputs)),
  }
}
