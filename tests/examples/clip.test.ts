import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { sentence } from '#lib/fault.ts'
import { type Clip, clipOf, latentOf, readGif, readLatent, writeGif } from '../../examples/video/clip.ts'

const folder = await mkdtemp(join(tmpdir(), 'shardwise-clip-'))
after(() => rm(folder, { recursive: true }))

/** A white square that moves one step to the right in each frame, on blue. */
const moving: Clip = {
  width: 8,
  height: 6,
  frames: Array.from({ length: 4 }, (_, t) =>
    Uint8Array.from({ length: 8 * 6 * 4 }, (_, i) => {
      const [x, y, channel] = [Math.floor(i / 4) % 8, Math.floor(i / 32), i % 4]
      const inside = x >= t && x < t + 3 && y >= 2 && y < 4
      return channel >= 2 || inside ? 255 : 0
    })),
}

describe('clips', () => {
  it('come back from a GIF as they were written', async () => {
    const path = join(folder, 'moving.gif')
    assert.ok(E.isRight(await writeGif(path, moving)()))
    const read = await readGif(path)()
    assert.ok(E.isRight(read))
    assert.deepEqual([read.right.width, read.right.height, read.right.frames.length], [8, 6, 4])
    for (const [t, frame] of read.right.frames.entries()) assert.deepEqual([...frame], [...moving.frames[t]!])
  })

  it('become latents of colours from -1 to 1 and their mean, repeated for the batch, and clips again', async () => {
    const latent = latentOf(moving, 4, 6, 8)
    const at = (channel: number, t: number, y: number, x: number): number => latent[((channel * 4 + t) * 6 + y) * 8 + x]!
    assert.deepEqual([0, 1, 2].map((channel) => at(channel, 1, 2, 1)), [1, 1, 1])
    assert.deepEqual([0, 1, 2].map((channel) => at(channel, 1, 2, 0)), [-1, -1, 1])
    assert.ok(Math.abs(at(3, 1, 2, 0) + 1 / 3) < 1e-6)
    assert.deepEqual(clipOf(latent, 4, 6, 8, 1).frames.map((frame) => [...frame]), moving.frames.map((frame) => [...frame]))
    const path = join(folder, 'batch.gif')
    await writeGif(path, moving)()
    const batch = await readLatent(path, 2, 2, 3, 4)()
    assert.ok(E.isRight(batch))
    assert.equal(batch.right.length, 2 * 4 * 2 * 3 * 4)
    assert.deepEqual(batch.right.slice(0, 96), batch.right.slice(96))
  })

  it('say which file is no GIF', async () => {
    const path = join(folder, 'text.gif')
    await writeFile(path, 'not a picture')
    const read = await readGif(path)()
    assert.ok(E.isLeft(read))
    assert.match(sentence(read.left), /text\.gif/)
  })
})
