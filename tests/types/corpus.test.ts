import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { trace } from '#lib/language/trace.ts'
import { compilerOf, type Diagnostic, diagnose, linesOf } from './compilers.ts'
import { corpus, filesOf, home, load, titleOf, type Written } from './corpus.ts'

const wrong = corpus('wrong')
const right = corpus('right')
const hidden = corpus('hidden')

const within = ({ file, from, to }: Written) => (one: Diagnostic): boolean => one.file === file && one.line >= from && one.line < to

/** A stage that is a call knows its own line; a plain value such as `gelu` only knows that of its pipeline. */
const stageLine = ({ file, fault, from }: Written): number => {
  const lines = linesOf(file)
  if (!/^\s*\w+[,)]/.test(lines[fault!.line - 1]!)) return fault!.line
  return from + lines.slice(from - 1, fault!.line).findLastIndex((line) => line.includes('pipe('))
}

describe('the types', () => {
  const files = [...filesOf('wrong'), ...filesOf('right'), ...filesOf('hidden')]
  const said = diagnose(compilerOf(files), files)

  for (const program of wrong) {
    it(`refuse ${titleOf(program)}`, () => {
      const [first, ...more] = said.filter(within(program))
      assert.ok(first !== undefined, 'nothing is refused')
      assert.deepEqual(more, [], 'more than one place is refused')
      assert.ok(first.text.includes(`"${program.fault!.sentence}"`), `\nexpected ${program.fault!.sentence}\nsaid     ${first.text}`)
      assert.equal(first.line, program.fault!.line)
    })
  }
  for (const program of [...right, ...hidden]) {
    it(`accept ${titleOf(program)}`, () => assert.deepEqual(said.filter(within(program)), []))
  }
  it('say nothing outside of programs', () => {
    assert.deepEqual(said.filter((one) => ![...wrong, ...right, ...hidden].some((program) => within(program)(one))), [])
  })
})

describe('the trace', () => {
  for (const program of [...wrong, ...hidden]) {
    it(`refuses ${titleOf(program)}`, async () => {
      const traced = trace(await load(program))
      assert.ok(E.isLeft(traced), 'nothing is refused')
      assert.ok(traced.left.tag === 'Refused')
      const { file, fault } = program
      assert.equal(traced.left.message, fault!.sentence)
      if (traced.left.where !== undefined) assert.equal(`${home}${traced.left.where}`, `${file}:${stageLine(program)}`)
    })
  }
  for (const program of right) {
    it(`accepts ${titleOf(program)}`, async () => {
      const traced = trace(await load(program))
      assert.ok(E.isRight(traced), E.isLeft(traced) ? JSON.stringify(traced.left) : '')
    })
  }
})
