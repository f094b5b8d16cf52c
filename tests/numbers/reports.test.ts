import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { partOf, readDocument } from './document.ts'

const page = new URL('../../docs/numbers.md', import.meta.url)
const names = [...Array.from({ length: 14 }, (_, i) => `A${i + 1}`), 'B2', 'B3', 'B4', 'B5']

/** The rows of the table, cell by cell; a bar in a cell is written `\\|`. */
const rows = partOf(readDocument(), 'reports').trim().split('\n').slice(2).map((row) =>
  row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())
)

/** The tests that a cell names: the path of a file, and the titles behind it. */
const citedIn = (cell: string): readonly { readonly path: string; readonly title: string }[] =>
  [...cell.matchAll(/\((\.\.\/[^)]+)\)((?:[,\s]*“[^”]+”)+)/g)]
    .flatMap(([, path, titles]) => [...titles!.matchAll(/“([^”]+)”/g)].map(([, title]) => ({ path: path!, title: title! })))

describe('the bug reports of docs/numbers.md', () => {
  it('are all there, each with its source, its kind and what holds now', () => {
    assert.deepEqual(rows.map(([report]) => report!.split(':')[0]), names)
    for (const row of rows) {
      assert.equal(row.length, 5, row[0])
      assert.ok(row.every((cell) => cell !== ''), row[0])
      assert.match(row[1]!, /^(own trial|[\w/ -]+#\d+(, [\w/ -]+#\d+)*)$/)
    }
  })

  it('name tests that exist', () => {
    for (const [report, , , , tests] of rows) {
      const cited = citedIn(tests!)
      assert.ok(cited.length > 0, report)
      for (const { path, title } of cited) {
        const file = new URL(path, page)
        assert.ok(existsSync(file), `${report}: there is no ${path}`)
        // … stands for what differs between cases, which the file computes.
        const words = title.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('.*')
        assert.match(readFileSync(file, 'utf8'), new RegExp(`['"\`]${words}['"\`][,\\]]`), `${report}: ${path} has no test “${title}”`)
      }
    }
  })
})
