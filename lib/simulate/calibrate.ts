import { totalmem } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Cluster } from '../cluster/cluster.ts'
import type { Elements } from '../dtype.ts'
import type { Fault } from '../fault.ts'
import { workOf } from '../kernel/work.ts'
import type { Program } from '../language/program.ts'
import { instantiate } from '../lower/instantiate.ts'
import { compile } from '../lower/pipeline.ts'
import type { Plan } from '../plan/plan.ts'
import { type LaunchOptions, type RunResult, type SessionDescription, withSession } from '../run/session.ts'
import type { Activity } from '../run/span.ts'
import { spreadOf } from '../spread.ts'
import { fitLine } from './fit.ts'
import { arithmetic, products, switches, traffic } from './probes.ts'

export interface CalibrateOptions extends Pick<LaunchOptions, 'backend' | 'runtimes' | 'link' | 'throttle' | 'inProcess'> {
  readonly ranks: number
  /** Runs of each program, of which the middle one counts. */
  readonly repeats: number
  /** A run should take so many seconds, so that what is around it does not count. */
  readonly seconds: number
  /** Widths of the squares that are exchanged. */
  readonly widths: readonly number[]
}

/** From messages of some hundred bytes to some of megabytes. */
export const usualWidths: readonly number[] = [16, 64, 256, 724, 1448]

/** What is measured, one after another. */
export const measurements = ['launches', 'products', 'arithmetic', 'memory traffic', 'exchanges'] as const

/**
 * Measures this machine with real kernels and real exchanges, on all ranks at once, so that the constants are those of a rank
 * among its peers. `began` is told before each measurement what it is.
 */
export const calibrate = (options: CalibrateOptions, began: (what: string) => void): TE.TaskEither<Fault, Cluster> => {
  const { ranks } = options
  const measure = (plan: Plan) => measured(plan, options, false)
  const telling = <A>(what: (typeof measurements)[number], task: TE.TaskEither<Fault, A>): TE.TaskEither<Fault, A> => () => {
    began(what)
    return task()
  }

  /** Seconds around all kernels of a run, and of a kernel that does next to nothing. */
  const launches = pipe(
    TE.Do,
    TE.bind('few', () => pipe(planned(products(ranks, 1, 8, 8)), TE.chain(measure))),
    TE.bind('many', () => pipe(planned(products(ranks, 32, 8, 8)), TE.chain(measure))),
    TE.map(({ few, many }) => {
      const launch = Math.max(1e-7, (many.seconds - few.seconds) / (many.kernels - few.kernels))
      return { launch, around: Math.max(0, few.seconds - few.kernels * launch), describe: few.describe }
    }),
  )

  /** Work per second of a program, made larger until it takes long enough. */
  const rate = (
    make: (size: number) => Program,
    size: number,
    workIn: (of: Measured) => number,
    { launch, around }: { readonly launch: number; readonly around: number },
  ): TE.TaskEither<Fault, number> =>
    pipe(
      planned(make(size)),
      TE.chain(measure),
      TE.chain((of) => {
        const seconds = Math.max(1e-9, of.seconds - around - of.kernels * launch)
        return seconds < options.seconds && size < 4096 ? rate(make, 2 * size, workIn, { launch, around }) : TE.right(workIn(of) / seconds)
      }),
    )

  const exchanges = pipe(
    planned(switches(ranks, options.widths.map((width) => ranks * Math.ceil(width / ranks)), 4)),
    TE.chain((plan) => pipe(measured(plan, options, true), TE.map(({ runs }) => exchangeTimes(plan, runs)))),
  )

  return pipe(
    TE.Do,
    TE.bind('base', () => telling('launches', launches)),
    TE.bind(
      'matrix',
      ({ base }) => telling('products', rate((size) => products(ranks, 4, 8 * size, 256), 8, ({ matrix }) => matrix, base)),
    ),
    TE.bind(
      'vector',
      ({ base }) => telling('arithmetic', rate((size) => arithmetic(ranks, 16, 1024 * size), 8, ({ vector }) => vector, base)),
    ),
    TE.bind(
      'bandwidth',
      ({ base }) => telling('memory traffic', rate((size) => traffic(ranks, 16, 4096 * size), 8, ({ bytes }) => bytes, base)),
    ),
    TE.bind('exchanged', () => telling('exchanges', ranks === 1 ? TE.right([]) : exchanges)),
    TE.map(({ base, matrix, vector, bandwidth, exchanged }) =>
      clusterOf(
        options,
        base.describe,
        { launch: base.launch, matrix, vector, bandwidth: quickestCopy(bandwidth, exchanged) },
        exchanged,
      )
    ),
  )
}

const planned = (program: Program): TE.TaskEither<Fault, Plan> => TE.fromEither(compile(program))

interface Measured {
  /** Of the slowest rank, in the middle run. */
  readonly seconds: number
  readonly runs: readonly RunResult[]
  readonly describe: SessionDescription
  /** Of the first rank. */
  readonly kernels: number
  readonly matrix: number
  readonly vector: number
  readonly bytes: number
}

const measured = (
  plan: Plan,
  { repeats, ranks: _, seconds: __, widths: ___, ...launch }: CalibrateOptions,
  spans: boolean,
): TE.TaskEither<Fault, Measured> =>
  withSession(plan, { ...launch, spans, parameters: filled(plan) }, (session) => async () => {
    const runs: RunResult[] = []
    // The first run also compiles and warms up.
    for (let i = 0; i <= repeats; i++) {
      const run = await session.run({})()
      if (E.isLeft(run)) return run
      if (i > 0) runs.push(run.right)
    }
    const kernels = instantiate(plan, 0).steps.filter((step) => step.kind !== 'exchange').map(workOf)
    return E.right({
      seconds: spreadOf(runs.map(({ times }) => Math.max(...times.map(({ total }) => total)))).median / 1000,
      runs,
      describe: session.describe,
      kernels: kernels.length,
      matrix: kernels.reduce((sum, { matrix }) => sum + matrix, 0),
      vector: kernels.reduce((sum, { vector }) => sum + vector, 0),
      bytes: kernels.reduce((sum, { bytes }) => sum + bytes, 0),
    })
  })

/** Numbers of about the size that keeps sums of products near 1, since denormal and infinite ones take another time. */
const filled = (plan: Plan): Readonly<Record<string, Elements>> =>
  Object.fromEntries(plan.inputs.map(({ name, sizes }) => {
    const elements = new Float32Array(sizes.reduce((product, size) => product * size, 1))
    const scale = 1 / Math.sqrt(sizes.at(-1) ?? 1)
    for (let i = 0; i < elements.length; i++) elements[i] = scale * (1 + (i % 7) / 7) * (i % 2 === 0 ? 1 : -1)
    return [name, elements]
  }))

interface Exchanged {
  readonly sent: number
  /** Bytes of memory that are read and written to pack and to unpack. */
  readonly copied: number
  readonly copying: number
  readonly seconds: number
}

/** For each exchange of the first rank, the seconds in the middle run; waiting for other ranks is not the link's. */
const exchangeTimes = (plan: Plan, runs: readonly RunResult[]): readonly Exchanged[] =>
  instantiate(plan, 0).steps.flatMap((exchange, step): readonly Exchanged[] => {
    if (exchange.kind !== 'exchange') return []
    const bytesIn = (sizes: readonly number[]): number => 4 * sizes.reduce((product, size) => product * size, 1)
    const middle = (activities: readonly Activity[]): number =>
      spreadOf(
        runs.map(({ spans }) =>
          spans[0]!.filter((span) => span.step === step && activities.includes(span.activity)).reduce(
            (sum, { start, end }) => sum + end - start,
            0,
          )
        ),
      ).median / 1000
    const sent = exchange.sends.reduce((sum, { sizes }) => sum + bytesIn(sizes), 0)
    const kept = exchange.keeps === null ? 0 : bytesIn(exchange.keeps.sizes)
    return [{
      sent,
      copied: 2 * sent + 2 * (sent + kept),
      copying: middle(['pack', 'unpack']),
      seconds: middle(['pack', 'wire', 'unpack']),
    }]
  })

/**
 * Bytes of memory per second: in kernels, or in the packing of the largest exchanges where that is quicker. On a processor
 * kernels that do next to nothing are still bound by their arithmetic.
 */
const quickestCopy = (inKernels: number, exchanged: readonly Exchanged[]): number => {
  const most = Math.max(0, ...exchanged.map(({ copied }) => copied))
  const large = exchanged.filter(({ copied }) => copied === most).map(({ copied, copying }) => copied / Math.max(1e-9, copying))
  return large.length === 0 ? inKernels : Math.max(inKernels, spreadOf(large).median)
}

const clusterOf = (
  { ranks, repeats }: CalibrateOptions,
  { link, ranks: [rank] }: SessionDescription,
  { launch, matrix, vector, bandwidth }: {
    readonly launch: number
    readonly matrix: number
    readonly vector: number
    readonly bandwidth: number
  },
  exchanged: readonly Exchanged[],
): Cluster => {
  // What a simulation counts for packing and unpacking is not the link's.
  const points = exchanged.map((
    { sent, copied, seconds },
  ): readonly [number, number] => [sent, Math.max(seconds / 100, seconds - 2 * launch - copied / bandwidth)])
  const line = fitLine(points)
  // Through shared memory a message is there as soon as it is packed: then nothing is left for its bytes on the way.
  const perByte = Math.max(line.slope, 0.1 / bandwidth)
  const device = rank!.backend
  const how = `Measured by shardwise calibrate: ${ranks} ${ranks === 1 ? 'rank' : 'ranks at once'}, the middle one of ${repeats} runs`
  const source = (field: string, text: string) => ({ field, source: `${text}.` })
  return {
    format: 'shardwise-cluster',
    version: 1,
    name: 'this machine',
    description: `${ranks} ranks of one machine, ${device.backend} on ${device.adapter}, joined by ${link}.`,
    device: {
      name: device.adapter,
      matrix: { f32: rounded(matrix) },
      efficiency: 1,
      vector: rounded(vector),
      bandwidth: rounded(bandwidth),
      memory: Math.floor(totalmem() / ranks),
      launch: rounded(launch),
    },
    links: [{ name: link, ranks: null, bandwidth: rounded(1 / perByte), latency: rounded(line.start) }],
    overlap: false,
    sources: [
      source('device.matrix.f32', `${how} of a chain of products of width 256`),
      source('device.efficiency', 'The rate is measured, so all of it is reached'),
      source('device.vector', `${how} of a map of 64 operations, a quarter of them exponentials`),
      source(
        'device.bandwidth',
        `${how} of a chain of differences that are each read twice, or of packing and unpacking where that is quicker`,
      ),
      source('device.memory', "This machine's memory, shared by its ranks"),
      source('device.launch', `${how} of 64 products that are next to nothing`),
      source(
        'links.0.bandwidth',
        `${how} of exchanges of ${points.length} sizes and places, the line with the least relative squares, less the copies, at most ten times the memory's bandwidth`,
      ),
      source('links.0.latency', 'The start of the same line: what an exchange takes even if it is empty'),
      source('overlap', 'Shardwise runs kernels and exchanges one after another'),
    ],
  }
}

const rounded = (number: number): number => Number(number.toPrecision(4))
