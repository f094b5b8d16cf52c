import { writeSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { readCheckpoint, writeCheckpoint } from '#lib/files/checkpoint.ts'

/**
 * A program that writes checkpoint after checkpoint for ever, going on from the one that is there: `saver.ts FOLDER`. Every
 * element of a checkpoint is its step; steps that are written are told, a line each.
 */
const [folder = ''] = process.argv.slice(2)
const found = await readCheckpoint(folder)()
if (E.isLeft(found)) throw new Error(JSON.stringify(found.left))
for (let step = (found.right?.step ?? 0) + 1;; step++) {
  const tensors = {
    weights: { sizes: [512, 257], elements: new Float32Array(512 * 257).fill(step) },
    counts: { sizes: [3, 1001], elements: new Int32Array(3 * 1001).fill(step) },
    single: { sizes: [], elements: Float32Array.of(step) },
  }
  const written = await writeCheckpoint(folder, { step, tensors, about: { written: String(step) } })()
  if (E.isLeft(written)) throw new Error(JSON.stringify(written.left))
  writeSync(1, `${step}\n`)
}
