import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import process from 'node:process'
import { setImmediate } from 'node:timers/promises'
import { pipe } from 'fp-ts/lib/function.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type Fault, file, fileFault } from '../fault.ts'

/** Files that are there whole or not at all, whatever happens to the process or the machine. */

/** The most bytes that are handed to the system at once: it takes no more than 2 GiB, and others want a turn in between. */
const chunkBytes = 2 ** 24

const chunksOf = function* (parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += chunkBytes) yield part.subarray(at, at + chunkBytes)
  }
}

/**
 * Marks in the names of files whose write is under way: whoever finds such a file can tell whether somebody still works
 * on it. A mark is the writing process and a random number. Processes are known on their own machine only.
 */
const underWay = new Set<string>()
export const markPattern = '(\\d+-[0-9a-f]{12})'

/** Does some writing under a mark of its own. */
export const underMark = <A>(write: (mark: string) => TE.TaskEither<Fault, A>): TE.TaskEither<Fault, A> => async () => {
  const mark = `${process.pid}-${randomBytes(6).toString('hex')}`
  underWay.add(mark)
  try {
    return await write(mark)()
  } finally {
    underWay.delete(mark)
  }
}

/** False only where the write of this mark has surely ended. Our own process number may also be that of a dead one. */
export const mayBeUnderWay = (mark: string): boolean => {
  const writer = Number.parseInt(mark)
  if (writer === process.pid) return underWay.has(mark)
  try {
    process.kill(writer, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/**
 * Writes a file of the given parts, one after another: readers see the old file or the whole new one, after a crash of
 * the machine too. The parts must not change until it is done.
 */
export const writeDurably = (path: string, parts: readonly Uint8Array[]): TE.TaskEither<Fault, void> =>
  underMark((mark) =>
    TE.tryCatch(async () => {
      const half = `${path}.${mark}.part`
      try {
        await writeThrough(half, parts)
        await rename(half, path)
        await syncFolder(dirname(path))
      } catch (error) {
        await rm(half, { force: true })
        throw error
      }
    }, fileFault(path))
  )

/** Writes a new file and waits until it is on the disk. */
const writeThrough = async (path: string, parts: readonly Uint8Array[]): Promise<void> => {
  const handle = await open(path, 'wx')
  try {
    for (const chunk of chunksOf(parts)) {
      for (let at = 0; at < chunk.byteLength;) at += (await handle.write(chunk, at, chunk.byteLength - at)).bytesWritten
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A new name is on the disk when its folder is. */
const syncFolder = async (folder: string): Promise<void> => {
  // Windows opens no folders.
  if (process.platform === 'win32') return
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder and those above it that are missing. */
export const makeFolder = (folder: string): TE.TaskEither<Fault, void> =>
  TE.tryCatch(async () => {
    const topmost = await mkdir(folder, { recursive: true })
    if (topmost === undefined) return
    for (let made = resolve(folder); made.length >= resolve(topmost).length; made = dirname(made)) await syncFolder(dirname(made))
  }, fileFault(folder))

/** All bytes of a file in memory of their own, beginning at offset 0. */
export const readWhole = (path: string): TE.TaskEither<Fault, Uint8Array<ArrayBuffer>> =>
  pipe(readIfThere(path), TE.chain((bytes) => bytes === undefined ? TE.left(file(path, 'there is no such file')) : TE.right(bytes)))

/** The same; undefined where there is no such file. */
export const readIfThere = (path: string): TE.TaskEither<Fault, Uint8Array<ArrayBuffer> | undefined> =>
  TE.tryCatch(async () => {
    const handle = await open(path).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (handle === undefined) return undefined
    try {
      const bytes = new Uint8Array((await handle.stat()).size)
      let filled = 0
      while (filled < bytes.byteLength) {
        const { bytesRead } = await handle.read(bytes, filled, Math.min(chunkBytes, bytes.byteLength - filled), null)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    } finally {
      await handle.close()
    }
  }, fileFault(path))

/** The SHA-256 of parts, one after another, in hexadecimal digits. */
export const sha256Of = (parts: readonly Uint8Array[]): Task<string> => async () => {
  const hash = createHash('sha256')
  let since = 0
  for (const chunk of chunksOf(parts)) {
    hash.update(chunk)
    since += chunk.byteLength
    if (since < chunkBytes) continue
    since = 0
    await setImmediate()
  }
  return hash.digest('hex')
}
