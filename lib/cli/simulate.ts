import { writeFile } from 'node:fs/promises'
import { defineCommand } from 'citty'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Cluster } from '../cluster/cluster.ts'
import { loadCluster } from '../cluster/load.ts'
import { type Fault, fileFault, usage } from '../fault.ts'
import { chromeTrace } from '../report/chrome-trace.ts'
import { meshesOf } from '../simulate/meshes.ts'
import { printSimulation, printTried, ranked, type Tried } from '../simulate/print.ts'
import { simulate, type SimulateOptions, type Simulation } from '../simulate/simulate.ts'
import { jsonArgument, meshArguments, oneOf, programArgument, wantedMesh, wholeNumber } from './arguments.ts'
import { finish } from './finish.ts'
import { loadPlan, loadProgram, type Wanted } from './load.ts'
import { progress } from './progress.ts'

export default defineCommand({
  meta: { name: 'simulate', description: 'Tell how long a program would take on a cluster that is described, and whether it fits' },
  args: {
    ...programArgument,
    ...meshArguments,
    devices: { type: 'string', description: "try every mesh of the program's axes with so many ranks, best first", valueHint: 'N' },
    cluster: { type: 'string', required: true, description: 'the name of a known cluster, such as h100, or a file', valueHint: 'CLUSTER' },
    precision: { type: 'string', default: 'f32', description: 'f32 or bf16', valueHint: 'NAME' },
    overlap: { type: 'boolean', description: 'compute while communicating (or --no-overlap); as the cluster says without it' },
    direct: { type: 'boolean', description: 'collectives go from every rank to every other, not in stages as those of MPI and NCCL' },
    trace: { type: 'string', description: 'Chrome trace to write: what each rank would do when', valueHint: 'FILE' },
    ...jsonArgument,
  },
  run: ({ args }) =>
    finish(pipe(
      TE.Do,
      TE.bind('wanted', () => TE.fromEither(wantedMesh(args))),
      TE.bind('precision', () => TE.fromEither(oneOf('precision', ['f32', 'bf16'], args.precision))),
      TE.bind('cluster', () => loadCluster(args.cluster)),
      TE.let(
        'options',
        ({ precision }) => ({ precision, ...(args.overlap !== undefined && { overlap: args.overlap }), staged: args.direct !== true }),
      ),
      TE.chain(({ wanted, cluster, options }) =>
        args.devices === undefined ? simulateOne(args.program, wanted, cluster, options, args) : pipe(
          TE.fromEither(wholeNumber('devices', args.devices)),
          TE.filterOrElse(
            () => wanted.ranks === undefined && wanted.mesh === undefined && args.trace === undefined,
            () => usage('--devices tries meshes by itself: leave out --mesh, --ranks and --trace'),
          ),
          TE.chain((devices) => tryMeshes(args.program, devices, wanted, cluster, options)),
          TE.map((tried) => args.json ? JSON.stringify(ranked(tried).map(withoutSpans), null, 2) : printTried(tried)),
        )
      ),
    )),
})

const simulateOne = (
  path: string,
  wanted: Wanted,
  cluster: Cluster,
  options: SimulateOptions,
  { json, trace }: { readonly json?: boolean | undefined; readonly trace?: string | undefined },
): TE.TaskEither<Fault, string> =>
  pipe(
    loadPlan(path, wanted),
    TE.map((plan) => simulate(plan, cluster, options)),
    TE.tap((simulation) =>
      trace === undefined
        ? TE.right(undefined)
        : TE.tryCatch(() => writeFile(trace, `${JSON.stringify(chromeTrace(spansByRank(simulation)))}\n`), fileFault(trace))
    ),
    TE.map((simulation) => json ? JSON.stringify(lean(simulation), null, 2) : printSimulation(simulation, cluster)),
  )

/** Plans and simulates the program on every mesh that has so many ranks. */
const tryMeshes = (
  path: string,
  devices: number,
  wanted: Wanted,
  cluster: Cluster,
  options: SimulateOptions,
): TE.TaskEither<Fault, readonly Tried[]> =>
  path.endsWith('.json') ? TE.left(usage(`${path} is a plan for one mesh; --devices needs the program itself`)) : pipe(
    loadProgram(path, {}),
    TE.map(({ mesh }) => meshesOf(mesh.axes.map(({ name }) => name), devices)),
    TE.filterOrElse(
      (meshes) => meshes.length > 0,
      () => usage(`${path} has no mesh axis, so it runs on one device`),
    ),
    TE.chainTaskK((meshes) => async () => {
      const bar = progress(`planning ${meshes.length === 1 ? 'one mesh' : `${meshes.length} meshes`}`, meshes.length)
      const tried: Tried[] = []
      for (const mesh of meshes) {
        // Between two plans the bar is drawn.
        await new Promise((resolve) => setImmediate(resolve))
        const plan = await loadPlan(path, { ...wanted, mesh })()
        tried.push({ mesh, result: E.isLeft(plan) ? plan.left : simulate(plan.right, cluster, options) })
        bar.step(`planned ${mesh}`)
      }
      bar.stop()
      return tried
    }),
  )

/** Without what each rank does when, which is long; `--trace` writes that. */
const lean = ({ groups, ...rest }: Simulation) => ({ ...rest, groups: groups.map(({ spans: _, ...group }) => group) })
const withoutSpans = ({ mesh, result }: Tried) => 'tag' in result ? { mesh, refused: result } : lean(result)

/** Traces number ranks by place: those that others stand for have none. */
const spansByRank = ({ groups }: Simulation) => {
  const first = groups.map(({ ranks }) => ranks[0]!)
  return Array.from({ length: Math.max(...first) + 1 }, (_, rank) => groups[first.indexOf(rank)]?.spans ?? [])
}
