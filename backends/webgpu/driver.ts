import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import process from 'node:process'
import { brotliDecompressSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { extract } from 'tar-stream'
import { device, type Fault } from '#lib/fault.ts'

/**
 * The bundled software Vulkan driver: SwiftShader and the Vulkan loader as they come in the npm package
 * `@sparticuz/chromium` (an optional dependency, Linux x64). Unpacked once into a cache folder, then loaded into this
 * process; nothing is installed and nothing is fetched.
 */

const require = createRequire(import.meta.url)

/** sha256 of `bin/swiftshader.tar.br` in version 147.0.0: no other archive is ever loaded. */
const knownArchive = 'f957ea867313f9815b71dc2ed30cce301e01db4f3973fbdb31ffa5391b0ec45a'

const loaderFile = 'libvulkan.so.1'
const manifestFile = 'vk_swiftshader_icd.json'
const wantedFiles = [loaderFile, manifestFile, 'libvk_swiftshader.so']

export interface Driver {
  readonly loader: string
  readonly manifest: string
}

const message = (error: unknown): string => error instanceof Error ? error.message : String(error)

const missing = (why: string): Fault => device(`the bundled software driver cannot be used: ${why}`)

const archivePath = (): string | null => {
  try {
    const entry = require.resolve('@sparticuz/chromium')
    for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
      const path = join(folder, 'bin', 'swiftshader.tar.br')
      if (existsSync(path)) return path
    }
  } catch { /* not installed */ }
  return null
}

/** Folders that may hold the cache: beside the packages, else the system's temporary folder, there only if it is ours. */
export const cacheFolders = (): readonly string[] => {
  const dawn = require.resolve('webgpu')
  const packages = dawn.lastIndexOf('node_modules')
  return [
    ...(packages < 0 ? [] : [join(dawn.slice(0, packages), 'node_modules', '.cache', 'shardwise')]),
    join(tmpdir(), `shardwise-${process.getuid?.() ?? 'user'}`),
  ]
}

const unpackInto = async (folder: string, archive: Uint8Array): Promise<void> => {
  const tar = extract()
  const ended = new Promise<void>((resolve, reject) => {
    tar.on('error', reject)
    tar.on('finish', resolve)
  })
  tar.on('entry', (header, stream, next) => {
    const chunks: Uint8Array[] = []
    stream.on('data', (chunk: unknown) => chunks.push(chunk as Uint8Array))
    stream.on('end', () => {
      const name = basename(header.name)
      if (wantedFiles.includes(name)) writeFileSync(join(folder, name), Buffer.concat(chunks), { mode: 0o755 })
      next()
    })
  })
  tar.end(brotliDecompressSync(archive))
  await ended
}

/**
 * Several ranks start at once and all may find the cache empty: each unpacks into a folder of its own and renames it
 * into place; the first one wins and the others throw theirs away.
 */
const unpackOnce = async (cache: string, archive: Uint8Array): Promise<string> => {
  const folder = join(cache, `swiftshader-${knownArchive.slice(0, 16)}`)
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const owner = process.getuid?.()
  if (owner !== undefined && owner !== 0 && statSync(cache).uid !== owner) throw new Error(`${cache} belongs to another user`)
  if (existsSync(folder)) return folder
  const own = mkdtempSync(join(cache, 'unpacking-'))
  try {
    await unpackInto(own, archive)
    renameSync(own, folder)
  } catch (error) {
    rmSync(own, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/**
 * Where the bundled driver's files lie, unpacking them first if need be: into the first of the cache folders that can
 * be used.
 */
export const bundledDriver = async (folders: readonly string[] = cacheFolders()): Promise<E.Either<Fault, Driver>> => {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return E.left(missing(`it is made for Linux on x64, and this is ${process.platform} on ${process.arch}`))
  }
  const path = archivePath()
  if (path === null) return E.left(missing("the optional package '@sparticuz/chromium' is not installed"))
  let why = 'no cache folder'
  for (const cache of folders) {
    try {
      const archive = readFileSync(path)
      const sum = createHash('sha256').update(archive).digest('hex')
      if (sum !== knownArchive) return E.left(missing(`${path} has checksum ${sum.slice(0, 16)}…, not that of version 147.0.0`))
      const folder = await unpackOnce(cache, archive)
      return E.right({ loader: join(folder, loaderFile), manifest: join(folder, manifestFile) })
    } catch (error) {
      why = message(error)
    }
  }
  return E.left(missing(why))
}

/**
 * Loads a shared library so that later loads of the same name find it: the bundled loader calls itself libvulkan.so.1,
 * which is the name Dawn asks for. Says whether it was there.
 */
export const loadLibrary = (path: string): E.Either<string, void> => {
  try {
    const koffi = require('koffi') as { load: (path: string) => unknown }
    loaded.push(koffi.load(path))
    return E.right(undefined)
  } catch (error) {
    return E.left(message(error))
  }
}

/** Handles are kept: a library must outlive everything that uses it. */
const loaded: unknown[] = []

/** Whether Vulkan is installed on this system. Asked before Dawn is, which would complain on stderr. */
export const systemHasVulkan = (): boolean => process.platform !== 'linux' || E.isRight(loadLibrary(loaderFile))
