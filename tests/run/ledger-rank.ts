import { openBackend } from '#backends/mod.ts'
import { serveRank } from '#lib/run/serve.ts'
import { decodeLedger } from './ledger.ts'

/** The entry point of a rank that runs the ledger. */
const [address = '', rank = ''] = process.argv.slice(2)
await serveRank({ decode: decodeLedger, open: openBackend }, address, Number(rank))
