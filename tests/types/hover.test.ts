import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { printPending, printSpec } from '#lib/layout/layout.ts'
import { trace, type Traced } from '#lib/language/trace.ts'
import { compilerOf } from './compilers.ts'
import { corpus, filesOf, load, titleOf } from './corpus.ts'
import { resultTypes } from './results.ts'

/** What an editor shows for a tensor: everything that the trace will make of it, and no name of a helper type. */
const shown = ({ outputs, mesh }: Traced): readonly string[] => outputs.map(({ node: { shape, layout, mesh: of } }) =>
  `Tensor<"${printSpec(shape, layout)}", "${printPending(layout.pending)}", ${of === undefined ? 'string' : `"${mesh.text}"`}, "${shape.type}">`)

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
