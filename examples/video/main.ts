import process from 'node:process'
import { defineCommand, runMain } from 'citty'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { backendOf, oneOf, runtimesOf, wholeNumber } from '#lib/cli/arguments.ts'
import { finish } from '#lib/cli/finish.ts'
import type { Elements } from '#lib/dtype.ts'
import { type Fault, refused } from '#lib/fault.ts'
import { compile, explain, type Plan, printExplanation, withSession } from '#lib/mod.ts'
import { table } from '#lib/report/print.ts'
import { printRun } from '#lib/report/run.ts'
import type { RunResult, SessionDescription } from '#lib/run/session.ts'
import { clipOf, readLatent, writeGif } from './clip.ts'
import { type GoldenCase, readGolden, relativeError } from './golden.ts'
import { videoTransformer } from './model.ts'

/** The largest difference from PyTorch's float64 result that passes, relative to the largest element. */
const tolerance = { reference: 1e-6, webgpu: 1e-4 } as const

const main = defineCommand({
  meta: { name: 'video', description: 'A spatial-temporal video transformer on several processes, checked against PyTorch' },
  args: {
    ranks: { type: 'string', default: '2', description: 'number of processes' },
    case: { type: 'string', default: 'small', description: 'golden case: small or odd' },
    backend: { type: 'string', default: 'auto', description: 'auto, webgpu or reference' },
    runtime: { type: 'string', description: 'node, deno, or both in turn: node,deno' },
    clip: { type: 'string', description: 'an animated GIF to use as the latent clip (then there is nothing to check against)' },
    out: { type: 'string', default: 'prediction.gif', description: 'with --clip: the GIF to write' },
  },
  run: ({ args }) =>
    finish(pipe(
      TE.Do,
      TE.bind('ranks', () => TE.fromEither(wholeNumber('ranks', args.ranks))),
      TE.bind('backend', () => TE.fromEither(backendOf(args.backend))),
      TE.bind('name', () => TE.fromEither(oneOf('case', ['small', 'odd'], args.case))),
      TE.bind('runtimes', () => TE.fromEither(runtimesOf(args.runtime))),
      TE.bind('golden', ({ name }) => readGolden(name)),
      TE.bind('plan', ({ golden, ranks }) => TE.fromEither(compile(videoTransformer(golden.sizes, ranks)))),
      TE.tap(({ plan }) => TE.fromIO(() => process.stdout.write(`${printExplanation(explain(plan))}\n\n`))),
      TE.bind('inputs', ({ golden }) => inputsOf(golden, args.clip)),
      TE.bind('ran', ({ plan, golden, inputs, backend, runtimes }) =>
        withSession(plan, { backend, parameters: named(golden.weights), ...runtimes }, (session) =>
          pipe(session.run(inputs), TE.map((result) => ({ result, session: session.describe }))))),
      TE.chain(({ golden, plan, ran }) =>
        args.clip === undefined ? compare(golden, plan, ran.session, ran.result) : pipe(
          writeGif(args.out, predictedClip(golden, ran.result)),
          TE.map(() =>
            `${printRun(plan, ran.session, ran.result)}\n\nthe prediction is in ${args.out}`
          ),
        )
      ),
    )),
})

const named = (tensors: GoldenCase['inputs']): Readonly<Record<string, Elements>> =>
  Object.fromEntries(Object.entries(tensors).map(([name, { elements }]) => [name, elements]))

const inputsOf = ({ inputs, sizes }: GoldenCase, clip: string | undefined): TE.TaskEither<Fault, Readonly<Record<string, Elements>>> => {
  const { latent, timestep, caption } = named(inputs)
  const given = { latent: latent!, timestep: timestep!, caption: caption! }
  return clip === undefined
    ? TE.right(given)
    : pipe(readLatent(clip, sizes.batch, sizes.frames, 2 * sizes.rows, 2 * sizes.columns), TE.map((latent) => ({ ...given, latent })))
}

const compare = ({ outputs }: GoldenCase, plan: Plan, session: SessionDescription, result: RunResult): TE.TaskEither<Fault, string> => {
  const allowed = session.ranks.some(({ backend }) => backend.backend === 'webgpu') ? tolerance.webgpu : tolerance.reference
  const compared = plan.outputs.map(({ name }) => {
    const wanted = outputs[name.replace(/^streams\.(\d+)$/, 'block.$1.out')]!
    return { name, error: relativeError(result.outputs[name]!, wanted.elements) }
  })
  const rows = compared.map((
    { name, error },
  ) => [name, `differs from PyTorch by ${error.toExponential(1)} of the largest element`, error <= allowed ? '✓' : '✗'])
  const text = `${printRun(plan, session, result)}\n\n${table(rows)}`
  return compared.every(({ error }) => error <= allowed)
    ? TE.right(text)
    : TE.left(refused(`${text}\nthe result is not PyTorch's (allowed: ${allowed})`))
}

const predictedClip = ({ sizes }: GoldenCase, { outputs }: RunResult) =>
  clipOf(outputs['prediction'] as Float32Array, sizes.frames, 2 * sizes.rows, 2 * sizes.columns, 16)

await runMain(main)
