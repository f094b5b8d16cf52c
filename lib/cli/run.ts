import { writeFile } from 'node:fs/promises'
import process from 'node:process'
import { defineCommand } from 'citty'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import colours from 'picocolors'
import type { Links } from '../cluster/links.ts'
import { parseLinks } from '../cluster/parse-links.ts'
import type { Elements } from '../dtype.ts'
import { type Fault, fileFault, usage } from '../fault.ts'
import { writeSafetensors } from '../files/safetensors.ts'
import type { Plan } from '../plan/plan.ts'
import { chromeTrace } from '../report/chrome-trace.ts'
import { explain } from '../report/explain.ts'
import { printExplanation, table } from '../report/print.ts'
import { printRun } from '../report/run.ts'
import { type LaunchOptions, type RunResult, type Session, withSession } from '../run/session.ts'
import { backendOf, meshArguments, oneOf, programArgument, runtimesOf, seedOf, wantedMesh, wholeNumber } from './arguments.ts'
import { finish } from './finish.ts'
import { loadPlan } from './load.ts'
import { progress } from './progress.ts'
import { giveTensors, portsOf } from './tensors.ts'

export default defineCommand({
  meta: { name: 'run', description: 'Plan a program, start its ranks as processes, and run it' },
  args: {
    ...programArgument,
    ...meshArguments,
    backend: { type: 'string', default: 'auto', description: 'auto, webgpu or reference', valueHint: 'NAME' },
    runtime: { type: 'string', description: 'node or deno, or both in turn (node,deno); the one we are in without it', valueHint: 'NAME' },
    link: { type: 'string', default: 'auto', description: 'auto, shared-memory, socket or tcp', valueHint: 'NAME' },
    'in-process': { type: 'boolean', description: 'run the ranks inside this process' },
    inputs: { type: 'string', description: 'safetensors file with the inputs; those it lacks are made up', valueHint: 'FILE' },
    parameters: { type: 'string', description: 'safetensors file with the parameters; those it lacks are made up', valueHint: 'FILE' },
    output: { type: 'string', alias: 'o', description: 'safetensors file to write the outputs to', valueHint: 'FILE' },
    throttle: {
      type: 'string',
      description: "send as over slower links: '100MB/s 50us', or from the inside out '1GB/s 5us x2, 100MB/s 50us'",
      valueHint: 'LINKS',
    },
    trace: {
      type: 'string',
      description: 'Chrome trace to write of the last run; kernels are waited for one by one, so it takes longer',
      valueHint: 'FILE',
    },
    repeat: { type: 'string', default: '1', description: 'how many times to run', valueHint: 'N' },
    timeout: { type: 'string', default: '60', description: 'seconds that a rank may spend in one step', valueHint: 'S' },
    seed: { type: 'string', default: '1', description: 'seed of what is made up', valueHint: 'N' },
    quiet: { type: 'boolean', description: "don't explain the plan" },
  },
  run: ({ args }) =>
    finish(pipe(
      TE.Do,
      TE.bind('wanted', () => TE.fromEither(wantedMesh(args))),
      TE.bind('options', () => TE.fromEither(launchOptions(args))),
      TE.bind('repeat', () => TE.fromEither(wholeNumber('repeat', args.repeat))),
      TE.bind('seed', () => TE.fromEither(seedOf(args.seed))),
      TE.bind('plan', ({ wanted }) => loadPlan(args.program, wanted)),
      TE.tap(({ plan }) =>
        TE.fromIO(() => {
          if (!args.quiet) process.stdout.write(`${printExplanation(explain(plan))}\n\n`)
        })
      ),
      TE.bind('parameters', ({ plan, seed }) => giveTensors(portsOf(plan).parameters, args.parameters, seed, 'madeUpParameter')),
      TE.bind('inputs', ({ plan, seed }) => giveTensors(portsOf(plan).inputs, args.inputs, seed, 'madeUpInput')),
      TE.tap(({ parameters, inputs }) =>
        TE.fromIO(() => {
          const madeUp = parameters.madeUp.length + inputs.madeUp.length
          if (madeUp > 0) {
            process.stderr.write(colours.dim(`${madeUp} tensor(s) are made up (give --inputs and --parameters to use your own)\n`))
          }
        })
      ),
      TE.bind('results', ({ plan, options, parameters, inputs, repeat }) =>
        runTimes(plan, { ...options, parameters: parameters.values }, inputs.values, repeat)),
      TE.chain(({ plan, results: { session, last } }) =>
        pipe(
          args.output === undefined ? TE.right<Fault, void>(undefined) : writeSafetensors(args.output, stored(plan, last)),
          TE.chain(() =>
            args.trace === undefined ? TE.right(undefined) : writeTrace(args.trace, last)
          ),
          TE.map(() => {
            const written = [
              ...(args.output === undefined ? [] : [`outputs are in ${args.output}`]),
              ...(args.trace === undefined ? [] : [`the trace is in ${args.trace}: open it in ui.perfetto.dev or chrome://tracing`]),
            ]
            return [printOutputs(plan, last), printRun(plan, session.describe, last), ...written].filter((text) => text !== '').join('\n\n')
          }),
        )
      ),
    )),
})

const launchOptions = (
  args: {
    readonly backend: string
    readonly runtime?: string | undefined
    readonly link: string
    readonly 'in-process'?: boolean | undefined
    readonly throttle?: string | undefined
    readonly trace?: string | undefined
    readonly timeout: string
  },
): E.Either<Fault, LaunchOptions> =>
  pipe(
    E.Do,
    E.bind('backend', () => backendOf(args.backend)),
    E.bind('link', () => oneOf('link', ['auto', 'shared-memory', 'socket', 'tcp'], args.link)),
    E.bind('runtimes', () => runtimesOf(args.runtime)),
    E.bind('timeout', () => wholeNumber('timeout', args.timeout)),
    E.bind('throttle', () =>
      args.throttle === undefined ? E.right({}) : E.map((throttle: Links) => ({ throttle }))(parseLinks(args.throttle))),
    E.filterOrElse(
      () =>
        args.runtime === undefined || args['in-process'] !== true,
      () => usage('--runtime is for processes; leave it out with --in-process'),
    ),
    E.map(({ backend, link, runtimes, timeout, throttle }) => ({
      backend,
      link,
      ...runtimes,
      ...throttle,
      spans: args.trace !== undefined,
      timeout: timeout * 1000,
      inProcess: args['in-process'] ?? false,
    })),
  )

/** Runs a session so many times, and gives back the last result. */
const runTimes = (
  plan: Plan,
  options: LaunchOptions,
  inputs: Readonly<Record<string, Elements>>,
  repeat: number,
): TE.TaskEither<Fault, { readonly session: Session; readonly last: RunResult }> => {
  const bar = progress(`starting ${plan.ranks} ${plan.ranks === 1 ? 'rank' : 'ranks'}`, repeat)
  const runs = withSession(plan, options, (session) => async () => {
    for (let i = 1;; i++) {
      const result = await session.run(inputs)()
      if (E.isLeft(result)) return result
      bar.step(`run ${i} of ${repeat}`)
      if (i === repeat) return E.right({ session, last: result.right })
    }
  })
  return async () => {
    const result = await runs()
    bar.stop()
    return result
  }
}

const writeTrace = (path: string, { spans }: RunResult): TE.TaskEither<Fault, void> =>
  TE.tryCatch(() => writeFile(path, `${JSON.stringify(chromeTrace(spans))}\n`), fileFault(path))

const stored = (plan: Plan, { outputs }: RunResult) =>
  Object.fromEntries(plan.outputs.map(({ name, sizes }) => [name, { sizes, elements: outputs[name]! }]))

/** Each output with its layout and what its numbers look like. */
const printOutputs = (plan: Plan, { outputs }: RunResult): string =>
  table(plan.outputs.map(({ name, spec }) => {
    const elements = outputs[name]!
    let [least, most, sum, bad] = [Infinity, -Infinity, 0, 0]
    for (const element of elements) {
      least = Math.min(least, element)
      most = Math.max(most, element)
      sum += element
      if (!Number.isFinite(element)) bad++
    }
    const numbers = elements.length === 0
      ? 'empty'
      : `${least.toPrecision(4)} … ${most.toPrecision(4)}, mean ${(sum / elements.length).toPrecision(4)}`
    return [colours.bold(name), spec, numbers, bad === 0 ? '' : colours.red(`${bad} not finite`)]
  }))
