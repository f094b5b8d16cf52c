import { right } from './link/links.ts'
import { startSession } from '#lib/run/session.ts'
import { recipe, tensorsFor, workloadOf } from './workload.ts'

/** A program that says which processes its ranks are, and then runs a session for ever. */
const given = recipe(3, 101, 53)
const { x, w } = tensorsFor(given)
const parts = { entry: new URL('./rank.ts', import.meta.url) }
const session = right(await startSession(workloadOf(given), { backend: 'reference', parameters: { w } }, parts)())
right(await session.run({ x })())
process.stdout.write(JSON.stringify(session.describe.ranks.map(({ pid }) => pid)))
for (;;) {
  await session.run({ x })()
  await new Promise((resolve) => setImmediate(resolve))
}
