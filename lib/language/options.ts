import { type NoOption, noOption, numberOutside } from './messages.ts'
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

// ---- numbers -----------------------------------------------------------------------------------------------------------

/** What a number among the options must be: a test, and the words for it. */
export interface NumberRule {
  readonly words: string
  readonly holds: (value: number) => boolean
}

export const positive: NumberRule = { words: 'a finite number above 0', holds: (value) => Number.isFinite(value) && value > 0 }
export const notNegative: NumberRule = { words: 'a finite number from 0 up', holds: (value) => Number.isFinite(value) && value >= 0 }
export const belowOne: NumberRule = { words: 'a number from 0 up to but not including 1', holds: (value) => value >= 0 && value < 1 }
export const finite: NumberRule = { words: 'a finite number', holds: Number.isFinite }
export const wholeFrom = (least: number): NumberRule => ({
  words: `a whole number from ${least} up`,
  holds: (value) => Number.isInteger(value) && value >= least,
})

/** What is wrong with an option that is to be such a number: a sentence, or undefined. `fix` says what else to do. */
export const numberFault = (rule: NumberRule, of: string, option: string, value: unknown, fix?: string): string | undefined =>
  typeof value === 'number' && rule.holds(value) ? undefined : numberOutside(of, option, printed(value), rule.words, fix)

/** Refuses an option that is not such a number. */
export const mustBe = (rule: NumberRule, of: string, option: string, value: unknown, fix?: string): void => {
  const fault = numberFault(rule, of, option, value, fix)
  if (fault !== undefined) refuse(fault)
}

const printed = (value: unknown): string => typeof value === 'number' ? String(value) : JSON.stringify(value) ?? typeof value
