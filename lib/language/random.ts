import { call, type Expression, index, input, integer } from '../kernel/expression.ts'
import { isSeed, keyOf, mostStreams, streamLength, streamOf, type Use } from '../kernel/threefry.ts'
import { printSpec, type Shape, wholeLayout } from '../layout/layout.ts'
import * as say from './messages.ts'
import { isSymbolic, nodeOf } from './record.ts'
import { refuse } from './refusal.ts'
import type { AnyTensor } from './tensor.ts'

/** What ops that use random numbers have in common: how their options are read, and the numbers as expressions. */

export interface RandomOptions {
  /** A whole number within ±2⁵³, or an i32 tensor without dims; the same value in both forms gives the same numbers. */
  readonly seed: number | AnyTensor
  /** Tells uses of one seed apart: a whole number of at least 0, which is the one unless said. */
  readonly stream?: number
}

/** Where random numbers come from, as an op's attributes: the words of the seed, unless it is an operand; and the stream. */
export type Source = { readonly key: readonly [low: number, high: number] | null; readonly stream: number }

/** The source that options speak of, and the seed as an operand where it is a tensor. */
export const sourceOf = (
  op: string,
  { seed, stream = 0 }: RandomOptions,
): { readonly source: Source; readonly operands: readonly AnyTensor[] } => {
  if (!Number.isInteger(stream) || stream < 0 || stream >= mostStreams) refuse(say.notStream(op, shown(stream)))
  if (isSymbolic(seed)) {
    checkSeedTensor(op, seed)
    return { source: { key: null, stream }, operands: [seed] }
  }
  if (typeof seed === 'number' && isSeed(seed)) return { source: { key: keyOf(seed), stream }, operands: [] }
  return refuse(say.notSeed(op, shown(seed)))
}

/** What was given where a number was wanted, for messages. */
export const shown = (given: unknown): string =>
  typeof given === 'string' ? `'${given}'` : typeof given === 'object' ? 'no number' : String(given)

const checkSeedTensor = (op: string, seed: AnyTensor): void => {
  const { shape, layout } = nodeOf(seed)
  const [first] = layout.pending
  if (shape.type !== 'i32') refuse(say.notSeed(op, shape.type))
  if (shape.dims.length > 0) refuse(say.notSeed(op, `'${printSpec(shape, layout)}'`))
  if (first !== undefined) refuse(say.notSeed(op, `a pending ${first.combine} over '${layout.pending.map(({ axis }) => axis).join('+')}'`))
}

/** Refuses more elements than a stream has numbers. */
export const checkLength = (op: string, shape: Shape): void => {
  const count = shape.dims.reduce((product, { size }) => product * size, 1)
  if (count > streamLength) refuse(say.tooManyNumbers(op, printSpec(shape, wholeLayout(shape)), count))
}

/** The row-major number of an element in the whole tensor, modulo 2³²: what makes the numbers the same for every layout. */
export const elementNumber = ({ dims }: Shape): Expression =>
  dims.reduce<Expression>(
    (number, { size }, i) => i === 0 ? index(0) : call('add', call('multiply', number, integer(size | 0)), index(i)),
    integer(0),
  )

/** The number in [0, 1) that an element has for a use; `seed` is the operand that is the seed, where one is. */
export const uniformAt = ({ key, stream }: Source, use: Use, element: Expression, seed: number): Expression => {
  // A seed of 32 bits goes on with its sign in the high word, as the key of the same number does.
  const words = key === null
    ? [input(seed), call('select', call('less', input(seed), integer(0)), integer(-1), integer(0))]
    : key.map(integer)
  return call('uniform', ...words, element, integer(streamOf(use, stream)))
}
