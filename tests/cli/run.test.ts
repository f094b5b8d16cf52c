import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { decodeWith } from '#lib/codec.ts'
import { ChromeTraceCodec } from '#lib/report/chrome-trace.ts'
import { right } from '../run/link/links.ts'
import { type Answer, folderFor, shardwise } from './command.ts'

const folder = folderFor('run')

const run = (...words: readonly string[]): Answer =>
  shardwise('run', 'examples/two-stages.ts', '--ranks', '2', '--backend', 'reference', '--quiet', ...words)

describe('shardwise run', () => {
  it('writes a trace of its last run and says what took how long, over links as slow as asked for', () => {
    const path = join(folder, 'trace.json')
    const { code, out, error } = run('--trace', path, '--throttle', '100MB/s 1ms', '--link', 'tcp', '--repeat', '2')
    assert.equal(code, 0, error)
    assert.match(out, /link: tcp, as slow as 100MB\/s 1000us; bytes counted on the wire = bytes in the plan/)
    assert.match(out, /rank 1 .* ms compute, .* ms pack, .* ms wire, .* ms wait, .* ms unpack, /)
    const { traceEvents } = right(decodeWith('trace', ChromeTraceCodec, JSON.parse(readFileSync(path, 'utf8'))))
    const sent = traceEvents.flatMap((event) => event.ph === 'X' && event.cat === 'wire' && event.args.bytes !== undefined ? [event] : [])
    // One switch in each of two ranks: half of what a rank holds goes to the other.
    const bytes = 16 * 1024 * 384 * 4 / 4
    assert.deepEqual(sent.map(({ pid, args }) => [pid, args.bytes]), [[0, bytes], [1, bytes]])
    for (const { dur } of sent) assert.ok(dur >= 1e6 * (0.001 + bytes / 100e6) - 1)
  })

  it('refuses links that it cannot read, and a trace that it cannot write', () => {
    const unread = run('--throttle', 'fast')
    assert.equal(unread.code, 2)
    assert.match(unread.error, /'fast' doesn't say what links there are/)
    const unwritten = run('--trace', join(folder, 'no', 'trace.json'), '--in-process')
    assert.equal(unwritten.code, 1)
    assert.match(unwritten.error, /trace\.json: there is no such file/)
  })
})
