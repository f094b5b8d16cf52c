import { writeSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { train } from '#lib/train/mod.ts'
import { smallBatch, smallTraining } from './small-training.ts'

/** Trains the small model in a folder, saving each step: `trainee.ts FOLDER STEPS`. It tells each step's loss, with all its bits. */
const [folder = '', steps = ''] = process.argv.slice(2)
const trained = await train(smallTraining('dp=1 sp=2', Number(steps)), {
  steps: Number(steps),
  batch: smallBatch,
  checkpoint: { folder, every: 1 },
  launch: { backend: 'reference', inProcess: true },
  onStart: ({ step }) => writeSync(1, `from ${step}\n`),
  onStep: ({ step, loss }) => writeSync(1, `${step} ${loss}\n`),
})()
if (E.isLeft(trained)) throw new Error(JSON.stringify(trained.left))
writeSync(1, 'done\n')
