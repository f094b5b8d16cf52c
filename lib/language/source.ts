import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scope } from './scope.ts'

const home = new URL('../../', import.meta.url).href
const own = [`${home}lib/`, `${home}ops/`]

/**
 * The line of the user's program that is being executed: the innermost stack frame outside of Shardwise and fp-ts, as
 * `video.ts:41`. Stages ask when they are made, since that is where they stand in the source.
 */
export const sourceLine = (): string => scope().where ?? lineOfCaller()

const lineOfCaller = (): string => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 40
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = limit
  for (const line of stack.split('\n').slice(1)) {
    const [, place, row] = /\(?((?:file:\/\/)?\/[^()]*?|[A-Za-z]:[^()]*?):(\d+):\d+\)?$/.exec(line) ?? []
    if (place === undefined) continue
    const url = place.startsWith('file://') ? place : `file://${place}`
    if (own.some((folder) => url.startsWith(folder)) || url.includes('/node_modules/fp-ts/')) continue
    return `${nameOf(url)}:${row}`
  }
  return 'unknown'
}

const nameOf = (url: string): string => {
  try {
    return relative(process.cwd(), fileURLToPath(url))
  } catch {
    return url
  }
}
