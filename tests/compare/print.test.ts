import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { comparedIn } from '#lib/compare/codec.ts'
import { printComparison } from '#lib/compare/print.ts'
import { labelsOf, tablesOf } from '#lib/compare/tables.ts'
import { compared } from './programs.ts'

describe('a comparison on the terminal', () => {
  it('has tables that fit 120 columns, a line for what is refused, and says how times were found', async () => {
    const comparison = await compared(true)
    const lines = stripVTControlCharacters(printComparison(comparison)).split('\n')
    const tables = lines.slice(0, lines.findIndex((line) => line.includes('refused')))
    for (const line of tables.filter((text) => /training|program/.test(text))) assert.ok(line.length <= 120, `${line.length}: ${line}`)
    assert.ok(lines.some((line) => /^three\.ts: refused, no <b>mesh/.test(line)))
    assert.ok(lines.some((line) => /^estimated for cluster h100/.test(line)))
    assert.ok(lines.some((line) => /^measured on this machine: 5 runs of each program in turn/.test(line)))
  })

  it('leaves out columns and tables that are empty', async () => {
    const heads = tablesOf(await compared(false)).map(({ columns }) => columns.map(({ head }) => head))
    assert.deepEqual(heads, [
      ['program', 'sent', '× first', 'forward', 'backward', 'messages'],
      ['program', 'work', 'stored', 'transient', 'peak'],
      ['program', 'estimated', 'exchanging'],
    ])
    const bare = { ...await compared(false), estimatedFor: null }
    assert.equal(tablesOf(bare).length, 2)
  })

  it('calls programs by their names without what all end with, or by their files', async () => {
    const comparison = await compared(false)
    const [program] = comparedIn(comparison)
    const named = (...names: readonly string[]) =>
      labelsOf({ ...comparison, programs: names.map((name, i) => ({ ...program!, name, file: `${i}.ts` })) })
    assert.deepEqual(named('DSP, training', 'Ulysses, frames cut, training'), ['DSP', 'Ulysses, frames cut'])
    assert.deepEqual(named('DSP, training', 'DSP'), ['DSP, training', 'DSP'])
    assert.deepEqual(named('DSP', 'DSP', 'other'), ['0.ts', '1.ts', 'other'])
  })
})
