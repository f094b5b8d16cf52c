import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { decodeWith } from '../codec.ts'
import { type Fault, file, usage } from '../fault.ts'
import { makeFolder, markPattern, mayBeUnderWay, readIfThere, sha256Of, underMark, writeDurably } from './durable.ts'
import { checkStorable, decodeSafetensors, type Metadata, safetensorsParts, type StoredTensors } from './safetensors.ts'

/** The state of a training, so that it can go on after an end that nobody wished for. */
export interface Checkpoint {
  readonly step: number
  readonly tensors: StoredTensors
  /** What else is worth knowing: the program's hash, say. */
  readonly about: Readonly<Record<string, string>>
}

const indexName = 'checkpoint.json'
const tensorFile = new RegExp(`^step-\\d{8,}-${markPattern}\\.safetensors$`)
const halfFile = new RegExp(`^(?:step-|checkpoint\\.json).*\\.${markPattern}\\.part$`)

const isTensorFile = (name: unknown): name is string => typeof name === 'string' && tensorFile.test(name)
const TensorFile = new t.Type<string, string, unknown>(
  "a tensor file's name",
  isTensorFile,
  (name, context) => isTensorFile(name) ? t.success(name) : t.failure(name, context),
  (name) => name,
)

/**
 * A checkpoint's folder holds `checkpoint.json` and the one tensor file that it names. A tensor file's name is never
 * used twice, so the moment at which the JSON is replaced is the moment at which the checkpoint is: a write that ends
 * before it, by whatever cause, has changed nothing but for a file that nobody names and that the next write removes.
 */
const Index = t.strict({
  format: t.literal('shardwise checkpoint'),
  version: t.literal(1),
  step: t.number,
  about: t.record(t.string, t.string),
  tensors: t.strict({ file: TensorFile, bytes: t.number, sha256: t.string }),
})
type Index = t.TypeOf<typeof Index>

/**
 * Writes atomically: whoever reads, at any moment and after a crash at any moment, finds the old checkpoint or the new
 * one, whole. Of processes of one machine that write at once, the last one wins. The tensors must not change until it is done.
 */
export const writeCheckpoint = (folder: string, { step, tensors, about }: Checkpoint): TE.TaskEither<Fault, void> => {
  if (!Number.isSafeInteger(step) || step < 0) return TE.left(usage(`a checkpoint's step is a whole number from 0, got ${step}`))
  return underMark((mark) =>
    pipe(
      TE.fromEither(checkStorable(tensors)),
      TE.chainFirst(() => makeFolder(folder)),
      TE.map((storable) => safetensorsParts(storable, metadataOf(step, about))),
      TE.chain((parts) => writeTensors(folder, `step-${String(step).padStart(8, '0')}-${mark}.safetensors`, parts)),
      TE.chain((written) => writeIndex(folder, { format: 'shardwise checkpoint', version: 1, step, about, tensors: written })),
      TE.chainTaskK(() => () => removeOld(folder)),
    )
  )
}

/** The tensor file says by itself what it is, and guards what the JSON says. */
const metadataOf = (step: number, about: Checkpoint['about']): Metadata => ({ step: String(step), about: JSON.stringify(about) })

const writeTensors = (folder: string, name: string, parts: readonly Uint8Array[]): TE.TaskEither<Fault, Index['tensors']> =>
  pipe(
    writeDurably(join(folder, name), parts),
    TE.chainTaskK(() => sha256Of(parts)),
    TE.map((sha256) => ({ file: name, bytes: parts.reduce((sum, part) => sum + part.byteLength, 0), sha256 })),
  )

const writeIndex = (folder: string, index: Index): TE.TaskEither<Fault, void> =>
  writeDurably(join(folder, indexName), [new TextEncoder().encode(`${JSON.stringify(index, null, 2)}\n`)])

/**
 * Removes what no checkpoint needs. A file whose writer has ended is needed only if the JSON that is there after that
 * end names it: hence this order. What can't be removed now is no fault, the next write will try again.
 */
const removeOld = async (folder: string): Promise<void> => {
  const names = await readdir(folder).catch(() => [])
  const ended = names.filter((name) => {
    const mark = (tensorFile.exec(name) ?? halfFile.exec(name))?.[1]
    return mark !== undefined && !mayBeUnderWay(mark)
  })
  const index = await readIndex(folder)()
  if (E.isLeft(index) || index.right === undefined) return
  const current = index.right.tensors.file
  for (const name of ended) if (name !== current) await rm(join(folder, name), { force: true }).catch(() => undefined)
}

/** undefined where the folder holds none (or does not exist). Damage is a fault that names the file. */
export const readCheckpoint = (folder: string): TE.TaskEither<Fault, Checkpoint | undefined> => readAfter(folder, null)

/** `gone` is the tensor file that was looked for in vain: a newer checkpoint has taken its place, or it is lost. */
const readAfter = (folder: string, gone: string | null): TE.TaskEither<Fault, Checkpoint | undefined> =>
  pipe(
    readIndex(folder),
    TE.chain((index) => {
      if (index === undefined) return TE.right(undefined)
      const path = join(folder, index.tensors.file)
      if (index.tensors.file === gone) return TE.left(file(path, `there is no such file, but ${indexName} names it`))
      return pipe(
        readIfThere(path),
        TE.chain((bytes) => bytes === undefined ? readAfter(folder, index.tensors.file) : readTensors(folder, index, bytes)),
      )
    }),
  )

const readIndex = (folder: string): TE.TaskEither<Fault, Index | undefined> => {
  const path = join(folder, indexName)
  const parse = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  const decode = (bytes: Uint8Array): E.Either<Fault, Index> =>
    pipe(
      E.tryCatch(() => parse(bytes), () => file(path, 'it is not JSON, so it is damaged')),
      E.chain((json) => decodeWith(path, Index, json)),
    )
  return pipe(readIfThere(path), TE.chainEitherK((bytes) => bytes === undefined ? E.right(undefined) : decode(bytes)))
}

const readTensors = (folder: string, { step, about, tensors }: Index, bytes: Uint8Array<ArrayBuffer>): TE.TaskEither<Fault, Checkpoint> => {
  const path = join(folder, tensors.file)
  const damaged = (told: string): TE.TaskEither<Fault, never> =>
    TE.left(file(path, `${told} ${indexName} tells: one of the two files is damaged`))
  if (bytes.byteLength !== tensors.bytes) return damaged(`it has ${bytes.byteLength} bytes, not the ${tensors.bytes} that`)
  return pipe(
    sha256Of([bytes]),
    TE.fromTask<string, Fault>,
    TE.chain((sha256) =>
      sha256 === tensors.sha256 ? TE.fromEither(decodeSafetensors(path, bytes)) : damaged('its SHA-256 is not the one that')
    ),
    TE.chain((stored) => {
      const expected = metadataOf(step, about)
      const isSame = stored.metadata['step'] === expected['step'] && stored.metadata['about'] === expected['about']
      return isSame ? TE.right({ step, tensors: stored.tensors, about }) : damaged('its own metadata are not what')
    }),
  )
}
