import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { trace } from '#lib/language/trace.ts'
import { compilerOf } from './compilers.ts'
import { corpus, filesOf, load, titleOf } from './corpus.ts'
import { resultTypes, shown } from './results.ts'

describe('the type that an editor shows for a result', () => {
  const compiler = compilerOf(filesOf('right'))
  for (const program of corpus('right')) {
    it(`is the plain tensor that the trace makes: ${titleOf(program)}`, async () => {
      const traced = trace(await load(program))
      assert.ok(E.isRight(traced))
      assert.deepEqual(resultTypes(compiler, program), shown(traced.right))
    })
  }
})
