import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { decodeWith } from '../codec.ts'
import { type Fault, fileFault, usage } from '../fault.ts'
import { type Cluster, ClusterCodec } from './cluster.ts'
import { nested } from './parse-links.ts'

const folder = new URL('known/', import.meta.url)

/** The names of the clusters that come with Shardwise, in alphabetical order. */
export const knownClusters: TE.TaskEither<Fault, readonly string[]> = pipe(
  TE.tryCatch(() => readdir(folder), fileFault(fileURLToPath(folder))),
  TE.map((files) => files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length)).sort()),
)

/** A cluster by its name, `h100`, or from a file in the same form, `mine.json`. */
export const loadCluster = (nameOrFile: string): TE.TaskEither<Fault, Cluster> =>
  pipe(
    knownClusters,
    TE.chain((names) =>
      names.includes(nameOrFile)
        ? TE.right(fileURLToPath(new URL(`${nameOrFile}.json`, folder)))
        : /\.json$|[/\\]/.test(nameOrFile)
        ? TE.right(nameOrFile)
        : TE.left(usage(`there is no cluster '${nameOrFile}'; known ones are ${names.join(', ')}, and a file NAME.json describes another`))
    ),
    TE.chain((path) =>
      pipe(
        TE.tryCatch(() => readFile(path, 'utf8'), fileFault(path)),
        TE.chainEitherK((text) =>
          E.tryCatch(() => JSON.parse(text) as unknown, () => usage(`${path}: this is not JSON, so not a cluster`))
        ),
        TE.chainEitherK((json) => decodeCluster(path, json)),
      )
    ),
  )

/** A cluster from JSON; `what` names the file in faults. */
export const decodeCluster = (what: string, json: unknown): E.Either<Fault, Cluster> =>
  pipe(decodeWith(what, ClusterCodec, json), E.chain((cluster) => sensible(what, cluster)))

/** Rates are positive, times are not negative, there is a rate for f32, and links go from the inside to the outside. */
const sensible = (what: string, cluster: Cluster): E.Either<Fault, Cluster> => {
  const { device: { matrix, efficiency, vector, bandwidth, memory, launch }, links } = cluster
  const malformed = (path: string, expected: string, got: unknown): E.Either<Fault, Cluster> =>
    E.left({ tag: 'Malformed', what, path, expected, got: String(got) })
  const positive: readonly (readonly [string, number])[] = [
    ...Object.entries(matrix).map(([precision, rate]): [string, number] => [`device.matrix.${precision}`, rate]),
    ['device.efficiency', efficiency],
    ['device.vector', vector],
    ['device.bandwidth', bandwidth],
    ['device.memory', memory],
    ...links.map((level, i): [string, number] => [`links.${i}.bandwidth`, level.bandwidth]),
  ]
  const times: readonly (readonly [string, number])[] = [
    ['device.launch', launch],
    ...links.map(({ latency }, i): [string, number] => [`links.${i}.latency`, latency]),
  ]
  for (const [path, number] of positive) {
    if (!(number > 0 && Number.isFinite(number))) return malformed(path, 'a number above 0', number)
  }
  for (const [path, number] of times) {
    if (!(number >= 0 && Number.isFinite(number))) return malformed(path, 'a number of seconds that is not below 0', number)
  }
  if (matrix['f32'] === undefined) return malformed('device.matrix', 'a rate for f32', JSON.stringify(matrix))
  if (efficiency > 1) return malformed('device.efficiency', 'a share, at most 1', efficiency)
  return pipe(
    nested(links),
    E.mapLeft((why): Fault => ({ tag: 'Malformed', what, path: 'links', expected: 'levels from the inside to the outside', got: why })),
    E.map(() => cluster),
  )
}
