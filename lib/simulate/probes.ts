import { pipe } from 'fp-ts/lib/function.js'
import { add, exp, linear, mean, multiply, negate, softmax, subtract } from '#ops/mod.ts'
import { layout } from '../language/layout.ts'
import { mesh } from '../language/mesh.ts'
import { parameter, type Program, program } from '../language/program.ts'

/**
 * Programs whose time is that of one thing: products, arithmetic element by element, memory traffic, launches, exchanges.
 * Every rank does the same at once. What they compute on are parameters, which stay on the ranks, and what they give back is small.
 */
const on = (ranks: number) => mesh(`r=${ranks}` as `r=${number}`)

/** A chain of products of `rows` × `width` by `width` × `width`, twice as many as `pairs`. */
export const products = (ranks: number, pairs: number, rows: number, width: number): Program =>
  program('products', on(ranks), {
    x: parameter(`n:${ranks * rows}@r k:${width}`),
    there: parameter(`j:${width} k:${width}`),
    back: parameter(`k:${width} j:${width}`),
  }, ({ x, there, back }) => {
    let y = x
    for (let i = 0; i < pairs; i++) y = pipe(y, linear({ weight: there }, 'k'), linear({ weight: back }, 'j'))
    return pipe(y, mean('k'))
  })

/** One kernel of `4 · rounds` operations for each element, a quarter of them exponentials. */
export const arithmetic = (ranks: number, rounds: number, elements: number): Program =>
  program('arithmetic', on(ranks), { x: parameter(`n:${8 * ranks}@r m:${Math.ceil(elements / 8)}`) }, ({ x }) => {
    let y = x
    for (let i = 0; i < rounds; i++) y = pipe(y, negate, exp, multiply(x), add(x))
    return pipe(y, mean('m'))
  })

/** Differences of differences: each is read by the next two, so that every one is a kernel of its own, bound by memory. */
export const traffic = (ranks: number, kernels: number, elements: number): Program =>
  program('traffic', on(ranks), {
    x: parameter(`n:${8 * ranks}@r m:${Math.ceil(elements / 8)}`),
    y: parameter(`n:${8 * ranks}@r m:${Math.ceil(elements / 8)}`),
  }, ({ x, y }) => {
    let [before, last] = [x, y]
    for (let i = 0; i < kernels; i++) [before, last] = [last, pipe(last, subtract(before))]
    return pipe(last, add(before), mean('m'))
  })

/** Switches there and back of squares of several widths, in which nothing is whole that a softmax does not need. */
export const switches = (ranks: number, widths: readonly number[], pairs: number): Program =>
  program(
    'switches',
    on(ranks),
    { squares: widths.map((width) => parameter(`t:${width}@r s:${width}`)) },
    ({ squares }) =>
      squares.map((square) => {
        let x = square
        for (let i = 0; i < pairs; i++) x = pipe(x, softmax('s'), layout('s@r'), softmax('t'), layout('t@r'))
        return pipe(x, mean('s'))
      }),
  )
