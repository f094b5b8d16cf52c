import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { type Fault, usage } from '../fault.ts'
import type { LinkLevel, Links } from './links.ts'

const perSecond = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  kbit: 125,
  Kbit: 125,
  Mbit: 125e3,
  Gbit: 125e6,
  Tbit: 125e9,
} as const
const inSeconds = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1 } as const

const number = String.raw`(\d+(?:\.\d*)?(?:e[+-]?\d+)?)`
const form = new RegExp(
  String.raw`^${number}\s*(${Object.keys(perSecond).join('|')})/s\s+${number}\s*(${Object.keys(inSeconds).join('|')})(?:\s+x\s*(\d+))?$`,
)

/**
 * Links as a person writes them: `100MB/s 50us`, or from the inside to the outside `300GB/s 3us x8, 50GB/s 10us`, where `x8`
 * says that such links join 8 consecutive ranks. Bytes are decimal, and `Gbit/s` are eighths of them.
 */
export const parseLinks = (text: string): E.Either<Fault, Links> =>
  pipe(
    text.split(',').map((level) => level.trim()),
    E.traverseArray(parseLevel),
    E.chain(nested),
    E.mapLeft((why) => usage(`'${text}' doesn't say what links there are: ${why}; write '100MB/s 50us', or '300GB/s 3us x8, 50GB/s 10us'`)),
  )

const parseLevel = (text: string): E.Either<string, LinkLevel> => {
  const found = form.exec(text)
  if (found === null) return E.left(text === '' ? 'a level is empty' : `'${text}' is not a bandwidth and a latency`)
  const [, amount, unit, time, timeUnit, group] = found
  const bandwidth = Number(amount) * perSecond[unit as keyof typeof perSecond]
  const latency = Number(time) * inSeconds[timeUnit as keyof typeof inSeconds]
  return !(bandwidth > 0 && Number.isFinite(bandwidth) && Number.isFinite(latency))
    ? E.left(`'${text}' has no bandwidth`)
    : E.right({ name: text, ranks: group === undefined ? null : Number(group), bandwidth, latency })
}

/**
 * Holds where each level joins whole groups of the level inside it, and the outermost joins all ranks. A cluster file is held
 * to the same rule.
 */
export const nested = (links: Links): E.Either<string, Links> => {
  if (links.length === 0) return E.left('there is no level')
  let inner = 1
  for (const [i, { name, ranks }] of links.entries()) {
    const outermost = i === links.length - 1
    if (ranks === null) {
      if (!outermost) return E.left(`'${name}' joins all ranks, so that nothing is left for what follows it`)
    } else if (outermost) return E.left(`the last level '${name}' must join all ranks`)
    else if (!Number.isInteger(ranks) || ranks <= inner || ranks % inner !== 0) {
      return E.left(
        `'${name}' must join ${inner === 1 ? 'at least 2 ranks' : `a multiple of the ${inner} ranks that the level inside it joins`}`,
      )
    } else inner = ranks
  }
  return E.right(links)
}

/** Links as `parseLinks` reads them. */
export const printLinks = (links: Links): string =>
  links.map(({ ranks, bandwidth, latency }) => `${bandwidth / 1e6}MB/s ${latency * 1e6}us${ranks === null ? '' : ` x${ranks}`}`).join(', ')
