import { defineCommand } from 'citty'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import colours from 'picocolors'
import { check, type Mistake } from '../check/check.ts'
import { type Fault, refused } from '../fault.ts'
import { jsonArgument } from './arguments.ts'
import { finish } from './finish.ts'

export default defineCommand({
  meta: { name: 'check', description: 'Type-check a program and show each mistake at its source line, in one sentence' },
  args: { program: { type: 'positional', required: true, description: 'a program file', valueHint: 'PROGRAM' }, ...jsonArgument },
  run: ({ args }) =>
    finish(pipe(
      TE.fromEither(check(args.program)),
      TE.chainEitherK((mistakes): E.Either<Fault, string> => {
        if (args.json) process.stdout.write(`${JSON.stringify(mistakes, null, 2)}\n`)
        else if (mistakes.length > 0) process.stdout.write(`${mistakes.map(printMistake).join('\n\n')}\n\n`)
        return mistakes.length === 0
          ? E.right(args.json ? '' : `${args.program}: no mistakes`)
          : E.left(refused(`${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'}`, args.program))
      }),
    )),
})

/** The source line, the stage at fault underlined, and the sentence. */
const printMistake = ({ file, line, source, from, to, message }: Mistake): string => {
  const number = `${line}  `
  const indent = source.length - source.trimStart().length
  const underline = `${' '.repeat(number.length + from - indent)}${'~'.repeat(Math.max(1, to - from))}`
  return `${colours.bold(`${file}:${line}`)}\n${colours.dim(number)}${source.trim()}\n${colours.red(underline)}\n${message}`
}
