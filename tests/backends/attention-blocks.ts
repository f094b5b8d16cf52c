import fc from 'fast-check'
import type { View } from '#lib/kernel/kernel.ts'
import { threefry } from '#lib/kernel/threefry.ts'
import { type Buffer, randomElements } from './support.ts'

/** What the tests of attention block by block share: masks, splits, and elements of views by their positions. */

/** The element of a view at a position of its loops. */
export const elementAt = (buffers: readonly Buffer[], { buffer, offset, strides }: View, position: readonly number[]): number =>
  buffers[buffer]!.elements[strides.reduce((at, stride, loop) => at + stride * position[loop]!, offset)]!

/** Every position of a loop nest, in row-major order. */
export const positionsOf = (sizes: readonly number[]): readonly (readonly number[])[] =>
  sizes.reduce<(readonly number[])[]>((all, size) => all.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])), [[]])

/** A view from one position of a loop on. */
export const from = (view: View, loop: number, start: number): View => ({ ...view, offset: view.offset + start * view.strides[loop]! })

/** How many positions there are, cut anywhere into up to four blocks, empty ones among them. */
export const blocksOf = (size: number): fc.Arbitrary<readonly number[]> =>
  fc.array(fc.nat(size), { maxLength: 3 }).map((cuts) => {
    const at = [0, ...cuts.toSorted((a, b) => a - b), size]
    return at.slice(1).map((end, i) => end - at[i]!)
  })

/** Which scores count: some of them, those of every second row of a mask's memory, or none at all. */
export type Kept = 'some' | 'few' | 'none'
export const kept = fc.constantFrom<Kept>('some', 'some', 'few', 'none')

/** A mask's elements: true or a number where a score counts, false or -∞ where not. */
export const maskElements = (type: 'bool' | 'f32', length: number, seed: number, kept: Kept): Buffer['elements'] => {
  const keeps = (i: number): boolean => kept !== 'none' && threefry(seed, i) % 8 < (kept === 'some' ? 5 : 1)
  return type === 'bool'
    ? Int32Array.from({ length }, (_, i) => keeps(i) ? 1 : 0)
    : randomElements('f32', length, seed).map((x, i) => keeps(i) ? x : -Infinity)
}

/** What a mask makes of a score. */
export const masked = (type: 'bool' | 'f32', score: number, mask: number): number =>
  type === 'f32' ? score + mask : mask !== 0 ? score : -Infinity
