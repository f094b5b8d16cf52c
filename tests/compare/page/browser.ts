import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import type { Duplex } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { cacheFolders } from '#backends/webgpu/driver.ts'

/**
 * A real browser for tests: the headless Chromium of the optional package `@sparticuz/chromium`, which also carries the
 * software driver. Its DevTools protocol goes over two pipes, so that no library is needed to speak it.
 */

type Json = Readonly<Record<string, unknown>>

export interface Page {
  /** Calls a method of the DevTools protocol, such as `Runtime.evaluate`. */
  readonly call: (method: string, parameters?: Json) => Promise<Json>
  /** The value of an expression in the page, which must be JSON; a promise is waited for. */
  readonly evaluate: <A>(expression: string) => Promise<A>
  /** Shows a page of so many pixels, light or dark, and waits until it has been drawn. */
  readonly show: (html: string, width: number, height: number, scheme: 'light' | 'dark') => Promise<void>
  /** A picture of the whole page, as PNG. */
  readonly picture: () => Promise<Uint8Array>
  /** What was told on the console or thrown, and what was asked of a network, since the page was shown. */
  readonly complaints: string[]
  readonly requests: string[]
}

/** Chromium, unpacked once into the cache that the driver has too; or why there is none. */
const chromium = async (): Promise<{ readonly path: string; readonly libraries: string; readonly fonts: string } | string> => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the packed browser is for Linux on x64'
  let archives: string
  try {
    archives = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../../bin')
  } catch {
    return "the optional package '@sparticuz/chromium' is not installed"
  }
  if (!existsSync(join(archives, 'chromium.br'))) return 'the package has no browser'
  const cache = cacheFolders()[0]!
  const folder = join(cache, 'chromium-147')
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true })
    const own = mkdtempSync(join(cache, 'unpacking-'))
    writeFileSync(join(own, 'chromium'), brotliDecompressSync(readFileSync(join(archives, 'chromium.br'))), { mode: 0o755 })
    for (const name of ['al2023', 'fonts']) await unpack(readFileSync(join(archives, `${name}.tar.br`)), own)
    try {
      renameSync(own, folder)
    } catch (error) {
      // Another test was quicker.
      rmSync(own, { recursive: true, force: true })
      if (!existsSync(folder)) throw error
    }
  }
  return { path: join(folder, 'chromium'), libraries: join(folder, 'lib'), fonts: folder }
}

const unpack = async (archive: Uint8Array, folder: string): Promise<void> => {
  const tar = extract()
  const ended = new Promise<void>((resolve, reject) => {
    tar.on('error', reject)
    tar.on('finish', resolve)
  })
  tar.on('entry', ({ name, type }, stream, next) => {
    const chunks: Uint8Array[] = []
    stream.on('data', (chunk: unknown) => chunks.push(chunk as Uint8Array))
    stream.on('end', () => {
      if (type === 'file') {
        mkdirSync(dirname(join(folder, name)), { recursive: true })
        writeFileSync(join(folder, name), Buffer.concat(chunks))
      }
      next()
    })
  })
  tar.end(brotliDecompressSync(archive))
  await ended
}

/** Opens the browser for as long as it is used. Says why where it can't be opened. */
export const withBrowser = async (use: (page: Page) => Promise<void>): Promise<string | null> => {
  const found = await chromium()
  if (typeof found === 'string') return found
  const profile = mkdtempSync(join(tmpdir(), 'shardwise-browser-'))
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars', '--no-first-run']
  const browser = spawn(found.path, [...flags, '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      LD_LIBRARY_PATH: [process.env['LD_LIBRARY_PATH'], found.libraries].filter((path) => path).join(':'),
      FONTCONFIG_PATH: found.fonts,
    },
  })
  const ended = new Promise<void>((resolve) => {
    browser.on('exit', () => resolve())
    browser.on('error', () => resolve())
  })
  try {
    const page = await Promise.race([openPage(browser, profile), ended.then(() => 'the packed browser does not start on this machine')])
    if (typeof page === 'string') return page
    await use(page)
    return null
  } finally {
    browser.kill('SIGKILL')
    await ended
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}

const openPage = async (browser: ChildProcess, folder: string): Promise<Page> => {
  const [toBrowser, fromBrowser] = [browser.stdio[3], browser.stdio[4]] as unknown as readonly [Duplex, Duplex]
  // The browser may be gone before it has read what it is told last.
  toBrowser.on('error', () => undefined)
  const waiting = new Map<number, { readonly resolve: (result: Json) => void; readonly reject: (error: Error) => void }>()
  const complaints: string[] = []
  const requests: string[] = []
  let [count, shown, rest] = [0, 0, '']
  let onLoad = (): void => undefined
  const hear = ({ id, method, params = {}, result, error }: Json & { readonly params?: Json }): void => {
    if (typeof id === 'number') {
      const call = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) call?.resolve(result as Json)
      else call?.reject(new Error(JSON.stringify(error)))
    } else if (method === 'Page.loadEventFired') onLoad()
    else if (method === 'Network.requestWillBeSent') requests.push((params['request'] as { readonly url: string }).url)
    else if (method === 'Runtime.consoleAPICalled' || method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') {
      complaints.push(JSON.stringify(params))
    }
  }
  fromBrowser.on('data', (data: Uint8Array) => {
    const messages = `${rest}${new TextDecoder().decode(data)}`.split('\0')
    rest = messages.pop()!
    for (const message of messages) hear(JSON.parse(message) as Json)
  })
  const callOn = (sessionId: string | undefined, method: string, params: Json): Promise<Json> =>
    new Promise((resolve, reject) => {
      const id = ++count
      waiting.set(id, { resolve, reject })
      toBrowser.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    })
  const { targetId } = await callOn(undefined, 'Target.createTarget', { url: 'about:blank' })
  const attached = await callOn(undefined, 'Target.attachToTarget', { targetId, flatten: true })
  const call: Page['call'] = (method, parameters = {}) => callOn(attached['sessionId'] as string, method, parameters)
  const evaluate = async <A>(expression: string): Promise<A> => {
    const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return (result as { readonly value: A }).value
  }
  for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await call(`${domain}.enable`)
  const show: Page['show'] = async (html, width, height, scheme) => {
    await call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 })
    await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
    const path = join(folder, `page-${++shown}.html`)
    writeFileSync(path, html)
    complaints.length = requests.length = 0
    const loaded = new Promise<void>((resolve) => (onLoad = resolve))
    await call('Page.navigate', { url: pathToFileURL(path).href })
    await loaded
    await evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))')
    // The page itself is no request of its own.
    requests.splice(0, 1)
  }
  const picture = async (): Promise<Uint8Array> => {
    const { data } = await call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true })
    return Buffer.from(data as string, 'base64')
  }
  return { call, evaluate, show, picture, complaints, requests }
}
