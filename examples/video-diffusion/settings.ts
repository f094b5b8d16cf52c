import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipe } from 'fp-ts/lib/function.js'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { decodeWith } from '#lib/codec.ts'
import { type Fault, file, fileFault } from '#lib/fault.ts'
import { writeDurably } from '#lib/files/durable.ts'
import { type Settings, sizesOf } from './diffusion.ts'

/** The forms in which the example trains; `quick` ends within three minutes on two cores without a GPU. */
export const forms = {
  quick: { frames: 4, height: 8, across: 8, width: 48, depth: 2, heads: 4, batch: 16, steps: 300, peakRate: 4e-3 },
  long: { frames: 4, height: 8, across: 8, width: 64, depth: 2, heads: 4, batch: 16, steps: 1500, peakRate: 4e-3 },
} as const

const FormCodec = t.strict({
  frames: t.number,
  height: t.number,
  across: t.number,
  width: t.number,
  depth: t.number,
  heads: t.number,
  batch: t.number,
  steps: t.number,
  peakRate: t.number,
  seed: t.number,
  recompute: t.boolean,
})
/** What a training was begun with: it stays with its folder, so that it can be resumed and sampled without saying it again. */
export type Form = t.TypeOf<typeof FormCodec>

export const settingsOf = ({ steps, peakRate, recompute, ...sizes }: Form): Settings => ({
  sizes: sizesOf(sizes),
  steps,
  peakRate,
  recompute,
})

const at = (folder: string): string => join(folder, 'settings.json')

export const writeForm = (folder: string, form: Form): TE.TaskEither<Fault, void> =>
  pipe(
    TE.tryCatch(() => mkdir(folder, { recursive: true }), fileFault(folder)),
    TE.chain(() => writeDurably(at(folder), [new TextEncoder().encode(`${JSON.stringify(FormCodec.encode(form), null, 2)}\n`)])),
  )

export const readForm = (folder: string): TE.TaskEither<Fault, Form> =>
  pipe(
    TE.tryCatch(() => readFile(at(folder), 'utf8'), fileFault(at(folder))),
    TE.mapLeft((fault) => fault.tag === 'File' ? file(folder, 'no training was begun here; begin one with: train --folder') : fault),
    TE.chainEitherK((text) => E.tryCatch(() => JSON.parse(text) as unknown, () => file(at(folder), 'this is not JSON'))),
    TE.chainEitherK((json) => decodeWith(at(folder), FormCodec, json)),
  )
