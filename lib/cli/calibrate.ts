import { writeFile } from 'node:fs/promises'
import { defineCommand } from 'citty'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Cluster } from '../cluster/cluster.ts'
import { parseLinks } from '../cluster/parse-links.ts'
import { fileFault } from '../fault.ts'
import { calibrate, measurements, usualWidths } from '../simulate/calibrate.ts'
import { printCluster } from '../simulate/print.ts'
import { backendOf, oneOf, runtimesOf, wholeNumber } from './arguments.ts'
import { finish } from './finish.ts'
import { progress } from './progress.ts'

export default defineCommand({
  meta: { name: 'calibrate', description: 'Measure this machine with real kernels and exchanges, and write it as a cluster for simulate' },
  args: {
    ranks: { type: 'string', default: '2', description: 'number of ranks that work at once', valueHint: 'N' },
    backend: { type: 'string', default: 'auto', description: 'auto, webgpu or reference', valueHint: 'NAME' },
    runtime: { type: 'string', description: 'node or deno, or both in turn (node,deno); the one we are in without it', valueHint: 'NAME' },
    link: { type: 'string', default: 'auto', description: 'auto, shared-memory or socket', valueHint: 'NAME' },
    throttle: { type: 'string', description: "make the links slower before they are measured: '100MB/s 50us'", valueHint: 'LINKS' },
    repeat: { type: 'string', default: '5', description: 'runs of each program, of which the middle one counts', valueHint: 'N' },
    output: { type: 'string', alias: 'o', description: 'the cluster file to write; standard output without it', valueHint: 'FILE' },
  },
  run: ({ args }) =>
    finish(pipe(
      TE.Do,
      TE.bind('ranks', () => TE.fromEither(wholeNumber('ranks', args.ranks))),
      TE.bind('repeats', () => TE.fromEither(wholeNumber('repeat', args.repeat))),
      TE.bind('backend', () => TE.fromEither(backendOf(args.backend))),
      TE.bind('link', () => TE.fromEither(oneOf('link', ['auto', 'shared-memory', 'socket'], args.link))),
      TE.bind('runtimes', () => TE.fromEither(runtimesOf(args.runtime))),
      TE.bind('throttle', () =>
        TE.fromEither(args.throttle === undefined ? E.right({}) : pipe(parseLinks(args.throttle), E.map((throttle) => ({ throttle }))))),
      TE.chain(({ ranks, repeats, backend, link, runtimes, throttle }) => {
        const bar = progress(`measuring with ${ranks} ${ranks === 1 ? 'rank' : 'ranks'}`, measurements.length)
        const measured = calibrate(
          { ranks, repeats, seconds: 0.05, widths: usualWidths, backend, link, ...runtimes, ...throttle },
          (what) =>
            bar.step(what),
        )
        return async () => {
          const result = await measured()
          bar.stop()
          return result
        }
      }),
      TE.chain((cluster) => write(cluster, args.output)),
    )),
})

const write = (cluster: Cluster, path: string | undefined) => {
  const text = JSON.stringify(cluster, null, 2)
  return path === undefined ? TE.right(text) : TE.tryCatch(async () => {
    await writeFile(path, `${text}\n`)
    return `${printCluster(cluster)}\n${path}: for shardwise simulate PROGRAM --cluster ${path}`
  }, fileFault(path))
}
