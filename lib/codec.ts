import * as E from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import type { Fault } from './fault.ts'

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
