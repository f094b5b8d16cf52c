import { pipe } from 'fp-ts/lib/function.js'
import * as E from 'fp-ts/lib/Either.js'
import { serveRank } from '#lib/run/serve.ts'
import type { Workload } from '#lib/run/workload.ts'
import { decodeRecipe, misbehaving, type Misdeed, type Recipe } from './workload.ts'

/** The entry point of a rank that runs hand-made programs, and does the misdeed in their recipe. */
const [address = '', rank = ''] = process.argv.slice(2)
let misdeed: Misdeed | null = null

const remember = (workload: Workload): Workload => {
  misdeed = (workload.encoded as Recipe).misdeed
  const isOther = misdeed?.what === 'hash' && misdeed.rank === Number(rank)
  return isOther ? { ...workload, hash: 'another plan' } : workload
}

await serveRank(
  {
    decode: (json) => pipe(decodeRecipe(json), E.map(remember)),
    open: (name) => misbehaving(misdeed)(name),
  },
  address,
  Number(rank),
)
