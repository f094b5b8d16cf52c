import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Fault } from '#lib/fault.ts'
import { writeDurably } from '#lib/files/durable.ts'
import { lossPlot } from './loss-plot.ts'

const at = (folder: string): string => join(folder, 'loss.csv')

/** The losses of the first so many steps of a folder's training; a step whose loss was not written has NaN. */
export const readLosses = (folder: string, steps: number): TE.TaskEither<Fault, readonly number[]> => async () => {
  const text = await readFile(at(folder), 'utf8').catch(() => '')
  const losses = new Array<number>(steps).fill(NaN)
  for (const line of text.split('\n').slice(1)) {
    const [step, loss] = line.split(',').map(Number)
    if (step !== undefined && loss !== undefined && step < steps) losses[step] = loss
  }
  return E.right(losses)
}

/** Writes the losses as a table and as a curve. */
export const writeLosses = (folder: string, title: string, losses: readonly number[]): TE.TaskEither<Fault, void> => {
  const rows = losses.flatMap((loss, step) => Number.isNaN(loss) ? [] : [`${step},${loss}`])
  const write = (name: string, text: string) => writeDurably(join(folder, name), [new TextEncoder().encode(text)])
  return pipe(
    write('loss.csv', `step,loss\n${rows.join('\n')}\n`),
    TE.chain(() => write('loss.svg', lossPlot([{ name: 'loss', losses }], { title }))),
  )
}
