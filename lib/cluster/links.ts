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

/** For each level, how many groups of the level inside it a rank meets there among the members, its own one included. */
export const groupsMet = (links: Links, rank: number, members: readonly number[]): readonly number[] =>
  links.map((_, level) => {
    const inner = level === 0 ? 1 : links[level - 1]!.ranks ?? 1
    return new Set(
      [rank, ...members.filter((member) => levelBetween(links, rank, member) <= level)].map((member) => Math.floor(member / inner)),
    )
      .size
  })

/**
 * Seconds of an all-gather or a reduce-scatter of so many bytes a piece, done in stages as MPI and NCCL do them: a piece goes over
 * an outer level once to each group, and inside of the group on to the others (or is summed up inside before it goes out).
 */
export const stagedSeconds = (links: Links, rank: number, members: readonly number[], bytes: number): number => {
  const met = groupsMet(links, rank, members)
  let [held, longest] = [bytes, 0]
  for (let level = links.length - 1; level >= 0; level--) {
    const { bandwidth, latency } = links[level]!
    if (met[level]! > 1) longest = Math.max(longest, latency + held * (met[level]! - 1) / bandwidth)
    held *= met[level]!
  }
  return longest
}
