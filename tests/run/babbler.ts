import * as E from 'fp-ts/lib/Either.js'
import { openChannel, peerLimits } from '#lib/run/control.ts'
import { dial, tokenVariable } from '#lib/run/link/address.ts'

/** The entry point of a rank that says hello like any other, and then something that no rank says. */
const [address = '', rank = ''] = process.argv.slice(2)
const socket = await dial(address)
if (E.isLeft(socket)) process.exit(1)
const channel = openChannel(socket.right, 'the launcher', peerLimits, {
  message: () => socket.right.write('this is not a message of ours'),
  end: () => process.exit(1),
})
await channel.send({
  kind: 'hello',
  token: process.env[tokenVariable],
  rank: Number(rank),
  pid: process.pid,
  runtime: 'none',
})
