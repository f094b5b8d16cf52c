import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { diagnose7, diagnoseDeno, type Diagnostic } from './compilers.ts'
import { corpus, filesOf } from './corpus.ts'

/** The same sentences at the same lines, whichever compiler an editor or a build uses; see corpus.test.ts for TypeScript 6. */
const files = [...filesOf('wrong'), ...filesOf('right'), ...filesOf('hidden')]
const expected = corpus('wrong').map(({ file, fault }) => ({ file, line: fault!.line, sentence: fault!.sentence }))

const compare = (said: readonly Diagnostic[]): void => {
  const ours = said.filter(({ file }) => files.includes(file))
  for (const { file, line, sentence } of expected) {
    const here = ours.filter((one) => one.file === file && one.line === line)
    assert.equal(here.length, 1, `${file}:${line} is refused in ${here.length} places`)
    assert.ok(here[0]!.text.includes(`"${sentence}"`), `\nexpected ${sentence}\nsaid     ${here[0]!.text}`)
  }
  assert.equal(ours.length, expected.length)
}

describe('the corpus of programs', () => {
  it('is judged alike by TypeScript 7', async () => compare(await diagnose7(files)))
  it('is judged alike by deno check', async () => compare(await diagnoseDeno(files)))
})
