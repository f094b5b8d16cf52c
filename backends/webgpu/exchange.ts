import { bytesPerElement } from '#lib/dtype.ts'
import { inPairs, input } from '#lib/kernel/expression.ts'
import { type Combine, contiguous, elementsOf, type Exchange, type View } from '#lib/kernel/kernel.ts'
import type { Shape } from './device.ts'
import type { Shader } from './emit.ts'
import { copyShader } from './kernels/copy.ts'
import { mapShader } from './kernels/map.ts'
import { simplify } from './loops.ts'

/**
 * What an exchange does on this rank's GPU, as data: which parts are contiguous already and can be copied or uploaded
 * as they are, and which need a kernel to gather or scatter them by way of a scratch buffer.
 */

/** A run of bytes in a buffer. */
export interface Run {
  readonly buffer: number
  readonly offset: number
  readonly bytes: number
}

export interface ExchangePlan {
  /** Gather kernels, run before `sends` are read. */
  readonly gather: readonly Shader[]
  /** Where each send parcel lies then. */
  readonly sends: readonly Run[]
  /** Kernels that save the kept part from being overwritten, run before anything arrives. */
  readonly save: readonly Shader[]
  /** Where each received parcel's bytes go. */
  readonly receives: readonly Run[]
  /** Kernels that put everything where it belongs, run after all has arrived. */
  readonly scatter: readonly Shader[]
  /** Elements of the two scratch buffers. */
  readonly sendScratch: number
  readonly receiveScratch: number
}

/** The run a view is, or null if its elements do not lie together in loop order. */
export const runOf = (view: View, sizes: readonly number[]): Run | null => {
  const { strides } = simplify(sizes, [view.strides])
  const own = strides[0]!
  const together = elementsOf(sizes) === 0 || own.length === 0 || (own.length === 1 && own[0] === 1)
  return !together ? null : { buffer: view.buffer, offset: view.offset * bytesPerElement, bytes: elementsOf(sizes) * bytesPerElement }
}

/** Gives out places in a scratch buffer, each at a multiple of four elements. */
const places = (buffer: number) => {
  let next = 0
  return {
    take: (sizes: readonly number[], type: View['type']): View => {
      const view: View = { buffer, type, offset: next, strides: contiguous(sizes) }
      next += Math.ceil(elementsOf(sizes) / 4) * 4
      return view
    },
    used: () => next,
  }
}

const combineCall = (combine: Combine): 'add' | 'maximum' | 'minimum' =>
  combine === 'sum' ? 'add' : combine === 'max' ? 'maximum' : 'minimum'

/**
 * Folds the parts in pairs, then the pairs in pairs: a sum over n ranks is off by log n roundings and not by n. Every rank gets
 * the same bits, because every rank folds in the same order.
 */
const foldShader = (
  combine: Combine,
  sizes: readonly number[],
  parts: readonly View[],
  to: View,
  shape: Shape,
): Shader => {
  const name = to.type === 'bool' && combine === 'sum' ? 'maximum' : combineCall(combine)
  const expression = inPairs(name, parts.map((_, n) => input(n)))
  return mapShader({ kind: 'map', sizes, origin: sizes.map(() => 0), inputs: parts, expression, output: to }, shape)
}

interface Part {
  readonly rank: number
  readonly sizes: readonly number[]
  readonly from: View
  readonly to: View
}

/** Parts that go to the same place, each list in rank order. */
const byPlace = (parts: readonly Part[]): readonly (readonly Part[])[] => {
  const groups = new Map<string, Part[]>()
  for (const part of parts.toSorted((a, b) => a.rank - b.rank)) {
    const key = JSON.stringify([part.to.buffer, part.to.offset, part.to.strides, part.sizes])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [part])
    else group.push(part)
  }
  return [...groups.values()]
}

/** `scratch` is the number of the send scratch; the receive scratch has the next one. */
export const planExchange = (exchange: Exchange, rank: number, scratch: number, shape: Shape): ExchangePlan => {
  const { combine, keeps } = exchange
  const gather: Shader[] = []
  const save: Shader[] = []
  const scatter: Shader[] = []
  const outgoing = places(scratch)
  const incoming = places(scratch + 1)
  const copy = (sizes: readonly number[], from: View, to: View, into: Shader[]): void => {
    if (elementsOf(sizes) > 0) into.push(copyShader(sizes, from, to, shape))
  }

  const sends = exchange.sends.map(({ view, sizes }): Run => {
    const run = runOf(view, sizes)
    if (run !== null) return run
    const place = outgoing.take(sizes, view.type)
    copy(sizes, view, place, gather)
    return runOf(place, sizes)!
  })

  // The kept part: within one buffer it goes by way of the scratch, since a kernel may not read what it writes.
  let own: Part | null = null
  if (keeps !== null) {
    const { sizes, from, to } = keeps
    own = { rank, sizes, from, to }
    if (from.buffer === to.buffer) {
      const saved = incoming.take(sizes, from.type)
      copy(sizes, from, saved, save)
      own = { ...own, from: saved }
    }
  }

  const receives: Run[] = []
  const arrived = exchange.receives.map(({ peer, view, sizes }): Part | null => {
    const direct = combine === 'place' ? runOf(view, sizes) : null
    if (direct !== null) {
      receives.push(direct)
      return null
    }
    const place = incoming.take(sizes, view.type)
    receives.push(runOf(place, sizes)!)
    return { rank: peer, sizes, from: place, to: view }
  })

  const parts = [own, ...arrived].filter((part) => part !== null)
  if (combine === 'place') { for (const { sizes, from, to } of parts) copy(sizes, from, to, scatter) }
  else {
    for (const group of byPlace(parts)) {
      const { sizes, to } = group[0]!
      if (elementsOf(sizes) > 0) scatter.push(foldShader(combine, sizes, group.map(({ from }) => from), to, shape))
    }
  }
  return { gather, sends, save, receives, scatter, sendScratch: outgoing.used(), receiveScratch: incoming.used() }
}
