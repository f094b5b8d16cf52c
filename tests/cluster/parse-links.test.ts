import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import type { Links } from '#lib/cluster/links.ts'
import { parseLinks, printLinks } from '#lib/cluster/parse-links.ts'
import { sentence } from '#lib/fault.ts'

const read = (text: string): Links => {
  const links = parseLinks(text)
  if (E.isLeft(links)) throw new Error(sentence(links.left))
  return links.right
}
const numbers = (links: Links) =>
  links.map(({ ranks, bandwidth, latency }) => ({ ranks, bandwidth, latency: Number(latency.toPrecision(9)) }))

test('one level, and levels from the inside to the outside', () => {
  assert.deepEqual(numbers(read('100MB/s 50us')), [{ ranks: null, bandwidth: 1e8, latency: 50e-6 }])
  assert.deepEqual(numbers(read('300GB/s 3us x8, 50GB/s 10us')), [
    { ranks: 8, bandwidth: 3e11, latency: 3e-6 },
    { ranks: null, bandwidth: 5e10, latency: 10e-6 },
  ])
  assert.deepEqual(numbers(read('2.5Gbit/s 0.2ms')), [{ ranks: null, bandwidth: 312.5e6, latency: 200e-6 }])
})

test('links are read as they are written', () => {
  const level = fc.record({
    factor: fc.integer({ min: 2, max: 9 }),
    bandwidth: fc.double({ min: 1, max: 1e13, noNaN: true }),
    latency: fc.double({ min: 0, max: 10, noNaN: true }),
  })
  fc.assert(fc.property(fc.array(level, { minLength: 1, maxLength: 4 }), (levels) => {
    let inside = 1
    const links = levels.map(({ factor, bandwidth, latency }, i): Links[number] => {
      inside *= factor
      return { name: `level ${i}`, ranks: i === levels.length - 1 ? null : inside, bandwidth, latency }
    })
    const again = read(printLinks(links))
    assert.deepEqual(again.map(({ ranks }) => ranks), links.map(({ ranks }) => ranks))
    for (const [i, { bandwidth, latency }] of again.entries()) {
      assert.ok(Math.abs(bandwidth / links[i]!.bandwidth - 1) < 1e-12)
      assert.ok(Math.abs(latency - links[i]!.latency) <= 1e-12 * links[i]!.latency)
    }
  }))
})

test('whatever else is given is refused in one sentence that shows the form', () => {
  const wrong = [
    '',
    'fast',
    '100MB/s',
    '50us',
    '0MB/s 5us',
    '-1MB/s 5us',
    '1MB/s -5us',
    '1MB/s 5us x8',
    '1GB/s 1us, 1MB/s 5us',
    '1GB/s 1us x1, 1MB/s 5us',
    '1GB/s 1us x8, 1MB/s 5us x12, 1MB/s 1ms',
    '1GB/s 1us x8,',
    '1GB 1us',
    '1e999MB/s 1us',
  ]
  for (const text of wrong) {
    const links = parseLinks(text)
    assert.ok(E.isLeft(links), text)
    const said = sentence(links.left)
    assert.match(said, /write '100MB\/s 50us'/)
    assert.ok(!said.includes('\n'))
  }
  fc.assert(fc.property(fc.string(), (text) => {
    const links = parseLinks(text)
    assert.ok(E.isLeft(links) || links.right.length > 0)
  }))
})
