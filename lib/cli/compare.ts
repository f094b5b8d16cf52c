import { writeFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { defineCommand } from 'citty'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { loadCluster } from '../cluster/load.ts'
import { parseLinks } from '../cluster/parse-links.ts'
import { comparedIn, type Comparison, measurementOf } from '../compare/codec.ts'
import { type Candidate, compare, type CompareOptions, compareSteps } from '../compare/compare.ts'
import { comparisonPage } from '../compare/page/page.ts'
import { printComparison } from '../compare/print.ts'
import { type Fault, fileFault, usage } from '../fault.ts'
import { chromeTrace } from '../report/chrome-trace.ts'
import { backendOf, jsonArgument, meshArguments, oneOf, programArgument, runtimesOf, wantedMesh, wholeNumber } from './arguments.ts'
import { finish } from './finish.ts'
import { loadPlan, type Wanted } from './load.ts'
import { progress } from './progress.ts'
import { makeUpTensors } from './tensors.ts'

export default defineCommand({
  meta: { name: 'compare', description: 'Programs side by side: bytes, messages, work, memory, estimated and measured time' },
  args: {
    program: { ...programArgument, description: 'program files or plan files, as many as there are to compare', valueHint: 'PROGRAMS…' },
    ...meshArguments,
    cluster: { type: 'string', description: 'also estimate times on a cluster: a name, such as h100, or a file', valueHint: 'CLUSTER' },
    precision: { type: 'string', default: 'f32', description: 'f32 or bf16, for the estimate', valueHint: 'NAME' },
    overlap: { type: 'boolean', description: 'estimate computing while communicating (or --no-overlap); as the cluster says without it' },
    measure: { type: 'boolean', default: true, description: 'measure times on this machine (or --no-measure)' },
    repeat: { type: 'string', default: '5', description: 'how many runs of each program to measure, at least 5', valueHint: 'N' },
    links: { type: 'string', description: "measure as over slower links: '100MB/s 50us'", valueHint: 'LINKS' },
    backend: { type: 'string', default: 'auto', description: 'auto, webgpu or reference', valueHint: 'NAME' },
    runtime: { type: 'string', description: 'node or deno, or both in turn (node,deno); the one we are in without it', valueHint: 'NAME' },
    'in-process': { type: 'boolean', description: 'run the ranks inside this process' },
    timeout: { type: 'string', default: '60', description: 'seconds that a rank may spend in one step', valueHint: 'S' },
    ...jsonArgument,
    html: { type: 'string', description: 'page to write: tables, plots and timelines in one file', valueHint: 'FILE' },
    trace: { type: 'string', description: 'Chrome trace to write of a measured run; one file for each program', valueHint: 'FILE' },
  },
  run: ({ args, rawArgs }) =>
    finish(pipe(
      TE.Do,
      TE.bind('wanted', () => TE.fromEither(wantedMesh(args))),
      TE.bind('options', () => compareOptions(args)),
      TE.bindW('comparison', ({ wanted, options }) => TE.fromTask(compareFiles(args._, wanted, options))),
      TE.chain(({ comparison }) =>
        pipe(
          writtenFiles(comparison, { ...args, jsonFile: fileAfter('--json', rawArgs) }),
          TE.map((notes) =>
            args.json && fileAfter('--json', rawArgs) === undefined
              ? JSON.stringify(comparison, null, 2)
              : [printComparison(comparison), ...notes].join('\n\n')
          ),
        )
      ),
    )),
})

/** `--json=FILE` writes a file, where `--json` prints. */
const fileAfter = (option: string, words: readonly string[]): string | undefined =>
  words.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1)

const compareOptions = (args: {
  readonly cluster?: string | undefined
  readonly precision: string
  readonly overlap?: boolean | undefined
  readonly measure: boolean
  readonly repeat: string
  readonly links?: string | undefined
  readonly backend: string
  readonly runtime?: string | undefined
  readonly 'in-process'?: boolean | undefined
  readonly timeout: string
  readonly trace?: string | undefined
}): TE.TaskEither<Fault, CompareOptions> =>
  pipe(
    TE.Do,
    TE.bind('precision', () => TE.fromEither(oneOf('precision', ['f32', 'bf16'], args.precision))),
    TE.bind('cluster', () => args.cluster === undefined ? TE.right(undefined) : loadCluster(args.cluster)),
    TE.bind('repeat', () => TE.fromEither(wholeNumber('repeat', args.repeat))),
    TE.filterOrElse(({ repeat }) => repeat >= 5, () => usage('--repeat takes a whole number of at least 5: fewer runs have no spread')),
    TE.filterOrElse(
      () => args.measure || (args.links === undefined && args.trace === undefined),
      () => usage('--links and --trace are for what is measured: leave out --no-measure'),
    ),
    TE.bind('throttle', () => TE.fromEither(args.links === undefined ? E.right(undefined) : parseLinks(args.links))),
    TE.bind('backend', () => TE.fromEither(backendOf(args.backend))),
    TE.bind('runtimes', () => TE.fromEither(runtimesOf(args.runtime))),
    TE.bind('timeout', () => TE.fromEither(wholeNumber('timeout', args.timeout))),
    TE.map(({ precision, cluster, repeat, throttle, backend, runtimes, timeout }) => ({
      ...(cluster !== undefined && { cluster }),
      simulation: { precision, ...(args.overlap !== undefined && { overlap: args.overlap }) },
      ...(args.measure && {
        measurement: {
          repeat,
          launch: {
            backend,
            ...runtimes,
            inProcess: args['in-process'] ?? false,
            timeout: timeout * 1000,
            ...(throttle !== undefined && { throttle }),
          },
          tensors: makeUpTensors,
        },
      }),
    })),
  )

const compareFiles = (files: readonly string[], wanted: Wanted, options: CompareOptions) => async (): Promise<Comparison> => {
  const planning = progress(`planning ${files.length} ${files.length === 1 ? 'program' : 'programs'}`, files.length)
  const candidates: Candidate[] = []
  for (const file of files) {
    await new Promise((resolve) => setImmediate(resolve))
    candidates.push({ file, plan: await loadPlan(file, wanted)() })
    planning.step(`planned ${file}`)
  }
  planning.stop()
  const bar = progress('comparing', compareSteps(candidates, options))
  const comparison = await compare(candidates, { ...options, step: bar.step })()
  bar.stop()
  return comparison
}

/** Writes the files that are wanted, and says so. */
const writtenFiles = (
  comparison: Comparison,
  wanted: { readonly jsonFile: string | undefined; readonly html?: string | undefined; readonly trace?: string | undefined },
): TE.TaskEither<Fault, readonly string[]> => {
  const { jsonFile, html, trace } = wanted
  const files = [
    ...(jsonFile === undefined ? [] : [{ path: jsonFile, what: 'the comparison as JSON', text: async () => JSON.stringify(comparison) }]),
    ...(html === undefined ? [] : [{ path: html, what: 'the page', text: () => comparisonPage(comparison) }]),
    ...(trace === undefined ? [] : traces(comparison, trace)),
  ]
  return pipe(
    files,
    TE.traverseSeqArray(({ path, what, text }) =>
      pipe(
        TE.tryCatch(async () => writeFile(path, `${await text()}\n`), fileFault(path)),
        TE.map(() => `${what} is in ${path}`),
      )
    ),
    TE.map((notes) => notes.length === 0 ? [] : [notes.join('\n')]),
  )
}

/** A trace for each measured program: `FILE` with the name of the program's file before its ending, where there are several. */
const traces = (comparison: Comparison, path: string) => {
  const measured = comparedIn(comparison).flatMap((program) => {
    const measurement = measurementOf(program)
    return measurement === null ? [] : [{ program, lanes: measurement.lanes }]
  })
  const stem = path.slice(0, path.length - extname(path).length)
  return measured.map(({ program, lanes }, i) => ({
    path: measured.length === 1 ? path : `${stem}.${i + 1}-${basename(program.file, extname(program.file))}${extname(path)}`,
    what: `the trace of ${program.name} (for ui.perfetto.dev)`,
    text: async () => JSON.stringify(chromeTrace(lanes.map(({ spans }) => spans))),
  }))
}
