import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Case, edgeGroups, type Either, type Entry } from './edges.ts'
import { measured } from './functions.ts'

/** The parts of `docs/numbers.md` that are made from the tests' data, and how they get there. */

const file = fileURLToPath(new URL('../../docs/numbers.md', import.meta.url))
export const readDocument = (): string => readFileSync(file, 'utf8')

const [opening, closing] = [(part: string) => `<!-- ${part} -->\n`, (part: string) => `<!-- end of ${part} -->`]

/** What stands between the marks of a part. */
export const partOf = (document: string, part: string): string => {
  const [from, to] = [document.indexOf(opening(part)), document.indexOf(closing(part))]
  if (from < 0 || to < from) throw new Error(`docs/numbers.md has no marks of '${part}'`)
  return document.slice(from + opening(part).length, to)
}

/** Puts text between the marks of a part. */
export const writePart = (part: string, text: string): void => {
  const document = readDocument()
  const from = document.indexOf(opening(part)) + opening(part).length
  writeFileSync(file, document.slice(0, from) + text + document.slice(from + partOf(document, part).length))
}

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')

// ---- edges ---------------------------------------------------------------------------------------------------------

const shortest = (x: number): string => {
  const single = Math.fround(x)
  if (Object.is(single, -0)) return '-0'
  if (Math.abs(single) === Infinity) return single > 0 ? '∞' : '-∞'
  if (!Number.isFinite(x) || (Number.isInteger(x) && Math.abs(x) < 2 ** 32)) return String(x)
  const power = Math.log2(Math.abs(x))
  if (Number.isInteger(power) && Math.abs(power) > 20) return `${x < 0 ? '-' : ''}2^${power}`
  return String(Number(x.toPrecision(6))).replace(/^(-?)1(0{10,})$/, (_, sign: string, zeros: string) => `${sign}1e+${zeros.length}`)
}

const entryText = (entry: Entry | Either, truth: boolean): string =>
  typeof entry === 'number'
    ? truth ? entry === 0 ? 'false' : 'true' : shortest(entry)
    : 'either' in entry
    ? entry.either.map(shortest).join(' or ')
    : `[${entry.map(shortest).join(', ')}]`

const truths = ['less', 'lessOrEqual', 'equal', 'greater', 'greaterOrEqual', 'cast to bool', 'not', 'and', 'or']

const caseText = (one: Case, truth: boolean): string => {
  const given = (one.slice(0, -1) as Entry[]).map((entry) => entryText(entry, false)).join(', ')
  return `${given} → ${entryText(one.at(-1)!, truth)}`
}

/** Every rule that the tests hold all backends to. */
export const edgesTable = (): string =>
  table(
    ['op', 'elements', 'operands → result'],
    edgeGroups.map(({ op, of, cases }) => [op, of.join(', '), cases.map((one) => caseText(one, truths.includes(op))).join('; ')]),
  )

// ---- errors --------------------------------------------------------------------------------------------------------

/** The errors that the tests hold WebGPU to. */
export const boundsTable = (): string => table(['function', 'at most, in ulp'], measured.map(({ name, bound }) => [name, String(bound)]))
