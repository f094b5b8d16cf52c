import * as say from './messages.ts'
import { refuse } from './refusal.ts'

/** Refuses options that an op doesn't have: nothing that is given is ignored. */
export const knownOptions = (op: string, given: object, known: readonly string[]): void => {
  const stranger = Object.keys(given).find((key) => !known.includes(key))
  if (stranger !== undefined) refuse(say.noOption(op, stranger, known.join(', ')))
}
