import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { comparedIn, decodeComparison, measurementOf } from '#lib/compare/codec.ts'
import { ChromeTraceCodec } from '#lib/report/chrome-trace.ts'
import { type Answer, folderFor, shardwise } from './command.ts'

/** The command as a person types it. */
const folder = folderFor('compare')
const compare = (...words: readonly string[]): Answer => shardwise('compare', ...words)

const programs = ['examples/video/small.ts', 'examples/baselines/dsp-2d.ts']

describe('shardwise compare', () => {
  it('compares plans without running them, for people and as JSON, and makes a refused program a row', () => {
    const { out, code, error } = compare(...programs, '--ranks', '3', '--no-measure', '--cluster', 'h100')
    assert.equal(code, 0, error)
    assert.match(out, /video transformer {2}33 KiB/)
    assert.match(out, /dsp-2d\.ts: refused, .*--mesh with its axes/)
    assert.match(out, /s:16 over sp=3: pieces of 6, 5, 5/)
    const json = compare(...programs, '--mesh', 'dp=1 sp=3', '--no-measure', '--json')
    const comparison = decodeComparison(JSON.parse(json.out))
    assert.ok(E.isRight(comparison))
    assert.deepEqual(comparison.right.programs.map(({ file }) => file), programs)
    assert.equal(comparedIn(comparison.right)[0]!.plan.sentInAll, 33 * 1024)
  })

  it('measures over slower links, and writes JSON, a page and a trace', () => {
    const [json, html, trace] = ['c.json', 'c.html', 't.json'].map((name) => join(folder, name))
    const words = ['--ranks', '2', '--backend', 'reference', '--in-process', '--links', '1GB/s 1us']
    const { out, code, error } = compare(programs[0]!, ...words, `--json=${json}`, '--html', html!, '--trace', trace!)
    assert.equal(code, 0, error)
    assert.match(out, /link local slowed to 1GB\/s 1us/)
    const comparison = decodeComparison(JSON.parse(readFileSync(json!, 'utf8')))
    assert.ok(E.isRight(comparison))
    const [program] = comparedIn(comparison.right)
    const measurement = measurementOf(program!)!
    assert.equal(measurement.sent, program!.plan.sentInAll)
    assert.ok(measurement.activities.wire > 0)
    assert.match(readFileSync(html!, 'utf8'), /^<!doctype html>/)
    assert.ok(E.isRight(ChromeTraceCodec.decode(JSON.parse(readFileSync(trace!, 'utf8')))))
  })

  it('says what is wrong with a command line', () => {
    for (
      const [words, said] of [
        [['--repeat', '3'], /--repeat takes a whole number of at least 5/],
        [['--no-measure', '--links', '1GB/s 1us'], /leave out --no-measure/],
        [['--links', 'fast'], /doesn't say what links there are/],
        [['--cluster', 'cray'], /there is no cluster 'cray'/],
      ] as const
    ) {
      const { code, error } = compare(programs[0]!, ...words, '--html', join(folder, 'never.html'))
      assert.equal(code, 2)
      assert.match(error, said)
    }
    assert.ok(!existsSync(join(folder, 'never.html')))
  })
})
