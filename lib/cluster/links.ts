import * as t from 'io-ts'

/** One kind of link between ranks, as fast as it is in practice and not as it is sold. */
export const LinkLevelCodec = t.strict({
  /** `NVLink 4`, `InfiniBand NDR`. */
  name: t.string,
  /** How many consecutive ranks it joins; null for all. */
  ranks: t.union([t.number, t.null]),
  /** Bytes per second that one rank sends. */
  bandwidth: t.number,
  /** Seconds that an exchange takes even if it is empty. */
  latency: t.number,
})
export type LinkLevel = t.TypeOf<typeof LinkLevelCodec>

/** Links from the innermost group of ranks to the outermost: inside of a host first, then between hosts. */
export type Links = readonly LinkLevel[]

/** The innermost level that joins two ranks. */
export const levelBetween = (links: Links, a: number, b: number): number =>
  links.findIndex(({ ranks }) => ranks === null || Math.floor(a / ranks) === Math.floor(b / ranks))

/**
 * Seconds that a rank needs to send so many bytes to each rank. What goes over one level shares its bandwidth; levels work at
 * the same time.
 */
export const sendSeconds = (links: Links, rank: number, bytesTo: readonly number[]): number => {
  const bytes = links.map(() => 0)
  bytesTo.forEach((sent, peer) => {
    if (peer !== rank && sent > 0) bytes[levelBetween(links, rank, peer)]! += sent
  })
  return links.reduce(
    (most, { bandwidth, latency }, level) => Math.max(most, bytes[level] === 0 ? 0 : latency + bytes[level]! / bandwidth),
    0,
  )
}
