import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isProgram, type Program } from '#lib/language/program.ts'

/**
 * The programs under `wrong`, `right` and `hidden`: ordinary files that export programs by name. A wrong program says
 * in a comment, on the line above its fault, the one sentence that the types and the trace must both say there:
 *
 *     // ✗ softmax needs dim 't' whole, but it is @sp; …
 *     softmax('t')
 */
export interface Written {
  readonly file: string
  readonly name: string
  /** The lines of the program in its file. */
  readonly from: number
  readonly to: number
  readonly fault: { readonly line: number; readonly sentence: string } | undefined
}

export const home = fileURLToPath(new URL('../../', import.meta.url))
const here = fileURLToPath(new URL('.', import.meta.url))

export type Folder = 'wrong' | 'right' | 'hidden'

/** The files of a folder. */
export const filesOf = (folder: Folder): readonly string[] =>
  readdirSync(join(here, folder)).filter((name) => name.endsWith('.ts')).sort().map((name) => join(here, folder, name))

/** The programs of a file, in its order. */
export const programsOf = (file: string, text = readFileSync(file, 'utf8')): readonly Written[] => {
  const lines = text.split('\n')
  const starts = lines.flatMap((line, i) => {
    const [, name] = /^export const (\w+) = program\(/.exec(line) ?? []
    return name === undefined ? [] : [{ name, from: i + 1 }]
  })
  return starts.map(({ name, from }, i) => {
    const to = starts[i + 1]?.from ?? lines.length + 1
    const said = lines.slice(from - 1, to - 1).findIndex((line) => line.includes('// ✗ '))
    return {
      file, name, from, to,
      fault: said < 0 ? undefined : { line: from + said + 1, sentence: lines[from - 1 + said]!.split('// ✗ ')[1]! },
    }
  })
}

export const corpus = (folder: Folder): readonly Written[] => filesOf(folder).flatMap((file) => programsOf(file))

export const titleOf = ({ file, name }: Written): string => `${basename(file, '.ts')}: ${name}`

/** The program itself; a wrong one comes as well, since nothing checks types when it is loaded. */
export const load = async ({ file, name }: Written): Promise<Program> => {
  const found = (await import(pathToFileURL(file).href) as Record<string, unknown>)[name]
  if (!isProgram(found)) throw new Error(`${file} exports no program ${name}`)
  return found
}
