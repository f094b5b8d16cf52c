import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { sentence } from '#lib/fault.ts'
import { writeSheet } from '../../examples/video-diffusion/gif-sheet.ts'
import { kinds, makeClip } from '../../examples/video-diffusion/shapes.ts'
import { readGif } from '../../examples/video/clip.ts'

const folder = await mkdtemp(join(tmpdir(), 'shardwise-sheet-'))
after(() => rm(folder, { recursive: true }))

const sizes = { frames: 8, height: 16, width: 24 }
const look = { zoom: 2, gap: 3, delay: 100 }
/** The palette keeps 5 or 6 bits of a colour. */
const paletteError = 8

describe('a sheet of clips', () => {
  it('holds each clip in its place, frame by frame, and white where there is none', async () => {
    const rows = [[0, 5, 8], [3], [11, 6]].map((row) => row.map((kind) => makeClip(kinds[kind]!, { x: 2 * kind, y: kind + 0.5 }, sizes)))
    const path = join(folder, 'rows.gif')
    assert.ok(E.isRight(await writeSheet(path, rows, sizes, look)()))
    const read = await readGif(path)()
    assert.ok(E.isRight(read))
    const { width, height, frames } = read.right
    assert.deepEqual([width, height, frames.length], [3 * 48 + 2 * 3, 3 * 32 + 2 * 3, 8])
    for (const [t, frame] of frames.entries()) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const [row, column] = [Math.floor(y / 35), Math.floor(x / 51)]
          const inGap = y % 35 >= 32 || x % 51 >= 48
          const clip = inGap ? undefined : rows[row]?.[column]
          for (let c = 0; c < 3; c++) {
            const [clipY, clipX] = [Math.floor((y % 35) / 2), Math.floor((x % 51) / 2)]
            const value = clip === undefined ? 1 : clip[((c * 8 + t) * 16 + clipY) * 24 + clipX]!
            const got = frame[4 * (y * width + x) + c]!
            assert.ok(
              Math.abs(got - 127.5 * (value + 1)) <= paletteError,
              `frame ${t}, pixel ${y} ${x}, channel ${c}: ${got}, not ${value}`,
            )
          }
        }
      }
    }
  })

  it('is a fault where it cannot be written, and so are no clips and clips of another size', async () => {
    const clip = makeClip(kinds[0]!, { x: 1, y: 1 }, sizes)
    const path = join(folder, 'nowhere', 'sheet.gif')
    const refusals = [
      [await writeSheet(path, [[clip]], sizes, look)(), /nowhere/],
      [await writeSheet(join(folder, 'none.gif'), [[], []], sizes, look)(), /got none/],
      [
        await writeSheet(join(folder, 'odd.gif'), [[clip]], { ...sizes, frames: 9 }, look)(),
        /9216 numbers, but c:3 t:9 y:16 x:24 has 10368/,
      ],
    ] as const
    for (const [result, words] of refusals) {
      assert.ok(E.isLeft(result))
      assert.match(sentence(result.left), words)
    }
  })
})
