import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { trace } from '#lib/language/trace.ts'
import { compilerOf, diagnose, inFolder } from './compilers.ts'
import { corpus, load, programsOf, titleOf } from './corpus.ts'
import { alone, fixesIn, follow } from './fixes.ts'

/** Where an operand is wrong in more than one way, or several operands are, each fix brings up the next. */
const rounds = 3

describe('the fix that a message proposes', () => {
  it('makes the program right, for the types and for the trace', () => inFolder(async (folder) => {
    const right: { readonly file: string; readonly told: string }[] = []
    for (const program of corpus('wrong')) {
      const text = alone(program)
      const { line } = programsOf('', text)[0]!.fault!
      for (const [i, way] of fixesIn(program.fault!.sentence).entries()) {
        const told = [titleOf(program)]
        let sentence: string | undefined = program.fault!.sentence
        let fixed = follow(text, line, way)
        for (let round = 1; sentence !== undefined; round++) {
          told.push(sentence, fixed)
          const file = join(folder, `${titleOf(program).replace(': ', '-')}-${i}-${round}.ts`)
          writeFileSync(file, fixed)
          const traced = trace(await load({ ...program, file }))
          const next: string | undefined = E.isLeft(traced) && traced.left.tag === 'Refused' ? traced.left.message : undefined
          if (next === undefined) right.push({ file, told: told.join('\n') })
          else {
            const again = fixesIn(next)[0]
            assert.ok(round < rounds && next !== sentence && again !== undefined, [...told, next].join('\n'))
            fixed = follow(fixed, line, again)
          }
          sentence = next
        }
      }
    }
    assert.ok(right.length > 100, `${right.length} ways to fix a program`)
    const compiler = compilerOf(right.map(({ file }) => file))
    for (const { file, told } of right) assert.deepEqual(diagnose(compiler, [file]).map(({ text }) => text), [], told)
  }))
})
