import process from 'node:process'
import * as E from 'fp-ts/lib/Either.js'
import { openBackend } from '#backends/mod.ts'
import { sentence } from '#lib/fault.ts'

/** Opens WebGPU and prints the adapter, in a process of its own: what the driver's tests start. */
const opened = await openBackend('webgpu')()
if (E.isLeft(opened)) {
  console.error(sentence(opened.left))
  process.exitCode = 1
} else {
  console.log(opened.right.describe.adapter)
  await opened.right.close()
}
