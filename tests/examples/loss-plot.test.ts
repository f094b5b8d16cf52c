import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { logTicks, lossPlot, roundTicks } from '../../examples/video-diffusion/loss-plot.ts'

const losses = fc.array(fc.float(), { maxLength: 60 })
const curves = fc.array(fc.record({ name: fc.string(), losses }), { maxLength: 8 })

/** Fails unless the text is well-formed XML (of elements, attributes in double quotes, and text). */
const assertWellFormed = (xml: string): void => {
  const open: string[] = []
  const text = /^(?:[^<>&]|&#\d+;)*$/
  for (const part of xml.split(/(<[^>]*>)/)) {
    const tag = /^<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="(?:[^"<&]|&#\d+;)*")*)(\/?)>$/.exec(part)
    if (tag === null) assert.match(part, text)
    else if (tag[1] === '/') assert.equal(open.pop(), tag[2])
    else {
      const names = [...tag[3]!.matchAll(/ ([a-zA-Z0-9-]+)=/g)].map((attribute) => attribute[1])
      assert.equal(new Set(names).size, names.length, part)
      if (tag[4] === '') open.push(tag[2]!)
      else assert.ok(open.length > 0)
    }
  }
  assert.deepEqual(open, [])
}

/** The points of every polyline. */
const pointsOf = (svg: string): readonly (readonly (readonly [number, number])[])[] =>
  [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) =>
    points!.split(' ').map((point) => {
      const [x, y] = point.split(',').map(Number)
      return [x!, y!] as const
    })
  )

const numbersIn = (svg: string, pattern: RegExp): readonly number[] => [...svg.matchAll(pattern)].map(([, number]) => Number(number))
const labelsOf = (svg: string): readonly number[] => numbersIn(svg, /text-anchor="end" dy="4">([^<]*)</g)

describe('the plot of losses', () => {
  it('is well-formed, whatever the names and the losses', () => {
    fc.assert(fc.property(curves, fc.string(), (curves, title) => assertWellFormed(lossPlot(curves, { title }))))
    assertWellFormed(lossPlot([{ name: 'a < b & "c"', losses: [1] }], { title: '</svg>' }))
    assert.throws(() => assertWellFormed('<a><b></a></b>'))
  })

  it('draws every curve from left to right within the frame', () => {
    fc.assert(fc.property(curves, (curves) => {
      for (const points of pointsOf(lossPlot(curves, { title: '' }))) {
        for (const [i, [x, y]] of points.entries()) {
          assert.ok(x >= 70 && x <= 780 && y >= 44 && y <= 400, `${x} ${y}`)
          assert.ok(i === 0 || x >= points[i - 1]![0])
        }
      }
    }))
  })

  it('draws every loss that is a number, as it is and smoothed, and leaves gaps for the others', () => {
    fc.assert(fc.property(losses, (losses) => {
      const runs: number[][] = [[]]
      for (const loss of losses) Number.isFinite(loss) ? runs.at(-1)!.push(loss) : runs.push([])
      const lengths = runs.map((run) => run.length).filter((length) => length > 0)
      const lines = pointsOf(lossPlot([{ name: '', losses }], { title: '' })).map((points) => points.length - 1)
      assert.deepEqual(lines, [...lengths, ...lengths])
    }))
  })

  it('places higher losses higher, and equal losses equally high', () => {
    fc.assert(fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (losses) => {
      const [points] = pointsOf(lossPlot([{ name: '', losses }], { title: '' }))
      for (const [i, a] of losses.entries()) {
        for (const [j, b] of losses.entries()) if (a >= b) assert.ok(points![i]![1] <= points![j]![1])
      }
    }))
  })

  it('smooths without lag: a straight line stays as it is, but for its end', () => {
    const [raw, smooth] = pointsOf(lossPlot([{ name: '', losses: Array.from({ length: 400 }, (_, step) => 500 - step) }], { title: '' }))
    assert.deepEqual(smooth!.slice(0, 390), raw!.slice(0, 390))
    const jagged = Array.from({ length: 400 }, (_, step) => 2 + (step % 2))
    const middle = pointsOf(lossPlot([{ name: '', losses: jagged }], { title: '' }))[1]!.slice(50, 350).map(([, y]) => y)
    assert.ok(Math.max(...middle) - Math.min(...middle) < (400 - 44) / 10) // the zigzag itself fills the frame
  })

  it('is logarithmic where losses span more than a decade: equal ratios are equally far apart', () => {
    const [points] = pointsOf(lossPlot([{ name: '', losses: [8, 4, 2, 1, 0.5] }], { title: '' }))
    const steps = points!.slice(1, 5).map(([, y], i) => y - points![i]![1])
    for (const step of steps) assert.ok(Math.abs(step - steps[0]!) < 0.03)
    const [even] = pointsOf(lossPlot([{ name: '', losses: [5, 4, 3, 2, 1] }], { title: '' }))
    const differences = even!.slice(1, 5).map(([, y], i) => y - even![i]![1])
    for (const difference of differences) assert.ok(Math.abs(difference - differences[0]!) < 0.03)
  })

  it('says what it shows', () => {
    const svg = lossPlot([{ name: 'one rank', losses: [3, 2, 1] }, { name: 'four ranks', losses: [3, 2, 1] }], { title: 'Loss' })
    for (const words of ['>step<', '>loss<', '>one rank<', '>four ranks<', '<title>Loss</title>']) assert.ok(svg.includes(words), words)
    assert.deepEqual(labelsOf(svg), [1, 1.5, 2, 2.5, 3])
    assert.deepEqual(labelsOf(lossPlot([{ name: '', losses: [40, 0.3] }], { title: '' })), [0.2, 0.5, 1, 2, 5, 10, 20, 50])
  })
})

describe('ticks', () => {
  const rising = (ticks: readonly number[]): boolean => ticks.every((tick, i) => i === 0 || tick > ticks[i - 1]!)

  it('are round, few, rising, and cover the data', () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 1, max: 12 }),
        (a, b, count) => {
          const [least, most] = [Math.min(a, b), Math.max(a, b)]
          const ticks = roundTicks(least, most, count)
          const slack = 1e-9 * Math.max(Math.abs(least), Math.abs(most))
          assert.ok(ticks[0]! <= least + slack && ticks.at(-1)! >= most - slack, String(ticks))
          assert.ok(rising(ticks) && ticks.length >= 2 && ticks.length <= count + 3, String(ticks))
          const [digit] = Number(((ticks.at(-1)! - ticks[0]!) / (ticks.length - 1)).toPrecision(5)).toExponential().split('e')
          assert.ok(['1', '2', '5'].includes(digit!), `${ticks}`)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('of a logarithmic axis too', () => {
    const positive = fc.float({ min: 0, minExcluded: true, noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const [least, most] = [Math.min(a, b), Math.max(a, b)]
        fc.pre(most > 10 * least)
        const ticks = logTicks(least, most)
        assert.ok(ticks[0]! <= least && ticks.at(-1)! >= most && rising(ticks) && ticks.length <= 11, String(ticks))
        for (const tick of ticks) assert.match(tick.toExponential(), /^[125]e/)
      }),
      { numRuns: 500 },
    )
  })
})
