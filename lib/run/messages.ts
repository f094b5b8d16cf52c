import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { LinkLevelCodec } from '../cluster/links.ts'
import { NumberCodec } from '../codec.ts'
import { bytesPerElement, type Elements } from '../dtype.ts'
import type { Fault } from '../fault.ts'
import type { NamedElements } from './executor.ts'
import { ArenaAddress } from './link/shared-memory.ts'
import { MeasuredSpansCodec, SpanCodec } from './span.ts'

/** What the launcher and the ranks say to each other. */

const rankFault = { rank: t.number, step: t.string }
/** A fault as it crosses a process border. */
export const FaultCodec: t.Type<Fault, Fault, unknown> = t.union([
  t.strict({ tag: t.literal('Refused'), message: t.string, where: t.string }),
  t.strict({ tag: t.literal('Refused'), message: t.string }),
  t.strict({ tag: t.literal('Usage'), message: t.string }),
  t.strict({ tag: t.literal('Malformed'), what: t.string, path: t.string, expected: t.string, got: t.string }),
  t.strict({ tag: t.literal('BadTensor'), name: t.string, message: t.string }),
  t.strict({ tag: t.literal('File'), path: t.string, message: t.string }),
  t.strict({ tag: t.literal('Device'), message: t.string, rank: t.number }),
  t.strict({ tag: t.literal('Device'), message: t.string }),
  t.strict({ tag: t.literal('RankDied'), ...rankFault, cause: t.string }),
  t.strict({ tag: t.literal('RankHung'), ...rankFault, milliseconds: t.number }),
  t.strict({ tag: t.literal('RankFailed'), ...rankFault, cause: t.string }),
  t.strict({ tag: t.literal('Mismatch'), rank: t.number, peer: t.number, mine: t.string, theirs: t.string }),
  t.strict({ tag: t.literal('Timeout'), ...rankFault, milliseconds: t.number }),
  t.strict({ tag: t.literal('NotFinite'), ...rankFault, value: t.keyof({ NaN: null, 'an infinity': null }) }),
  t.strict({ tag: t.literal('Diverged'), step: t.number, what: t.string, cause: t.string }),
  t.strict({ tag: t.literal('Closed'), message: t.string }),
])

/** Tensors in a payload, one after another: their names, element types and lengths. */
const PartsCodec = t.readonlyArray(
  t.strict({ name: t.string, type: t.keyof({ f32: null, i32: null }), length: t.number }),
)
export type Parts = t.TypeOf<typeof PartsCodec>

const LinkCodec = t.union([
  t.strict({ kind: t.literal('none') }),
  t.strict({ kind: t.keyof({ socket: null, tcp: null }), capacity: t.number }),
  t.strict({ kind: t.literal('shared-memory'), arena: ArenaAddress }),
])
/** How the ranks of a session are joined, as each of them is told. */
export type LinkPlan = t.TypeOf<typeof LinkCodec>

const BackendName = t.keyof({ auto: null, webgpu: null, reference: null })

export const ToRank = t.union([
  /** What to be: the payload is the workload's JSON. `outputs` are those that this rank hands in. */
  t.strict({
    kind: t.literal('load'),
    backend: BackendName,
    link: LinkCodec,
    timeout: NumberCodec,
    debug: t.boolean,
    spans: MeasuredSpansCodec,
    throttle: t.union([t.null, t.readonlyArray(LinkLevelCodec)]),
    outputs: t.readonlyArray(t.string),
  }),
  t.strict({ kind: t.literal('peers'), addresses: t.readonlyArray(t.string) }),
  t.strict({ kind: t.literal('write'), id: t.number, parts: PartsCodec }),
  t.strict({ kind: t.literal('run'), id: t.number, parts: PartsCodec }),
  t.strict({ kind: t.literal('read'), id: t.number, names: t.readonlyArray(t.string) }),
  t.strict({ kind: t.literal('abort'), message: t.string }),
  t.strict({ kind: t.literal('close') }),
])
export type ToRank = t.TypeOf<typeof ToRank>

const DescriptionCodec = t.strict({
  backend: t.keyof({ webgpu: null, reference: null }),
  adapter: t.string,
  software: t.boolean,
})
const TimesCodec = t.strict({
  write: t.number,
  compute: t.number,
  pack: t.number,
  wire: t.number,
  wait: t.number,
  unpack: t.number,
  read: t.number,
  total: t.number,
})

/** The first message of a rank, and all that is read from a socket whose owner is not known. */
export const Hello = t.strict({
  kind: t.literal('hello'),
  token: t.string,
  rank: t.number,
  pid: t.number,
  runtime: t.string,
})
export type Hello = t.TypeOf<typeof Hello>

export const FromRank = t.union([
  t.strict({ kind: t.literal('listening'), address: t.string }),
  t.strict({ kind: t.literal('ready'), hash: t.string, backend: DescriptionCodec }),
  /** Where the rank is in its program; only said where there is no shared memory to write it to. */
  t.strict({ kind: t.literal('at'), position: t.number }),
  t.strict({ kind: t.literal('written'), id: t.number }),
  t.strict({
    kind: t.literal('ran'),
    id: t.number,
    parts: PartsCodec,
    sent: t.readonlyArray(t.number),
    times: TimesCodec,
    spans: t.readonlyArray(SpanCodec),
  }),
  t.strict({ kind: t.literal('values'), id: t.number, parts: PartsCodec }),
  t.strict({ kind: t.literal('fault'), fault: FaultCodec }),
])
export type FromRank = t.TypeOf<typeof FromRank>

/** Tensors as a payload, without copying them. */
export const packElements = (
  values: NamedElements,
): { readonly parts: Parts; readonly payload: readonly Uint8Array[] } => {
  const entries = Object.entries(values)
  return {
    parts: entries.map(([name, elements]) => ({
      name,
      type: elements instanceof Float32Array ? 'f32' : 'i32',
      length: elements.length,
    })),
    payload: entries.map(([, elements]) => new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)),
  }
}

/** Tensors out of a payload, as views of it. */
export const unpackElements = (parts: Parts, payload: Uint8Array<ArrayBuffer>): E.Either<Fault, NamedElements> => {
  const values: Record<string, Elements> = {}
  let offset = 0
  for (const { name, type, length } of parts) {
    const end = offset + length * bytesPerElement
    if (!Number.isInteger(length) || length < 0 || end > payload.byteLength) {
      return E.left({
        tag: 'Malformed',
        what: 'payload',
        path: name,
        expected: `${length} elements`,
        got: `${payload.byteLength - offset} bytes`,
      })
    }
    const Kind = type === 'f32' ? Float32Array : Int32Array
    values[name] = new Kind(payload.buffer, payload.byteOffset + offset, length)
    offset = end
  }
  return E.right(values)
}
