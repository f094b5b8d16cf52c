import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Fault } from './fault.ts'

/** What JSON has no number for: infinities and NaN, which it writes as null, and -0, which it writes as 0. */
const special: readonly number[] = [Infinity, -Infinity, NaN, -0]
const textOf = (value: number): string => Object.is(value, -0) ? '-0' : String(value)

/** A number as JSON can say it: what JSON has no number for is written as a text. */
export const numberToJson = (value: number): number | string => special.some((one) => Object.is(one, value)) ? textOf(value) : value

/** Any number, so that what is read back from JSON is the same number (`Object.is`), whichever it was. */
export const NumberCodec = new t.Type<number, number | string, unknown>(
  'number',
  (value): value is number => typeof value === 'number',
  (value, context) => {
    if (typeof value === 'number') return t.success(value)
    const meant = special.find((one) => textOf(one) === value)
    return meant === undefined ? t.failure(value, context) : t.success(meant)
  },
  numberToJson,
)

const show = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/**
 * Decodes something from outside the process; the fault names the place, what was expected there and what was found.
 * Of a union's failures the deepest one is told: it belongs to the alternative that was meant.
 */
export const decodeWith = <A>(what: string, codec: t.Type<A, unknown, unknown>, value: unknown): E.Either<Fault, A> => {
  const decoded = codec.decode(value)
  if (E.isRight(decoded)) return decoded
  const deepest = decoded.left.reduce((best, error) => error.context.length > best.context.length ? error : best)
  const path = deepest.context.slice(1).map(({ key }) => key).filter((key) => key !== '')
  return E.left({
    tag: 'Malformed',
    what,
    path: path.join('.') || 'the top',
    expected: deepest.context.at(-1)?.type.name ?? what,
    got: show(deepest.value),
  })
}
