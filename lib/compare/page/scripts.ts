import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Html, raw } from './html.ts'

/** The page's own script and Chart.js, to be put into it: the page needs nothing else, and no network. */
export const scripts = async (): Promise<Html> =>
  raw(`<script>${inlined(await chartLibrary())}</script>\n<script type="module">${inlined(await browserScript())}</script>`)

/** The code of Chart.js, for a page that brings it along. */
export const chartLibrary = (): Promise<string> => {
  const entry = createRequire(import.meta.url).resolve('chart.js')
  return readFile(join(dirname(entry), 'chart.umd.min.js'), 'utf8')
}

/** In the package it is JavaScript already. */
const browserScript = async (): Promise<string> => {
  if (!import.meta.url.endsWith('.ts')) return readFile(new URL('./browser.js', import.meta.url), 'utf8')
  const { default: ts } = await import('typescript')
  const source = await readFile(new URL('./browser.ts', import.meta.url), 'utf8')
  return ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } }).outputText
}

/** Code can't end its element, and doesn't ask for a map of its source that is not there. */
const inlined = (code: string): string => code.replace(/^\/\/# sourceMappingURL=.*$/gm, '').replace(/<\/script/gi, '<\\/script')
