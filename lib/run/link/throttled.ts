import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type Links, sendSeconds } from '../../cluster/links.ts'
import type { Fault } from '../../fault.ts'
import type { Link, Message } from './link.ts'

/**
 * A link that is as slow as others would be: for measuring what a program would do over them. When a rank has packed its
 * messages it keeps them back for the time that the links need to send them, then all of them leave at once over the real
 * link. So a message arrives no earlier than it would have, and later by what the real link takes: nearly nothing over shared
 * memory. A rank sends to all peers over one line of the given bandwidth and computes nothing meanwhile; it receives as fast as
 * others send, at the same time. An exchange without bytes takes no time.
 */
export const throttled = (link: Link, links: Links): Link => ({
  ...link,
  exchange: (step, sends, receives, pack, unpack, turn) => {
    const milliseconds = 1000 * sendSeconds(links, link.rank, bytesTo(link.ranks, sends))
    const packAndKeep: typeof pack = (outgoing) =>
      pipe(
        pack(outgoing),
        TE.chain(() => {
          turn?.('wire')
          return keepBack(link, performance.now() + milliseconds)
        }),
      )
    return link.exchange(step, sends, receives, packAndKeep, unpack, turn)
  },
})

const bytesTo = (ranks: number, sends: readonly Message[]): readonly number[] => {
  const bytes = new Array<number>(ranks).fill(0)
  for (const { peer, bytes: more } of sends) bytes[peer]! += more
  return bytes
}

/**
 * Timers of event loops are late by up to two milliseconds (measured under Node and Deno), a thread's own sleep by a tenth of
 * one: the last of the time is slept on the thread. That stops the whole process, but not for long.
 */
const onThread = 2

const keepBack = (link: Link, until: number): TE.TaskEither<Fault, void> => async () => {
  const fault = await link.pause(until - onThread - performance.now())
  if (fault !== null) return E.left(fault)
  const left = until - performance.now()
  if (left > 0) Atomics.wait(sleeper, 0, 0, left)
  return E.right(undefined)
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
