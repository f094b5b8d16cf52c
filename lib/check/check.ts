import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import ts from 'typescript'
import { type Fault, usage } from '../fault.ts'

/** One mistake that the type checker found. */
export interface Mistake {
  readonly file: string
  readonly line: number
  /** The source line, and where in it the faulty stage begins and ends. */
  readonly source: string
  readonly from: number
  readonly to: number
  readonly message: string
}

/** The compiler options of a strict program that imports `.ts` files: what Shardwise's types need. */
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  types: ['node'],
}

/**
 * Type-checks a program through TypeScript's API. Of each layout mistake it keeps our sentence, which the compiler prints on
 * the third line of its own message, and the stage at fault; other type errors keep the compiler's words.
 */
export const check = (path: string): E.Either<Fault, readonly Mistake[]> => {
  const file = resolve(path)
  if (!ts.sys.fileExists(file)) return E.left(usage(`${path}: there is no such file`))
  const home = fileURLToPath(new URL('../../', import.meta.url))
  const typeRoots = [resolve(dirname(file), 'node_modules/@types'), resolve(home, 'node_modules/@types')].filter((folder) =>
    ts.sys.directoryExists(folder)
  )
  const program = ts.createProgram([file], { ...options, typeRoots, types: typeRoots.length > 0 ? ['node'] : [] })
  return E.right(ts.getPreEmitDiagnostics(program).flatMap((diagnostic) => mistakesOf(diagnostic)))
}

const mistakesOf = (diagnostic: ts.Diagnostic): readonly Mistake[] => {
  const { file, start = 0, length = 0 } = diagnostic
  if (file === undefined) {
    return [{ file: '', line: 0, source: '', from: 0, to: 0, message: ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ') }]
  }
  const { line, character } = file.getLineAndCharacterOfPosition(start)
  const source = file.text.split('\n')[line] ?? ''
  return [{
    file: relative(process.cwd(), file.fileName),
    line: line + 1,
    source,
    from: character,
    to: Math.min(source.length, character + length),
    message: sentenceIn(diagnostic.messageText),
  }]
}

/** Our sentence inside the compiler's: the string literal type to which something cannot be assigned. */
const sentenceIn = (message: string | ts.DiagnosticMessageChain): string => {
  const whole = ts.flattenDiagnosticMessageText(message, '\n')
  const [, ours] = /(?:to type|of type) '"((?:[^"\\]|\\.)*)"'/.exec(whole) ?? []
  return ours === undefined ? whole.split('\n')[0]! : ours.replaceAll('\\"', '"')
}
