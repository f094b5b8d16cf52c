import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { loadCluster } from '../cluster/load.ts'
import { type Fault, file, fileFault, reasonOf, refused, usage } from '../fault.ts'
import { mesh } from '../language/mesh.ts'
import { isProgram, type Program } from '../language/program.ts'
import { isRefusal } from '../language/refusal.ts'
import { compile } from '../lower/pipeline.ts'
import { decodePlan, type Plan } from '../plan/plan.ts'

/** What a person may say about the ranks: a number for a mesh of one axis, or a whole mesh. */
export interface Wanted {
  readonly ranks?: number
  readonly mesh?: string
  /** The name or file of a cluster on which the plan is to take the least time. */
  readonly fastestOn?: string
}

/** The plan of a program file (whose default export is a program, or a function from a number of ranks to one) or of a plan file. */
export const loadPlan = (path: string, wanted: Wanted): TE.TaskEither<Fault, Plan> =>
  !existsSync(path) ? TE.left(usage(`${path}: there is no such file`)) : path.endsWith('.json') ? readPlan(path, wanted) : pipe(
    TE.Do,
    TE.bind('program', () => loadProgram(path, wanted)),
    TE.bind('cluster', () => wanted.fastestOn === undefined ? TE.right(undefined) : loadCluster(wanted.fastestOn)),
    TE.chainEitherK(({ program, cluster }) => compile(program, cluster && { cluster })),
  )

const readPlan = (path: string, wanted: Wanted): TE.TaskEither<Fault, Plan> =>
  pipe(
    TE.tryCatch(() => readFile(path, 'utf8'), fileFault(path)),
    TE.chainEitherK((text) => E.tryCatch(() => JSON.parse(text) as unknown, () => file(path, 'this is not JSON, so not a plan'))),
    TE.chainEitherK(decodePlan),
    TE.filterOrElse(
      (plan) => (wanted.ranks ?? plan.ranks) === plan.ranks && (wanted.mesh ?? plan.mesh) === plan.mesh,
      (plan) => usage(`${path} is a plan for mesh ${plan.mesh} (${plan.ranks} ranks); plan the program again for another mesh`),
    ),
  )

/** The program of a file, on the ranks that are wanted. */
export const loadProgram = (path: string, wanted: Wanted): TE.TaskEither<Fault, Program> =>
  pipe(
    TE.tryCatch(() => import(pathToFileURL(resolve(path)).href) as Promise<{ readonly default?: unknown }>, loadFault(path)),
    TE.chain(({ default: given }) =>
      TE.tryCatch(
        async () => typeof given === 'function' ? await (given as (ranks: number | undefined) => unknown)(wanted.ranks) : given,
        loadFault(path),
      )
    ),
    TE.chainEitherK((program) =>
      isProgram(program) ? remesh(program, wanted) : E.left(
        usage(`${path}: its default export is not a program; write \`export default program('name', mesh('sp=4'), inputs, body)\``),
      )
    ),
  )

/** Why a program file gives no program: it refuses itself, an import is missing, or it throws. */
const loadFault = (path: string) => (thrown: unknown): Fault =>
  isRefusal(thrown)
    ? refused(thrown.message, thrown.where)
    : thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_MODULE_NOT_FOUND'
    ? file(path, `one of its imports is missing (${reasonOf(thrown)})`)
    : fileFault(path)(thrown)

/** The program on the ranks that the person wants. Types know only the axes' names, so their sizes may change. */
const remesh = (program: Program, wanted: Wanted): E.Either<Fault, Program> => {
  if (wanted.mesh !== undefined) return meshOf(wanted.mesh, (of) => ({ ...program, mesh: of }))
  if (wanted.ranks === undefined || wanted.ranks === program.mesh.ranks) return E.right(program)
  const [axis, ...others] = program.mesh.axes
  return axis === undefined || others.length > 0
    ? E.left(
      usage(
        `the program's mesh is '${program.mesh.text}' (${program.mesh.ranks} ranks); say --mesh with its axes instead of --ranks ${wanted.ranks}`,
      ),
    )
    : meshOf(`${axis.name}=${wanted.ranks}`, (of) => ({ ...program, mesh: of }))
}

const meshOf = (text: string, use: (of: ReturnType<typeof mesh>) => Program): E.Either<Fault, Program> =>
  E.tryCatch(() => use(mesh(text)), (thrown) => usage(reasonOf(thrown)))
