import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compilerOf, diagnose, tsc7 } from './compilers.ts'
import { opsPerBlock, plainOptions, withDeepPrograms } from './deep-program.ts'

/**
 * What checking types may cost. Seconds depend on the machine; numbers of types and of instantiations don't, so those
 * are held to a budget (tests/benchmarks/type-check.ts measures the seconds).
 */
interface Cost {
  readonly types: number
  readonly instantiations: number
}

const costOf = (file: string): Cost => {
  const compiler = compilerOf([file])
  assert.deepEqual(diagnose(compiler, [file]), [])
  return { types: compiler.getTypeCount(), instantiations: compiler.getInstantiationCount() }
}

const costIn7 = (file: string): Cost => {
  const said = tsc7('--noEmit', '--extendedDiagnostics', ...plainOptions, file)
  assert.doesNotMatch(said, /error TS/)
  const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(said)![1])
  return { types: number('Types'), instantiations: number('Instantiations') }
}

const thousand = 1000 / opsPerBlock

describe('the cost of types', () => {
  for (const [name, cost] of [['TypeScript 6', costOf], ['TypeScript 7', costIn7]] as const) {
    it(`does not grow with depth in ${name}: 2 000 ops need no more types than 1 000`, async () => {
      const [empty, one, two] = await withDeepPrograms(
        { empty: 'empty', one: { chain: thousand }, two: { chain: 2 * thousand } },
        (files) => ['empty', 'one', 'two'].map((file) => cost(files[file]!)),
      )
      assert.ok(Math.abs(two!.types - one!.types) <= 2 * thousand, `${one!.types} types for 1 000 ops, ${two!.types} for 2 000`)
      assert.ok(one!.types - empty!.types <= 8_000, `1 000 ops need ${one!.types - empty!.types} types`)
      assert.ok(one!.instantiations - empty!.instantiations <= 60_000, `1 000 ops need ${one!.instantiations - empty!.instantiations} instantiations`)
    })

    it(`is bounded in ${name} where every block has sizes of its own, and nothing is excessively deep`, async () => {
      const [empty, many] = await withDeepPrograms(
        { empty: 'empty', many: { variety: thousand } },
        (files) => ['empty', 'many'].map((file) => cost(files[file]!)),
      )
      assert.ok(many!.instantiations - empty!.instantiations <= 1_000_000, `${many!.instantiations - empty!.instantiations} instantiations`)
    })
  }
})
