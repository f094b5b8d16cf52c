import process from 'node:process'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import colours from 'picocolors'
import { type Fault, sentence } from '../fault.ts'

/** Exit codes: 0 all is well, 1 the program or the run failed, 2 the command line cannot be used. */
export const exitCode = (fault: Fault): number => fault.tag === 'Usage' ? 2 : 1

/** Runs a command to its end: prints what it gives, or one sentence on standard error, and sets the exit code. */
export const finish = async (command: TaskEither<Fault, string>): Promise<void> => {
  const result = await command()
  if (E.isRight(result)) {
    if (result.right !== '') process.stdout.write(`${result.right}\n`)
    return
  }
  process.stderr.write(`${colours.red('error')} ${sentence(result.left)}\n`)
  process.exitCode = exitCode(result.left)
}
