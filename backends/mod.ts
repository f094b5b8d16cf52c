import process from 'node:process'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Fault, sentence } from '#lib/fault.ts'
import type { Backend } from './backend.ts'
import { openReference } from './reference/mod.ts'
import { openWebGpu } from './webgpu/mod.ts'

export type { Backend, BackendDescription, Executable } from './backend.ts'
export { openReference } from './reference/mod.ts'
export { openWebGpu } from './webgpu/mod.ts'
export { diagnose, type Diagnosis } from './webgpu/diagnose.ts'

export type BackendName = 'auto' | 'webgpu' | 'reference'

/** Opens a backend by name; `auto` is WebGPU, or the reference where there is no adapter at all. */
export const openBackend = (name: BackendName): TaskEither<Fault, Backend> => {
  switch (name) {
    case 'reference':
      return openReference()
    case 'webgpu':
      return openWebGpu()
    case 'auto':
      return async () => {
        const opened = await openWebGpu()()
        if (E.isRight(opened)) return opened
        process.stderr.write(`${sentence(opened.left)}\nGoing on with the reference backend, which is slow.\n`)
        return openReference()()
      }
  }
}
