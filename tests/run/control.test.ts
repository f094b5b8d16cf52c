import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { decodeWith } from '#lib/codec.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { type Channel, type Limits, openChannel, peerLimits, strangerLimits } from '#lib/run/control.ts'
import { dial, listen } from '#lib/run/link/address.ts'
import { FaultCodec, packElements, unpackElements } from '#lib/run/messages.ts'
import { right } from './link/links.ts'

/** Two ends of a connection. */
const socketPair = async (): Promise<
  { readonly near: Socket; readonly far: Socket; readonly close: () => Promise<void> }
> => {
  let arrived: (socket: Socket) => void = () => undefined
  const arrival = new Promise<Socket>((resolve) => {
    arrived = resolve
  })
  const listener = right(await listen((socket) => arrived(socket)))
  const near = right(await dial(listener.address))
  const far = await arrival
  const close = async (): Promise<void> => {
    near.destroy()
    far.destroy()
    await listener.close()
  }
  return { near, far, close }
}

/** Sends raw bytes to a channel, cut in chunks, then closes; gives all that the channel told. */
const feed = async (bytes: Uint8Array, chunk: number, limits: Limits) => {
  const { near, far, close } = await socketPair()
  const messages: { readonly message: unknown; readonly payload: readonly number[] }[] = []
  const fault = await new Promise<Fault | null>((resolve) => {
    openChannel(far, 'a test', limits, {
      message: (message, payload) => void messages.push({ message, payload: [...payload] }),
      end: resolve,
    })
    near.on('error', () => undefined)
    for (let at = 0; at < bytes.length; at += chunk) near.write(bytes.subarray(at, at + chunk))
    near.end()
  })
  await close()
  return { messages, fault }
}

/** What a channel writes for messages. */
const written = async (send: (channel: Channel) => Promise<void>): Promise<Uint8Array> => {
  const { near, far, close } = await socketPair()
  const chunks: Buffer[] = []
  const ended = new Promise<void>((resolve) => far.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('close', () => resolve()))
  const channel = openChannel(near, 'a test', peerLimits, { message: () => undefined, end: () => undefined })
  await send(channel)
  near.end()
  await ended
  await close()
  return Buffer.concat(chunks)
}

const anyMessage = fc.record({
  message: fc.jsonValue(),
  payload: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
})

test('messages arrive as they were sent, however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyMessage, { maxLength: 5 }), fc.integer({ min: 1, max: 70 }), async (sent, chunk) => {
      const bytes = await written(async (channel) => {
        for (const { message, payload } of sent) await channel.send(message, payload)
      })
      const { messages, fault } = await feed(bytes, chunk, peerLimits)
      assert.equal(fault, null)
      const expected = sent.map(({ message, payload }) => ({
        message: JSON.parse(JSON.stringify(message)) as unknown,
        payload: payload.flatMap((part) => [...part]),
      }))
      assert.deepEqual(messages, expected)
    }),
    { numRuns: 40 },
  )
})

test('whatever else arrives ends the channel, as a malformed message or for want of one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 60 }), async (garbage, chunk) => {
      const { messages, fault } = await feed(garbage, chunk, peerLimits)
      assert.deepEqual(messages, [])
      if (garbage.length >= 16) assert.equal(fault?.tag, 'Malformed')
      else assert.equal(fault, null)
    }),
    { numRuns: 60 },
  )
})

test('a message that starts well and goes on with nonsense is malformed', async () => {
  const good = await written((channel) => channel.send({ hello: 'you' }))
  const { messages, fault } = await feed(
    Buffer.concat([good, Buffer.from('and now for something else')]),
    7,
    peerLimits,
  )
  assert.deepEqual(messages, [{ message: { hello: 'you' }, payload: [] }])
  assert.equal(
    sentence(fault!),
    'message from a test: expected a message of an allowed size at header, got bytes 61 6e 64 20 6e 6f 77 20',
  )
})

test('a message that is not JSON is malformed', async () => {
  const bytes = await written((channel) => channel.send('abc'))
  bytes[bytes.length - 1] = 0
  const { fault } = await feed(bytes, 100, peerLimits)
  assert.match(sentence(fault!), /^message from a test: expected JSON at text/)
})

test('a stranger may not send much', async () => {
  const long = await written((channel) => channel.send('x'.repeat(5000)))
  assert.equal((await feed(long, 1000, strangerLimits)).fault?.tag, 'Malformed')
  const withPayload = await written((channel) => channel.send('x', [new Uint8Array(1)]))
  assert.equal((await feed(withPayload, 1000, strangerLimits)).fault?.tag, 'Malformed')
})

const anyElements = fc.oneof(
  fc.float32Array({ maxLength: 20 }),
  fc.int32Array({ maxLength: 20 }),
)

test('tensors survive packing, and a payload that is too short for them is malformed', () => {
  fc.assert(
    fc.property(fc.array(anyElements, { maxLength: 4 }), (tensors) => {
      const values = Object.fromEntries(tensors.map((elements, i) => [`tensor ${i}`, elements]))
      const { parts, payload } = packElements(values)
      const bytes = new Uint8Array(Buffer.concat(payload))
      assert.deepEqual(right(unpackElements(parts, bytes)), values)
      if (bytes.length > 0) assert.ok(E.isLeft(unpackElements(parts, bytes.slice(1))))
    }),
  )
})

const text = fc.string()
const number = fc.integer()
const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ tag: fc.constant('Refused' as const), message: text, where: text }),
  fc.record({ tag: fc.constant('Refused' as const), message: text }),
  fc.record({ tag: fc.constant('Malformed' as const), what: text, path: text, expected: text, got: text }),
  fc.record({ tag: fc.constant('BadTensor' as const), name: text, message: text }),
  fc.record({ tag: fc.constant('Device' as const), message: text, rank: number }),
  fc.record({ tag: fc.constant('Device' as const), message: text }),
  fc.record({ tag: fc.constant('RankFailed' as const), rank: number, step: text, cause: text }),
  fc.record({ tag: fc.constant('Mismatch' as const), rank: number, peer: number, mine: text, theirs: text }),
  fc.record({ tag: fc.constant('Timeout' as const), rank: number, step: text, milliseconds: number }),
)

test('faults cross process borders unchanged', () => {
  fc.assert(
    fc.property(anyFault, (fault) => {
      assert.deepEqual(right(decodeWith('fault', FaultCodec, JSON.parse(JSON.stringify(fault)))), { ...fault })
    }),
  )
  assert.ok(E.isLeft(decodeWith('fault', FaultCodec, { tag: 'Unheard' })))
})
