import { type Sizes, videoTransformer } from './model.ts'

/** The sizes of the golden case `small`. */
export const small: Sizes = {
  batch: 2,
  frames: 6,
  rows: 4,
  columns: 4,
  width: 48,
  heads: 4,
  depth: 2,
  words: 7,
  captionWidth: 32,
  channels: 4,
  outputChannels: 8,
}

/** It as a program file: `shardwise explain examples/video/small.ts --mesh 'dp=1 sp=4'`. */
export default (ranks = 2) => videoTransformer(small, ranks)
