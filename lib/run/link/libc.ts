import * as E from 'fp-ts/lib/Either.js'
import { device, type Fault } from '../../fault.ts'

/** The few calls of the C library that shared memory needs. Addresses are plain numbers. */
export interface Libc {
  /** A new piece of memory without a name, all of it allocated; gives its file descriptor. */
  readonly makeMemory: (bytes: number) => E.Either<Fault, number>
  readonly open: (path: string) => E.Either<Fault, number>
  readonly close: (descriptor: number) => void
  /** Maps a descriptor's first bytes, shared, for reading and writing, with every page in place. */
  readonly map: (descriptor: number, bytes: number) => E.Either<Fault, number>
  readonly unmap: (address: number, bytes: number) => void
  /** The memory itself as a buffer, without a copy. It must not be used once unmapped. */
  readonly view: (address: number, bytes: number) => ArrayBuffer
  /** Sleeps while the word at `address` holds `seen`, for as long as the timespec at `timespec` says. */
  readonly futexWait: (address: number, seen: number, timespec: number) => void
  /** The same on a thread of the runtime's pool. */
  readonly futexWaitAsync: (address: number, seen: number, timespec: number, done: () => void) => void
  readonly futexWake: (address: number) => void
}

const futexNumbers: Readonly<Record<string, number>> = { x64: 202, arm64: 98 }
const futex = { wait: 0, wake: 1 } as const
const readWrite = 2
const closeOnExec = 1
const protection = 1 | 2
const sharedAndPopulated = 1 | 0x8000

/** Binds the C library through FFI, the same way in Node and Deno; a fault says why shared memory is not at hand. */
export const bindLibc = async (): Promise<E.Either<Fault, Libc>> => {
  const futexNumber = futexNumbers[process.arch]
  if (process.platform !== 'linux') {
    return E.left(device(`shared memory between ranks needs Linux, this is ${process.platform}`))
  }
  if (futexNumber === undefined) return E.left(device(`shared memory between ranks is not built for ${process.arch}`))
  try {
    const { default: koffi } = await import('koffi')
    const libc = koffi.load(null)
    const memfdCreate = libc.func('memfd_create', 'int', ['str', 'uint'])
    const allocate = libc.func('posix_fallocate', 'int', ['int', 'int64', 'int64'])
    const open = libc.func('open', 'int', ['str', 'int'])
    const close = libc.func('close', 'int', ['int'])
    const mmap = libc.func('mmap', 'uintptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'int64'])
    const munmap = libc.func('munmap', 'int', ['uintptr_t', 'size_t'])
    const syscall = libc.func('syscall', 'long', ['long', 'uintptr_t', 'int', 'int', 'uintptr_t', 'uintptr_t', 'int'])
    const failed = (call: string): E.Either<Fault, never> => E.left(device(`shared memory: ${call} failed with errno ${koffi.errno()}`))
    return E.right({
      makeMemory: (bytes) => {
        const descriptor: number = memfdCreate('shardwise', closeOnExec)
        if (descriptor < 0) return failed('memfd_create')
        // Allocated now, so that a lack of memory is a fault here and not a SIGBUS in a rank later.
        const error: number = allocate(descriptor, 0, bytes)
        if (error === 0) return E.right(descriptor)
        close(descriptor)
        return E.left(device(`shared memory: no room for ${bytes} bytes between the ranks (errno ${error})`))
      },
      open: (path) => {
        const descriptor: number = open(path, readWrite)
        return descriptor < 0 ? failed(`opening ${path}`) : E.right(descriptor)
      },
      close: (descriptor) => void close(descriptor),
      map: (descriptor, bytes) => {
        const address = Number(mmap(0, bytes, protection, sharedAndPopulated, descriptor, 0))
        // MAP_FAILED is -1 as an unsigned number.
        return address > 2 ** 63 ? failed('mmap') : E.right(address)
      },
      unmap: (address, bytes) => void munmap(address, bytes),
      view: (address, bytes) => koffi.view(BigInt(address), bytes),
      futexWait: (address, seen, timespec) => void syscall(futexNumber, address, futex.wait, seen, timespec, 0, 0),
      futexWaitAsync: (address, seen, timespec, done) => void syscall.async(futexNumber, address, futex.wait, seen, timespec, 0, 0, done),
      futexWake: (address) => void syscall(futexNumber, address, futex.wake, 0x7fffffff, 0, 0, 0),
    })
  } catch (error) {
    return E.left(
      device(`shared memory between ranks needs FFI: ${error instanceof Error ? error.message : String(error)}`),
    )
  }
}
