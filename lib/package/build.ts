import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import process from 'node:process'
import ts from 'typescript'

/**
 * Builds the npm package: .js and .d.ts of lib, ops and backends under dist/. The sources name each other with `.ts` and
 * with `#lib/…`; in the package both become relative paths to `.js`, which every resolver understands.
 */
const home = fileURLToPath(new URL('../../', import.meta.url))
const out = join(home, 'dist')
const rooms = ['lib', 'ops', 'backends'] as const

const sourcesIn = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts')).map((entry) =>
    join(entry.parentPath ?? entry.path, entry.name)
  )
}

/** `#lib/fault.ts` and `./fault.ts`, as seen from a file of the package. */
const rewritten = (text: string, path: string): string =>
  text.replace(/(['"])(#(?:lib|ops|backends)\/|\.\.?\/)([^'"\n]*?)\.ts\1/g, (_, quote: string, start: string, rest: string) => {
    const target = start.startsWith('#') ? relative(dirname(path), join(out, start.slice(1), rest)) : `${start}${rest}`
    return `${quote}${target.startsWith('.') ? target : `./${target}`}.js${quote}`
  })

const sources = (await Promise.all(rooms.map((room) => sourcesIn(join(home, room))))).flat()
const { config } = ts.readConfigFile(join(home, 'tsconfig.json'), ts.sys.readFile) as { config: { compilerOptions: object } }
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, home)
const program = ts.createProgram([...sources], {
  ...options,
  noEmit: false,
  declaration: true,
  outDir: out,
  rootDir: home,
  allowImportingTsExtensions: false,
  rewriteRelativeImportExtensions: true,
})
// 2877 says that `#lib/….ts` stays as it is; it is rewritten below.
const problems = ts.getPreEmitDiagnostics(program).filter(({ code }) => code !== 2877)
if (problems.length > 0) {
  process.stderr.write(
    ts.formatDiagnostics(problems, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => home, getNewLine: () => '\n' }),
  )
  process.exit(1)
}
await rm(out, { recursive: true, force: true })
const written: Promise<void>[] = []
program.emit(undefined, (name, text) => {
  const path = resolve(name)
  written.push(mkdir(dirname(path), { recursive: true }).then(() => writeFile(path, rewritten(text, path))))
})
await Promise.all(written)
// Data that modules read beside themselves.
for (const folder of ['lib/cluster/known']) await cp(join(home, folder), join(out, folder), { recursive: true })
process.stdout.write(
  `dist: ${sources.length} modules, ${(await readFile(join(home, 'package.json'), 'utf8')).match(/"version": "([^"]+)"/)?.[1]}\n`,
)
