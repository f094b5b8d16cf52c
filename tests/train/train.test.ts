import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { pipe } from 'fp-ts/lib/function.js'
import * as E from 'fp-ts/lib/Either.js'
import { sentence } from '#lib/fault.ts'
import { readCheckpoint } from '#lib/files/checkpoint.ts'
import { input, mesh, parameter } from '#lib/mod.ts'
import { ones, sgd, train, type TrainOptions, trainStep } from '#lib/train/mod.ts'
import { log, mean, multiply, square } from '#ops/mod.ts'
import { right } from '../lower/run-plan.ts'
import { smallBatch, smallTraining } from './small-training.ts'

const inFolder = async <A>(use: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await mkdtemp(join(tmpdir(), 'shardwise-train-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const steps = 24
const run = (on: string, options: Omit<TrainOptions, 'batch'>) =>
  train(smallTraining(on, steps), { batch: smallBatch, launch: { backend: 'reference', inProcess: true }, ...options })()

describe('a training', () => {
  it('that is saved and resumed on the same mesh is the same to the bit', () =>
    inFolder(async (folder) => {
      const unbroken = right(await run('dp=1 sp=2', { steps }))
      const checkpoint = { folder, every: 100 }
      const first = right(await run('dp=1 sp=2', { steps: 10, checkpoint }))
      const second = right(await run('dp=1 sp=2', { steps, checkpoint }))
      assert.deepEqual([...first.losses, ...second.losses], unbroken.losses)
      assert.deepEqual(second.parameters, unbroken.parameters)
      assert.ok(unbroken.losses.at(-1)! < unbroken.losses[0]!, 'it learns')
    }))

  it('goes on on other meshes, in processes or not, as if nothing had happened; parameters pass to the bit', () =>
    inFolder(async (folder) => {
      const unbroken = right(await run('dp=1 sp=1', { steps }))
      const checkpoint = { folder, every: 100 }
      const losses: number[] = []
      const meshes = [['dp=1 sp=2', 6, true], ['dp=1 sp=3', 12, false], ['dp=2 sp=2', 18, true], ['dp=1 sp=1', steps, true]] as const
      for (const [on, until, inProcess] of meshes) {
        const before = right(await readCheckpoint(folder)())
        const options: Omit<TrainOptions, 'batch'> = {
          steps: until,
          checkpoint,
          launch: { backend: 'reference', inProcess },
        }
        // Resumed without a step to do, the state is what was saved.
        if (before !== undefined) {
          const loaded = right(await run(on, { ...options, steps: before.step }))
          for (const [name, { elements }] of Object.entries(before.tensors)) {
            assert.deepEqual(Array.from(loaded.parameters[name]!), Array.from(elements))
          }
        }
        losses.push(...right(await run(on, options)).losses)
      }
      losses.forEach((loss, step) => assert.ok(Math.abs(loss - unbroken.losses[step]!) <= 1e-5 * unbroken.losses[step]!, `step ${step}`))
      assert.equal(losses.length, steps)
    }))

  it('is refused by the checkpoint of another program, in one sentence', () =>
    inFolder(async (folder) => {
      right(await run('dp=1 sp=2', { steps: 1, checkpoint: { folder, every: 1 } }))
      const other = trainStep('other', mesh('sp=2'), {
        inputs: { x: input('t:4@sp') },
        parameters: { w: parameter('', ones) },
        loss: ({ inputs: { x }, parameters: { w } }) => pipe(x, multiply(w), square, mean('t')),
        optimiser: sgd({ rate: 0.1 }),
      })
      const refused = await train(other, {
        steps: 2,
        batch: () => ({ x: new Float32Array(4) }),
        checkpoint: { folder, every: 1 },
        launch: { backend: 'reference', inProcess: true },
      })()
      assert.ok(E.isLeft(refused))
      assert.match(
        sentence(refused.left),
        /^tensor '[\w.]+': it is in the checkpoint .*, but the program has no such parameter; give another folder$/,
      )
    }))

  it('ends at a step that is not finite, names the operation that made it so, and keeps the state before it', () =>
    inFolder(async (folder) => {
      const program = trainStep('bad', mesh('sp=2'), {
        inputs: { x: input('t:4@sp') },
        parameters: { w: parameter('', ones) },
        loss: ({ inputs: { x }, parameters: { w } }) => pipe(x, multiply(w), log, square, mean('t')),
        optimiser: sgd({ rate: 0.01 }),
      })
      const batch = (step: number) => ({ x: Float32Array.of(1, 2, step === 3 ? -1 : 3, 4) })
      for (const inProcess of [true, false]) {
        const checkpoint = { folder: join(folder, String(inProcess)), every: 100 }
        const failed = await train(program, { steps: 9, batch, checkpoint, launch: { backend: 'reference', inProcess } })()
        assert.ok(E.isLeft(failed))
        assert.match(
          sentence(failed.left),
          /^step 3 made a loss of NaN and was not taken: rank 1 made NaN of finite numbers in .*log.* at .*train\.test\.ts:\d+, step \d+ of \d+$/,
        )
        const kept = right(await readCheckpoint(checkpoint.folder)())!
        const until3 = right(await train(program, { steps: 3, batch, launch: { backend: 'reference', inProcess: true } })())
        assert.equal(kept.step, 3)
        assert.deepEqual(Array.from(kept.tensors['w']!.elements), Array.from(until3.parameters['w']!))
      }
    }))

  it('ends after the step under way when it is told to, with its state saved', () =>
    inFolder(async (folder) => {
      const stop = new AbortController()
      const checkpoint = { folder, every: 100 }
      const stopped = right(
        await run('dp=1 sp=2', { steps, checkpoint, stop: stop.signal, onStep: ({ step }) => step === 4 ? stop.abort() : undefined }),
      )
      assert.equal(stopped.steps, 5)
      assert.equal(right(await readCheckpoint(folder)())!.step, 5)
    }))
})

// Node runs TypeScript by way of tsx, which is found from here whatever folder the tests are started in.
const loader = process.versions['deno'] === undefined
  ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
  : ['run', '-A', '--no-check']

describe('a training that is killed', () => {
  it('at 50 random moments loses no step that it told, and ends as if nothing had happened', () =>
    inFolder(async (folder) => {
      const total = 400
      const unbroken = right(
        await train(smallTraining('dp=1 sp=2', total), {
          steps: total,
          batch: smallBatch,
          launch: { backend: 'reference', inProcess: true },
        })(),
      )
      const script = fileURLToPath(new URL('trainee.ts', import.meta.url))
      let [kills, told, done] = [0, 0, false]
      const losses: number[] = []
      while (!done) {
        const child = spawn(process.execPath, [...loader, script, folder, String(total)], { stdio: ['ignore', 'pipe', 'inherit'] })
        let text = ''
        const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
        await new Promise<void>((resolve) => {
          child.stdout.on('data', (chunk: Buffer) => {
            text += chunk.toString()
            resolve()
          })
          child.on('close', () => resolve())
        })
        // The last run is left alone.
        if (kills < 50) {
          await new Promise((resolve) => setTimeout(resolve, 40 * Math.random()))
          child.kill('SIGKILL')
          kills++
        }
        await closed
        done = text.endsWith('done\n')
        const lines = text.split('\n').slice(0, -1)
        const from = Number(/^from (\d+)$/.exec(lines[0] ?? '')?.[1])
        assert.ok(from >= told, `it begins at step ${from}, but step ${told} was reached before`)
        for (const line of lines.slice(1)) {
          const [step, loss] = line.split(' ').map(Number)
          if (loss === undefined) continue
          losses[step!] = loss
          // A step is told before it is saved: the one before it is saved for sure.
          told = step!
        }
        const saved = right(await readCheckpoint(folder)())
        assert.ok(saved === undefined ? told === 0 : saved.step >= told)
      }
      assert.equal(kills, 50)
      losses.forEach((loss, step) => assert.equal(loss, unbroken.losses[step]))
      const last = right(await readCheckpoint(folder)())!
      assert.equal(last.step, total)
      for (const [name, elements] of Object.entries(unbroken.parameters)) {
        assert.deepEqual(Array.from(last.tensors[name]!.elements), Array.from(elements))
      }
    }))
})
