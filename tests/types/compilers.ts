import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import ts from 'typescript'
import { home } from './corpus.ts'

/** What a compiler says about one place of a file. */
export interface Diagnostic {
  readonly file: string
  readonly line: number
  readonly text: string
}

const config = ts.getParsedCommandLineOfConfigFile(join(home, 'tsconfig.json'), {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} })
export const options: ts.CompilerOptions = config?.options ?? {}

/** A program of the compiler's for all of the files; `texts` are files that exist nowhere else. */
export const compilerOf = (files: readonly string[], texts: ReadonlyMap<string, string> = new Map()): ts.Program => {
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists, getSourceFile } = host
  host.fileExists = (file) => texts.has(file) || fileExists(file)
  host.readFile = (file) => texts.get(file) ?? readFile(file)
  host.getSourceFile = (file, language, ...rest) => {
    const text = texts.get(file)
    return text === undefined ? getSourceFile(file, language, ...rest) : ts.createSourceFile(file, text, language)
  }
  return ts.createProgram([...files, ...texts.keys()], options, host)
}

/** What TypeScript 6 says about the given files of a compiler's program. */
export const diagnose = (compiler: ts.Program, files: readonly string[]): readonly Diagnostic[] => files.flatMap((file) => {
  const source = compiler.getSourceFile(file)
  if (source === undefined) throw new Error(`${file} is not part of the program`)
  return [...compiler.getSyntacticDiagnostics(source), ...compiler.getSemanticDiagnostics(source)].map(({ start = 0, messageText }) => ({
    file, line: source.getLineAndCharacterOfPosition(start).line + 1, text: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }))
})

const binOf = (name: string, bin: string): string => join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), bin)
const node = process.versions['deno'] === undefined ? process.execPath : 'node'

/** Runs a command line tool under Node and gives back what it printed, without colours. */
const printed = (script: string, args: readonly string[]): string => {
  const { stdout, stderr, error } = spawnSync(node, [script, ...args], { cwd: home, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })
  if (error !== undefined) throw error
  return `${stdout}\n${stderr}`
}

export const tsc6 = (...args: readonly string[]): string => printed(binOf('typescript', 'bin/tsc'), args)
export const tsc7 = (...args: readonly string[]): string => printed(binOf('typescript-7', 'bin/tsc'), args)
export const deno = (...args: readonly string[]): string => printed(binOf('deno', 'bin.cjs'), args)

/** Runs something in a folder of the checkout (so that imports resolve) that is gone afterwards. */
export const inFolder = async <A>(run: (folder: string) => A | Promise<A>): Promise<A> => {
  mkdirSync(join(home, 'dist'), { recursive: true })
  const folder = mkdtempSync(join(home, 'dist', 'types-'))
  try {
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Writes a tsconfig for the files into the folder. */
export const writeConfig = (folder: string, files: readonly string[]): string => {
  const path = join(folder, 'tsconfig.json')
  writeFileSync(path, JSON.stringify({ extends: join(home, 'tsconfig.json'), include: [], exclude: [], files }))
  return path
}

/** What TypeScript 7 says about the files. */
export const diagnose7 = (files: readonly string[]): Promise<readonly Diagnostic[]> => inFolder((folder) => {
  const found: { file: string; line: number; text: string }[] = []
  for (const line of tsc7('-p', writeConfig(folder, files), '--pretty', 'false').split('\n')) {
    const [, file, row, text] = /^([^( ].*?)\((\d+),\d+\): error (.*)$/.exec(line) ?? []
    if (file !== undefined) found.push({ file: resolve(home, file), line: Number(row), text: text! })
    else if (line.startsWith('  ') && found.length > 0) found.at(-1)!.text += `\n${line}`
  }
  return found
})

/** What `deno check` says about the files. */
export const diagnoseDeno = (files: readonly string[]): Promise<readonly Diagnostic[]> => inFolder((folder) => {
  const all = join(folder, 'all.ts')
  writeFileSync(all, files.map((file) => `import ${JSON.stringify(file)}\n`).join(''))
  return deno('check', all).split(/^(?=TS\d+ \[ERROR\]: )/m).flatMap((text) => {
    const [, file, row] = /^ {4}at file:\/\/(.*?):(\d+):\d+$/m.exec(text) ?? []
    return file === undefined || !text.startsWith('TS') ? [] : [{ file: decodeURI(file), line: Number(row), text }]
  })
})

/** A file's lines, for tests that look at them. */
export const linesOf = (file: string): readonly string[] => readFileSync(file, 'utf8').split('\n')
