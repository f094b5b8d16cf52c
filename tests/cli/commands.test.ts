import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { parseSafetensors } from '#lib/files/safetensors.ts'
import { folderFor, home, shardwise } from './command.ts'

/** The commands as a person types them: processes, with what they print and their exit codes. */
const folder = folderFor('cli')

/** A program file with one line of the two stages replaced. */
const variant = (name: string, from: string, to: string): string => {
  const path = join(folder, name)
  const source = readFileSync(join(home, 'examples/two-stages.ts'), 'utf8')
    .replace("'#lib/mod.ts'", `'${join(home, 'lib/mod.ts')}'`).replace("'#ops/mod.ts'", `'${join(home, 'ops/mod.ts')}'`)
    .replace("'fp-ts/lib/function.js'", `'${join(home, 'node_modules/fp-ts/lib/function.js')}'`)
  assert.ok(source.includes(from))
  writeFileSync(path, source.replace(from, to))
  return path
}

describe('shardwise', () => {
  it('lists its commands, and says what is wrong with a command line, with exit code 2', () => {
    assert.match(shardwise('--help').out, /run\|explain\|plan\|check\|doctor/)
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { readonly version: string }
    assert.equal(shardwise('--version').out, `${version}\n`)
    for (
      const [words, said] of [
        [['walk'], /there is no command 'walk'; the commands are run, explain, plan, check, doctor/],
        [['explain'], /PROGRAM/],
        [['explain', 'examples/two-stages.ts', '--ranks', 'many'], /--ranks takes a whole number of at least 1, not 'many'/],
        [['run', 'examples/two-stages.ts', '--seed', '1.5'], /--seed takes a whole number within ±2\^53, not '1.5'/],
        [
          ['run', 'examples/two-stages.ts', '--seed', '9007199254740992'],
          /--seed takes a whole number within ±2\^53, not '9007199254740992'/,
        ],
        [['run', 'examples/two-stages.ts', '--backend', 'cuda'], /--backend is one of auto, webgpu, reference, not 'cuda'/],
        [['explain', 'examples/two-stages.ts', '--mesh', 'sp:4'], /mesh: 'sp:4' is not of the form axis=ranks/],
        [['explain', 'lib/fault.ts'], /its default export is not a program/],
      ] as const
    ) {
      const { code, error } = shardwise(...words)
      assert.match(error, said)
      assert.equal(code, 2, words.join(' '))
    }
  })

  it('explains a program, for people and as JSON, on any number of ranks', () => {
    const { out, code } = shardwise('explain', 'examples/two-stages.ts')
    assert.equal(code, 0)
    assert.match(
      out,
      /two-stages\.ts:11 {2}layout\('s@sp'\) {2}switch t→s over sp {2}all-to-all {2}4\.50 MiB sent per rank {2}softmax needs t whole/,
    )
    assert.match(out, /lower bound 18 MiB: minimal \(proven\)/)
    const { total } = JSON.parse(shardwise('explain', 'examples/two-stages.ts', '--ranks', '8', '--json').out) as {
      total: { bytesPerRank: number }
    }
    // 2 M (N-1) / N² for one switch: M = 16·1024·384·4 bytes, N = 8.
    assert.equal(total.bytesPerRank, (16 * 1024 * 384 * 4 * 7) / 64)
  })

  it('writes a plan that explain and run take, and refuses a plan that was changed', () => {
    const path = join(folder, 'plan.json')
    assert.equal(shardwise('plan', 'examples/two-stages.ts', '--ranks', '2', '-o', path).code, 0)
    assert.match(shardwise('explain', path).out, /minimal \(proven\)/)
    const outputs = join(folder, 'out.safetensors')
    const ran = shardwise('run', path, '--backend', 'reference', '--in-process', '-o', outputs, '--quiet')
    assert.equal(ran.code, 0, ran.error)
    assert.match(ran.out, /bytes counted on the wire = bytes in the plan/)
    const stored = parseSafetensors(outputs, readFileSync(outputs))
    assert.ok(E.isRight(stored))
    assert.deepEqual(stored.right['output']!.sizes, [16, 1024, 384])
    writeFileSync(path, readFileSync(path, 'utf8').replace('"two stages"', '"three stages"'))
    const refused = shardwise('explain', path)
    assert.equal(refused.code, 1)
    assert.match(refused.error, /plan: expected .* at hash, got .*the plan was changed after it was made/)
  })

  it('runs the ranks as processes and compares wire and plan', () => {
    const { code, out, error } = shardwise('run', 'examples/two-stages.ts', '--ranks', '3')
    assert.equal(code, 0, error)
    assert.match(out, /rank 2/)
    assert.match(out, /bytes counted on the wire = bytes in the plan/)
  })

  it('shows a mistake at its source line, underlined, in one sentence, and with the same words when it is run', () => {
    const path = variant('wrong.ts', "softmax('t')", "softmax('s')")
    const checked = shardwise('check', path)
    assert.equal(checked.code, 1)
    const [, source, underline, said] = checked.out.split('\n')
    assert.match(source!, /^12 {2}softmax\('s'\)/)
    assert.equal(underline!.trim(), '~~~~~~~~~~~~')
    assert.match(said!, /^softmax needs dim 's' whole, but it is @sp; fix: layout\('/)
    const traced = shardwise('explain', path)
    assert.equal(traced.code, 1)
    assert.ok(traced.error.includes(said!), traced.error)
    assert.match(traced.error, /wrong\.ts:12/)
    assert.equal(shardwise('check', 'examples/two-stages.ts').code, 0)
  })

  it('says which adapter, link and runtimes there are', () => {
    const { code, out } = shardwise('doctor')
    assert.equal(code, 0, out)
    for (const word of ['driver', 'backend', 'link', 'node ranks', 'deno ranks']) assert.ok(out.includes(word))
    assert.ok((JSON.parse(shardwise('doctor', '--json').out) as { gpu: { chosen: string } }).gpu.chosen !== null)
  })
})
