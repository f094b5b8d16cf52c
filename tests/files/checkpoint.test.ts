import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import type { Elements } from '#lib/dtype.ts'
import { type Fault, sentence } from '#lib/fault.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '#lib/files/checkpoint.ts'
import { readSafetensors, type StoredTensor } from '#lib/files/safetensors.ts'

const right = <A>(result: E.Either<Fault, A>): A => {
  if (E.isLeft(result)) assert.fail(sentence(result.left))
  return result.right
}
const messageOf = (result: E.Either<Fault, unknown>): string => {
  assert.ok(E.isLeft(result), 'expected a fault')
  return sentence(result.left)
}

const inFolder = async (use: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'shardwise-'))
  try {
    await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const filled = (step: number, about: Checkpoint['about'] = {}): Checkpoint => ({
  step,
  about,
  tensors: {
    weights: { sizes: [3, 5], elements: new Float32Array(15).fill(step) },
    counts: { sizes: [2], elements: new Int32Array(2).fill(step) },
  },
})

const tensorFileOf = async (folder: string): Promise<string> => {
  const index = JSON.parse(await readFile(join(folder, 'checkpoint.json'), 'utf8')) as { tensors: { file: string } }
  return index.tensors.file
}

const bytesOf = (elements: Elements): Buffer => Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength)

/** Any bits, so that there are NaNs of every kind among the f32. */
const tensor: fc.Arbitrary<StoredTensor> = fc.tuple(fc.array(fc.nat({ max: 4 }), { maxLength: 3 }), fc.boolean(), fc.integer()).map(
  ([sizes, real, seed]) => {
    const length = sizes.reduce((product, size) => product * size, 1)
    const bits = Int32Array.from({ length }, (_, i) => i % 3 === 0 ? 0x7f800001 + i : Math.imul(seed + i, 0x9e3779b1))
    return { sizes, elements: real ? new Float32Array(bits.buffer) : bits }
  },
)
const text = fc.string({ unit: 'binary' })
const name = fc.oneof(text, fc.constantFrom('10', '2', 'a.b', 'data_offsets')).filter((of) => of !== '__metadata__' && of !== '__proto__')
const checkpoint: fc.Arbitrary<Checkpoint> = fc.record({
  step: fc.oneof(fc.nat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER)),
  tensors: fc.dictionary(name, tensor, { maxKeys: 5, noNullPrototype: true }),
  about: fc.dictionary(name, text, { maxKeys: 3, noNullPrototype: true }),
})

describe('a checkpoint', () => {
  it('is read as it was written, to the bit, and takes the place of the one before', () =>
    inFolder((folder) =>
      fc.assert(
        fc.asyncProperty(checkpoint, async (given) => {
          right(await writeCheckpoint(folder, given)())
          const read = right(await readCheckpoint(folder)())
          assert.ok(read !== undefined)
          assert.equal(read.step, given.step)
          assert.deepEqual(read.about, given.about)
          assert.deepEqual(Object.keys(read.tensors).sort(), Object.keys(given.tensors).sort())
          for (const [of, { sizes, elements }] of Object.entries(given.tensors)) {
            assert.deepEqual(read.tensors[of]!.sizes, sizes)
            assert.equal(read.tensors[of]!.elements.constructor, elements.constructor)
            assert.ok(bytesOf(read.tensors[of]!.elements).equals(bytesOf(elements)))
          }
          assert.deepEqual((await readdir(folder)).sort(), ['checkpoint.json', await tensorFileOf(folder)])
        }),
        { numRuns: 60 },
      )
    ))

  it('is a JSON that a person can read and a safetensors file that says what it is', () =>
    inFolder(async (parent) => {
      const folder = join(parent, 'deep', 'down')
      right(await writeCheckpoint(folder, filled(500, { program: 'abc' }))())
      const file = await tensorFileOf(folder)
      assert.match(file, /^step-00000500-\d+-[0-9a-f]{12}\.safetensors$/)
      const json = await readFile(join(folder, 'checkpoint.json'), 'utf8')
      assert.ok(json.startsWith('{\n  "format": "shardwise checkpoint",\n  "version": 1,\n  "step": 500,\n'))
      assert.deepEqual(Object.keys(right(await readSafetensors(join(folder, file))())), ['weights', 'counts'])
      const bytes = await readFile(join(folder, file))
      const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString())
      assert.deepEqual(header.__metadata__, { step: '500', about: '{"program":"abc"}' })
    }))

  it('is undefined where there is none', () =>
    inFolder(async (folder) => {
      assert.equal(right(await readCheckpoint(join(folder, 'no', 'such'))()), undefined)
      assert.equal(right(await readCheckpoint(folder)()), undefined)
    }))

  it('that could not be read again is not written', () =>
    inFolder(async (folder) => {
      right(await writeCheckpoint(folder, filled(1))())
      const write = async (given: Checkpoint): Promise<string> => messageOf(await writeCheckpoint(folder, given)())
      const elements = Float32Array.of(1, 2)
      assert.equal(await write({ ...filled(2), step: 1.5 }), "a checkpoint's step is a whole number from 0, got 1.5")
      assert.equal(
        await write({ ...filled(2), tensors: { a: { sizes: [3], elements } } }),
        "tensor 'a': its sizes make 3 elements, got 2",
      )
      assert.equal(
        await write({ ...filled(2), tensors: { __metadata__: { sizes: [2], elements } } }),
        "tensor '__metadata__': no tensor of a file can have this name",
      )
      assert.equal(right(await readCheckpoint(folder)())?.step, 1)
      assert.equal((await readdir(folder)).length, 2)
      await writeFile(join(folder, 'file'), '')
      assert.match(messageOf(await writeCheckpoint(join(folder, 'file'), filled(2))()), /file: /)
      assert.match(messageOf(await readCheckpoint(join(folder, 'file'))()), /file\/checkpoint\.json: /)
    }))

  it('of which a bit has changed is a fault that names the file', () =>
    inFolder(async (folder) => {
      right(await writeCheckpoint(folder, filled(500, { program: 'abc', runtime: 'any' }))())
      const names = ['checkpoint.json', await tensorFileOf(folder)]
      for (const [at, file] of names.entries()) {
        const path = join(folder, file)
        const whole = await readFile(path)
        const read = async (bytes: Uint8Array): Promise<string> => {
          await writeFile(path, bytes)
          return messageOf(await readCheckpoint(folder)())
        }
        for (let bit = 0; bit < 8 * whole.length; bit++) {
          const bytes = Uint8Array.from(whole)
          bytes[bit >> 3]! ^= 1 << (bit & 7)
          const told = await read(bytes)
          assert.ok(told.includes(file), told)
          if (at === 1) assert.ok(told.startsWith(path), told)
        }
        // Without the line's end a JSON is whole.
        for (let length = 0; length < whole.length - (at === 0 ? 1 : 0); length++) {
          const told = await read(whole.subarray(0, length))
          assert.ok(told.startsWith(path), told)
        }
        await writeFile(path, whole)
        assert.equal(right(await readCheckpoint(folder)())?.step, 500)
      }
      const lost = join(folder, names[1]!)
      await rm(lost)
      assert.equal(messageOf(await readCheckpoint(folder)()), `${lost}: there is no such file, but checkpoint.json names it`)
    }))

  it('names no file elsewhere', () =>
    inFolder(async (folder) => {
      right(await writeCheckpoint(folder, filled(1))())
      const [path, file] = [join(folder, 'checkpoint.json'), await tensorFileOf(folder)]
      await writeFile(path, (await readFile(path, 'utf8')).replace(file, `../${file}`))
      const told = messageOf(await readCheckpoint(folder)())
      assert.ok(told.startsWith(`${path}: expected a tensor file's name at tensors.file, got "../step-`), told)
    }))

  it('leaves nothing of writers that are dead, and all of those that live', () =>
    inFolder(async (folder) => {
      const dead = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
      await new Promise((resolve) => dead.on('close', resolve))
      const left = (pid: number): readonly string[] =>
        [`step-00000007-${pid}-0123456789ab.safetensors`, `checkpoint.json.${pid}-0123456789ab.part`].flatMap((of) =>
          of.endsWith('.part') ? [of] : [of, `${of}.${pid}-ba9876543210.part`]
        )
      const others = ['notes.txt', 'step-00000007.safetensors', ...left(process.ppid)]
      for (const of of [...left(dead.pid!), ...left(process.pid), ...others]) await writeFile(join(folder, of), 'x')
      right(await writeCheckpoint(folder, filled(8))())
      assert.deepEqual((await readdir(folder)).sort(), ['checkpoint.json', await tensorFileOf(folder), ...others].sort())
    }))

  it('is one of those that are written at once', () =>
    inFolder(async (folder) => {
      const steps = Array.from({ length: 12 }, (_, i) => i % 5)
      for (const written of await Promise.all(steps.map((step) => writeCheckpoint(folder, filled(step))()))) right(written)
      checkWhole(right(await readCheckpoint(folder)()))
      right(await writeCheckpoint(folder, filled(9))())
      assert.equal((await readdir(folder)).length, 2)
    }))
})

/** Every element is the step, in all tensors. */
const checkWhole = (read: Checkpoint | undefined): number => {
  assert.ok(read !== undefined)
  assert.ok(Object.keys(read.tensors).length > 0)
  for (const { elements } of Object.values(read.tensors)) assert.ok((elements as Float32Array).every((value) => value === read.step))
  return read.step
}

const isDeno = process.versions['deno'] !== undefined

interface Saver {
  readonly child: ChildProcess
  /** Resolves when the first step is written, or the process has ended. */
  readonly begun: Promise<void>
  /** Kills the process, now; gives the last step that it told to be written, or 0. */
  readonly kill: () => Promise<number>
}

const startSaver = (folder: string): Saver => {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const file = fileURLToPath(new URL('./saver.ts', import.meta.url))
  const options = isDeno ? ['run', '-A', '--no-check', file, folder] : ['--import', tsx, file, folder]
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  let told = ''
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString()
      resolve()
    })
    child.on('close', () => resolve())
  })
  const closed = new Promise<string | null>((resolve) => child.on('close', (_, signal) => resolve(signal)))
  return {
    child,
    begun,
    kill: async () => {
      child.kill('SIGKILL')
      assert.equal(await closed, 'SIGKILL', 'the saver ended by itself')
      return Number(told.split('\n').at(-2) ?? 0)
    },
  }
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe('a process that writes checkpoints', () => {
  it('may be killed at any moment: the last one that it told of is there, or a newer one', () => {
    const lane = (kills: number): Promise<void> =>
      inFolder(async (folder) => {
        let last = 0
        for (let i = 0; i < kills; i++) {
          const saver = startSaver(folder)
          await saver.begun
          await sleep(Math.random() * 40)
          const told = await saver.kill()
          const step = checkWhole(right(await readCheckpoint(folder)()))
          assert.ok(step >= told && step >= last, `step ${told} was written, and ${last} before, but ${step} is there`)
          last = step
        }
        right(await writeCheckpoint(folder, filled(last + 1))())
        assert.equal((await readdir(folder)).length, 2)
      })
    return Promise.all([25, 25].map(lane)).then(() => undefined)
  })

  it('and another one that does so: whoever reads finds a whole one', () =>
    inFolder(async (folder) => {
      const savers = [startSaver(folder), startSaver(folder)]
      try {
        await Promise.all(savers.map(({ begun }) => begun))
        const seen = new Set<number>()
        const areAlive = (): boolean => savers.every(({ child }) => child.exitCode === null)
        for (let reads = 0; areAlive() && (reads < 300 || seen.size < 10); reads++) {
          seen.add(checkWhole(right(await readCheckpoint(folder)())))
        }
      } finally {
        await Promise.all(savers.map(({ kill }) => kill()))
      }
      checkWhole(right(await readCheckpoint(folder)()))
      right(await writeCheckpoint(folder, filled(0))())
      assert.equal((await readdir(folder)).length, 2)
    }))
})
