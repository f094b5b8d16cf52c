import process from 'node:process'
import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  readonly step: (doing: string) => void
  readonly stop: () => void
}

/** A progress bar on a terminal, plain lines on standard error otherwise. */
export const progress = (doing: string, total: number): Progress => {
  if (process.stderr.isTTY) {
    const bar = new SingleBar({
      format: '{bar} {value}/{total} {doing} {eta_formatted}',
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
    }, Presets.shades_classic)
    bar.start(total, 0, { doing })
    return { step: (next) => bar.increment(1, { doing: next }), stop: () => bar.stop() }
  }
  process.stderr.write(`${doing}\n`)
  const every = Math.max(1, Math.ceil(total / 10))
  let done = 0
  return {
    step: (next) => {
      if (++done % every === 0 || done === total) process.stderr.write(`${next}\n`)
    },
    stop: () => {},
  }
}
