import { openBackend } from '#backends/mod.ts'
import { serveRank } from './serve.ts'
import { decodeWorkload } from './workload.ts'

/** The entry point of a rank's process: `rank.ts ADDRESS RANK`, with the session's token in the environment. */
const [address = '', rank = ''] = process.argv.slice(2)
await serveRank({ decode: decodeWorkload, open: openBackend }, address, Number(rank))
