import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { trace } from '#lib/language/trace.ts'
import { compilerOf, diagnose, inFolder } from './compilers.ts'
import { load, programsOf } from './corpus.ts'
import { randomProgram } from './random-programs.ts'
import { resultTypes, shown } from './results.ts'

const imports = `import { pipe } from 'fp-ts/lib/function.js'
import { input, layout, mesh, program, residual, seq, sumOver } from '#lib/mod.ts'
import * as ops from '#ops/mod.ts'
const { add, attention, cast, concat, contract, divide, equal, exp, gather, gelu, greater, layerNorm, linear, logSumExp, max, maximum, mean } = ops
const { merge, min, multiply, negate, not, pad, power, rename, reorder, repeat, scatterAdd, select, selfAttention, slice, softmax, split, square } = ops
const { subtract, sum, variance, where } = ops
`

const count = Number(process.env['SHARDWISE_RANDOM_PROGRAMS'] ?? 300)
const seed = Number(process.env['SHARDWISE_SEED'] ?? 20266)

describe('the types and the trace', () => {
  it('say the same of random programs: the same sentence at the same stage, or the same result', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'random.ts')
      const text = `${imports}\n${fc.sample(randomProgram, { numRuns: count, seed }).map((write, i) => write(`p${i}`)).join('\n\n')}\n`
      writeFileSync(file, text)
      const compiler = compilerOf([file])
      const said = diagnose(compiler, [file])
      let refused = 0
      for (const program of programsOf(file, text)) {
        const told = `\n${text.split('\n').slice(program.from - 1, program.to - 1).join('\n')}`
        const here = said.filter(({ line }) => line >= program.from && line < program.to)
        const traced = trace(await load(program))
        if (E.isRight(traced)) {
          assert.deepEqual(here, [], told)
          assert.deepEqual(resultTypes(compiler, program), shown(traced.right), told)
        } else {
          refused++
          assert.ok(traced.left.tag === 'Refused')
          assert.equal(here.length, 1, `${traced.left.message}\nthe types refuse ${here.length} places${told}`)
          assert.ok(here[0]!.text.includes(`"${traced.left.message}"`), `\ntrace ${traced.left.message}\ntypes ${here[0]!.text}${told}`)
        }
      }
      assert.ok(refused > count / 4 && refused < count, `${refused} of ${count} are refused`)
    }))
})
