import { bytesPerElement } from '../dtype.ts'
import { groupsMet, levelBetween, type Links } from '../cluster/links.ts'
import { volume } from '../layout/pieces.ts'
import { boxOn, partsBetween } from '../layout/transfer.ts'
import type { Plan } from '../plan/plan.ts'
import { meshOf, readValue } from '../plan/read-value.ts'

/** Ranks whose every step takes equally long; the first one stands for all. */
export type Group = readonly number[]

/**
 * Ranks in groups that are alike: they hold pieces of the same sizes of every value, send and receive as many bytes over each
 * level of links in every exchange, to as many groups of ranks, and exchange with ranks of the same groups. Then they are at
 * each step at the same moment: by induction over the steps, since a step takes equally long for all and begins when ranks of
 * the same groups are ready. So only one rank of each group needs to be simulated.
 */
export const alikeRanks = (plan: Plan, links: Links): readonly Group[] => {
  const ranks = Array.from({ length: plan.ranks }, (_, rank) => rank)
  const exchanges = exchangesOf(plan, links)
  const sizes = pieceSizes(plan)
  let names = numbered(
    ranks.map((rank) => `${sizes.map((of) => of[rank]).join(';')} ${exchanges.map(({ bytes }) => bytes[rank]).join(';')}`),
  )
  for (let count = 0; count !== new Set(names).size;) {
    count = new Set(names).size
    const before = names
    names = numbered(
      ranks.map((rank) =>
        `${before[rank]} ${exchanges.map(({ peers }) => [...new Set(peers[rank]!.map((peer) => before[peer]!))].sort().join()).join(';')}`
      ),
    )
  }
  return [...new Set(names)].map((name) => ranks.filter((rank) => names[rank] === name))
}

/** Equal texts as equal numbers, from 0 in the order of their appearance. */
const numbered = (texts: readonly string[]): readonly number[] => {
  const numbers = new Map<string, number>()
  return texts.map((text) => {
    const number = numbers.get(text) ?? numbers.size
    numbers.set(text, number)
    return number
  })
}

/** For each kind of value, the sizes of each rank's piece. */
const pieceSizes = (plan: Plan): readonly (readonly string[])[] => {
  const mesh = meshOf(plan)
  return [...new Map(plan.values.map((value) => [value.spec, value])).values()].map((value) => {
    const { shape, layout } = readValue(value)
    return Array.from({ length: plan.ranks }, (_, rank) => boxOn(shape, layout, mesh, rank).map(({ size }) => size).join('x'))
  })
}

/** An exchange as each rank sees it: bytes kept, sent and received over each level of links and groups met there, and with whom. */
interface Exchanged {
  readonly bytes: readonly string[]
  readonly peers: readonly (readonly number[])[]
}

const exchangesOf = (plan: Plan, links: Links): readonly Exchanged[] => {
  const mesh = meshOf(plan)
  const kinds = new Map<string, Exchanged>()
  for (const step of plan.steps) {
    if (step.do === 'compute' || step.bytes.every((sent) => sent === 0)) continue
    const [from, to] = [plan.values[step.from]!, plan.values[step.to]!]
    const kind = JSON.stringify([from, to])
    if (kinds.has(kind)) continue
    const before = readValue(from)
    const after = readValue(to)
    const bytes = Array.from({ length: plan.ranks }, () => new Array<number>(1 + 2 * links.length).fill(0))
    const peers = Array.from({ length: plan.ranks }, () => new Set<number>())
    for (const part of partsBetween(before.shape, before.layout, after.layout, mesh)) {
      const size = volume(part.box) * bytesPerElement
      if (part.from === part.to) bytes[part.from]![0]! += size
      else {
        const level = levelBetween(links, part.from, part.to)
        bytes[part.from]![1 + level]! += size
        bytes[part.to]![1 + links.length + level]! += size
        peers[part.from]!.add(part.to)
        peers[part.to]!.add(part.from)
      }
    }
    const members = peers.map((of) => [...of])
    kinds.set(kind, { bytes: bytes.map((of, rank) => `${of.join()} ${groupsMet(links, rank, members[rank]!).join()}`), peers: members })
  }
  return [...kinds.values()]
}
