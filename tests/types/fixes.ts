import { readFileSync } from 'node:fs'
import type { Written } from './corpus.ts'

/** Applies the fix that a message proposes to the text of a program, as its reader would. */

/** A program as a file of its own: its imports and constants, and itself. */
export const alone = ({ file, from, to }: Written): string => {
  const lines = readFileSync(file, 'utf8').split('\n')
  const head = lines.slice(0, lines.findIndex((line) => line.startsWith('export ')))
  return [...head, ...lines.slice(from - 1, to - 1)].join('\n')
    .replace(
      /import \{([^}]*)\} from '#lib\/mod.ts'/,
      (_, names: string) => `import { ${union(names, ['layout', 'sumOver'])} } from '#lib/mod.ts'`,
    )
    .replace(
      /import \{([^}]*)\} from '#ops\/mod.ts'/,
      (_, names: string) => `import { ${union(names, ['add', 'cast', 'contract'])} } from '#ops/mod.ts'`,
    )
}
const union = (names: string, more: readonly string[]): string =>
  [...new Set([...names.split(',').map((name) => name.trim()).filter((name) => name !== ''), ...more])].join(', ')

/** One thing to write: on which operand of which op. */
interface Step {
  readonly op: string
  readonly side: string
  readonly write: string
}

/** Every way to follow the fix of a sentence; none where it proposes nothing. */
export const fixesIn = (sentence: string): readonly (readonly Step[])[] => {
  const [, fix] = sentence.split('; fix: ')
  if (fix === undefined) return []
  const op = /^\w+/.exec(sentence)![0]
  if (fix.startsWith('contract(')) return alternatives(/, then (.*), then /.exec(fix)![1]!).map((write) => [{ op, side: 'sum', write }])
  if (fix.endsWith(' at the end')) return [[{ op, side: 'end', write: fix.slice(0, -' at the end'.length) }]]
  const [proposed, otherwise] = fix.split(' before it')
  const steps = proposed!.split(' and ').map((part) => {
    const [, writes, side] = /^(.*?)(?: on the (\w+))?$/.exec(part)!
    return { side: side ?? 'input', writes: alternatives(writes!) }
  })
  const ways = steps[0]!.writes.map((_, i) => steps.map(({ side, writes }) => ({ op, side, write: writes[i]! })))
  const [, second] = /^ \(or ('.*')\)$/.exec(otherwise ?? '') ?? []
  return second === undefined ? ways : [...ways, [{ op, side: steps[0]!.side, write: `layout(${second})` }]]
}
const alternatives = (text: string): readonly string[] => text.split(' or ')

/** How the operand of a side is written in a stage. */
const operands: { readonly [side: string]: readonly RegExp[] } = {
  left: [/(?<=where\()(\w+)/],
  right: [/(?<=where\(.*, )(\w+)(?=\)+,?$)/, /(?<=concat\('\w+', )(\w+)/, /(?<=\w+\()(\w+)/],
  weight: [/(?<=weight: )(\w+)/, /(?<=linear\()(\w+)/],
  bias: [/(?<=bias: )(\w+)/],
  scale: [/(?<=scale: )(\w+)/],
  shift: [/(?<=shift: )(\w+)/],
  mask: [/(?<=mask: )(\w+)/],
  key: [/(?<=\)\()(\w+)/],
  value: [/(?<=\)\(\w+, )(\w+)/, /(?<=\)\(pipe\(\w+, \w+\('[^']*'\)\), )(\w+)/],
  index: [/(?<=gather\('\w+', )(\w+)/, /(?<=scatterAdd\('\w+:\d+', )(\w+)/],
  labels: [/(?<=crossEntropy\('\w+', )(\w+)/],
}

/** The text with a way followed at the stage in the given line (counted from 1). */
export const follow = (text: string, line: number, way: readonly Step[]): string => {
  const lines = text.split('\n')
  const at = line - 1
  // From the last operand on, so that those in front stay where they are.
  for (const { op, side, write } of [...way].reverse()) {
    const stage = lines[at]!
    const found = operands[side]?.find((written) => written.test(stage))
    if (side === 'end') lines[at] = stage.replace(/\),$/, `, ${write}),`)
    else if (side === 'sum') {
      lines[at] = stage.replace(/linear\(\{ weight: (\w+), bias: (\w+) \}, ('.*?')\)/, `contract($1, $3), ${write}, add($2)`)
    } else if (side === 'result') lines[at] = stage.replace(/(residual\(.*?)(\){3}|\),)$/, `$1, ${write}$2`)
    else if (found !== undefined) lines[at] = stage.replace(found, `pipe($1, ${write})`)
    else lines[at] = stage.replace(new RegExp(`(?<=^.*)\\b${op}\\b(?!.*\\b${op}\\b)`), (stage) => `${write}, ${stage}`)
  }
  return lines.join('\n')
}
