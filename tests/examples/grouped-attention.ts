import { pipe } from 'fp-ts/lib/function.js'
import type { Elements } from '#lib/dtype.ts'
import { pieceOf } from '#lib/layout/pieces.ts'
import { input, layout, mesh, type Program, type Tensor, valueAndGrad } from '#lib/mod.ts'
import { attention, mean, square } from '#ops/mod.ts'

/**
 * Attention of a group of query heads over each key head, written once as programs that lie in several ways and once as
 * a formula: queries are `n h g d` (positions, key heads, queries of a head, features), keys and values only `n h d`.
 */
export interface Sizes {
  readonly n: number
  readonly h: number
  readonly g: number
  readonly d: number
}

/** How queries lie during attention, how keys and values do, and how all of them lie before and after it. */
export interface Way {
  readonly queries: string
  readonly keys: string
  readonly around: string
  /** The axis that keys and values go round. */
  readonly ring?: string
}
export const waysOf = {
  'by heads': { queries: 'h@sp', keys: 'h@sp', around: 'n@sp' },
  'by queries of a head': { queries: 'g@sp', keys: '', around: 'n@sp' },
  'in a ring': { queries: 'n@sp', keys: 'n@sp', around: 'n@sp', ring: 'sp' },
} as const satisfies Readonly<Record<string, Way>>

type Value = Tensor<string>
type Operands = { readonly q: Value; readonly k: Value; readonly v: Value }
const laid = (text: string) => (x: Value): Value => layout(text)(x) as unknown as Value

/**
 * The result `o` of attention, or the mean of its squares with the gradients. A mask, `n m` or `m`, is true where a query sees a key.
 */
export const grouped = (
  on: string,
  { n, h, g, d }: Sizes,
  { queries, keys, around, ring }: Way,
  { backward = false, mask }: { readonly backward?: boolean; readonly mask?: 'n m' | 'm' } = {},
): Program => {
  const cutOf = (dim: string): string => around.split(' ').find((cut) => cut.startsWith(`${dim}@`))?.slice(dim.length) ?? ''
  const specOf = (dims: Readonly<Record<string, number>>): string =>
    Object.entries(dims).map(([name, size]) => `${name}:${size}${cutOf(name)}`).join(' ')
  return {
    name: 'grouped-query attention',
    mesh: mesh(on as 'sp=2'),
    inputs: {
      q: input(specOf({ n, h, g, d })),
      k: input(specOf({ n, h, d })),
      v: input(specOf({ n, h, d })),
      ...(mask === undefined ? {} : { see: input(mask === 'm' ? `m:${n}` : `n:${n} m:${n}` as string, 'bool') }),
    },
    outputs: undefined,
    body: (({ see, ...operands }: Operands & { readonly see: Value }) => {
      const attend = ({ q, k, v }: Operands): Value => {
        const given = { over: 'n', heads: 'h', features: 'd', ...(ring !== undefined && { ring }) }
        const masked = mask === undefined ? given : { ...given, mask: see, maskKeys: 'm' }
        return laid(around)(pipe(laid(queries)(q), attention(masked)(laid(keys)(k), laid(keys)(v))) as unknown as Value)
      }
      if (!backward) return { o: attend(operands) }
      const [loss, gradients] = valueAndGrad((by: Operands) => pipe(attend(by), square, mean('n h g d')))(operands)
      return { loss, ...gradients }
    }) as unknown as Program['body'],
  }
}

/** The same in float64, by the formulas; a query that sees no key gets 0. */
export const byFormula = (
  { n, h, g, d }: Sizes,
  given: Readonly<Record<string, Elements>>,
  sees: (query: number, key: number) => boolean = () => true,
) => {
  const [q, k, v] = [given['q']!, given['k']!, given['v']!]
  const zeros = (like: Elements) => new Float64Array(like.length)
  const [o, dq, dk, dv] = [zeros(q), zeros(q), zeros(k), zeros(v)]
  const queryAt = (i: number, head: number, group: number, f: number): number => ((i * h + head) * g + group) * d + f
  const keyAt = (j: number, head: number, f: number): number => (j * h + head) * d + f
  const features = Array.from({ length: d }, (_, f) => f)
  const total = (of: (f: number) => number): number => features.reduce((sum, f) => sum + of(f), 0)
  let loss = 0
  for (let i = 0; i < n; i++) {
    for (let head = 0; head < h; head++) {
      for (let group = 0; group < g; group++) {
        const at = (f: number): number => queryAt(i, head, group, f)
        const seen = Array.from({ length: n }, (_, j) => j).filter((j) => sees(i, j))
        const exponentials = seen.map((j) => Math.exp(total((f) => q[at(f)]! * k[keyAt(j, head, f)]!) / Math.sqrt(d)))
        const whole = exponentials.reduce((sum, one) => sum + one, 0)
        const weights = exponentials.map((one) => one / whole)
        for (const f of features) o[at(f)] = seen.reduce((sum, j, s) => sum + weights[s]! * v[keyAt(j, head, f)]!, 0)
        loss += total((f) => o[at(f)]! ** 2) / o.length
        const slope = (f: number): number => 2 * o[at(f)]! / o.length
        const ofWeights = seen.map((j) => total((f) => slope(f) * v[keyAt(j, head, f)]!))
        const mean = ofWeights.reduce((sum, one, s) => sum + weights[s]! * one, 0)
        for (const [s, j] of seen.entries()) {
          const ofScore = weights[s]! * (ofWeights[s]! - mean) / Math.sqrt(d)
          for (const f of features) {
            dv[keyAt(j, head, f)]! += weights[s]! * slope(f)
            dq[at(f)]! += ofScore * k[keyAt(j, head, f)]!
            dk[keyAt(j, head, f)]! += ofScore * q[at(f)]!
          }
        }
      }
    }
  }
  return { o, loss: [loss], q: dq, k: dk, v: dv }
}

/** Bytes that leave all ranks in a switch, for each byte of the tensor: what no rank had of its new piece. */
export const switchedShare = (ranks: number, from: number, to: number): number =>
  1 - Array.from({ length: ranks }, (_, rank) => pieceOf(from, ranks, rank).size * pieceOf(to, ranks, rank).size)
      .reduce((sum, kept) => sum + kept, 0) / (from * to)
