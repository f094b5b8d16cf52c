import { type NoOption, noOption } from './messages.ts'
import { refuse } from './refusal.ts'
import type { Accept } from './tensor.ts'

/** Refuses an option that an op doesn't have: it would be ignored in silence. */
export const knownOptions = (op: string, given: object, known: readonly string[]): void => {
  const stranger = Object.keys(given).find((name) => !known.includes(name))
  if (stranger !== undefined) refuse(noOption(op, stranger, known.join(', ')))
}

/**
 * The same for the types: options of a generic type, of which the compiler would take any others too, or the message about those that
 * the op doesn't have, to which nothing can be assigned.
 */
export type KnownOptions<Op extends string, Given, Known extends readonly string[]> = Accept<
  Given,
  Exclude<keyof Given, Known[number]> extends infer Name extends string ? ([Name] extends [never] ? '' : NoOption<Op, Name, Listed<Known>>)
    : ''
>
type Listed<Names extends readonly string[]> = Names extends readonly [infer Name extends string, ...infer Rest extends readonly string[]]
  ? Rest extends readonly [] ? Name : `${Name}, ${Listed<Rest>}`
  : ''
