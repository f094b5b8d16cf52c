import * as say from '../language/messages.ts'
import { refuse } from '../language/refusal.ts'
import { knownOptions, mustBe, notNegative } from '../language/options.ts'

/** What is different for some parameters. */
export interface Group {
  /** In the place of the optimiser's weight decay. */
  readonly weightDecay?: number
  /** What the rate is multiplied by. */
  readonly rateFactor?: number
}

/**
 * Groups by patterns of the parameters' dotted names, where `*` stands for any characters, dots too: `'*.bias'`. A parameter
 * may be in several; later ones have the last word, option by option.
 */
export type Groups = Readonly<Record<string, Group>>

/** The options of one parameter. */
export const optionsFor = (groups: Groups, name: string, weightDecay: number): Required<Group> =>
  Object.entries(groups).reduce<Required<Group>>(
    (options, [pattern, group]) => matches(pattern, name) ? { ...options, ...group } : options,
    { weightDecay, rateFactor: 1 },
  )

/** Refuses groups that are no parameter's, and options that are none or out of range. */
export const checkGroups = (optimiser: string, groups: Groups, names: readonly string[]): void => {
  for (const [pattern, group] of Object.entries(groups)) {
    const of = `${optimiser}: group '${pattern}'`
    if (!names.some((name) => matches(pattern, name))) refuse(say.groupOfNone(optimiser, pattern, listed(names)))
    knownOptions(of, group, ['weightDecay', 'rateFactor'])
    for (const [option, value] of Object.entries(group)) mustBe(notNegative, of, option, value)
  }
}

/** Names for a sentence: all of them, or the first few and how many more. */
export const listed = (names: readonly string[], most = 12): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`

/** Whether a name is of a pattern: its parts between the stars follow one another, the first at the start, the last at the end. */
const matches = (pattern: string, name: string): boolean => {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return name === pattern
  if (!name.startsWith(first)) return false
  let from = first.length
  for (const part of rest) {
    const at = name.indexOf(part, from)
    if (at < 0) return false
    from = at + part.length
  }
  return name.length - last.length >= from && name.endsWith(last)
}
