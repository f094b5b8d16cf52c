import * as E from 'fp-ts/lib/Either.js'
import type { Executable } from '#backends/backend.ts'
import type { Elements } from '../dtype.ts'
import type { Fault } from '../fault.ts'
import { type Kernel, reads, scatteredRows, type View } from '../kernel/kernel.ts'

/** A view with the loops that it really runs over. */
interface Extent {
  readonly view: View
  readonly sizes: readonly number[]
}

/** What kind of number that is not finite a kernel made of finite ones; null if it did not. */
export const madeNotFinite = async (executable: Executable, kernel: Kernel): Promise<E.Either<Fault, 'NaN' | 'an infinity' | null>> => {
  const made = await look(executable, written(kernel))
  if (E.isLeft(made) || made.right === null) return made
  for (const view of reads(kernel)) {
    const loops = loopsOf(kernel)
    const stats = kernel.kind === 'attention-gradient' && view === kernel.stats
    const read = await look(executable, extentOf(view, stats ? [...loops.slice(0, -1), 2] : loops))
    if (E.isLeft(read)) return read
    // It was there before: this kernel only passed it on.
    if (read.right !== null) return E.right(null)
  }
  return made
}

/** The first kind of such a number among the elements that a view shows. */
const look = async (executable: Executable, { view, sizes }: Extent): Promise<E.Either<Fault, 'NaN' | 'an infinity' | null>> => {
  if (view.type !== 'f32') return E.right(null)
  const elements = await executable.read(view, sizes)()
  return E.isLeft(elements) ? elements : E.right(kindIn(elements.right))
}

export const kindIn = (elements: Elements): 'NaN' | 'an infinity' | null => {
  let infinite = false
  for (let i = 0; i < elements.length; i++) {
    if (Number.isNaN(elements[i]!)) return 'NaN'
    infinite ||= Math.abs(elements[i]!) === Infinity
  }
  return infinite ? 'an infinity' : null
}

/** All loops of a kernel. */
const loopsOf = (kernel: Kernel): readonly number[] => {
  switch (kernel.kind) {
    case 'map':
    case 'gather':
      return kernel.sizes
    case 'row':
      return [...kernel.outer, ...kernel.inner]
    case 'contract':
      return [...kernel.batch, ...kernel.rows, ...kernel.columns, ...kernel.inner]
    case 'attention':
      return [...kernel.rows, kernel.keys, kernel.features]
    case 'attention-gradient':
      return [...kernel.rows, ...kernel.inner, kernel.features]
    case 'scatter':
      return [...kernel.batch, ...kernel.inner, ...kernel.rest]
  }
}

/** A view without the loops along which it repeats itself. */
const extentOf = (view: View, loops: readonly number[]): Extent => {
  if (loops.some((size) => size === 0)) return { view: { ...view, strides: [1] }, sizes: [0] }
  const moving = loops.flatMap((_, i) => view.strides[i] === 0 ? [] : [i])
  return { view: { ...view, strides: moving.map((i) => view.strides[i]!) }, sizes: moving.map((i) => loops[i]!) }
}

/** What a kernel writes; a result per row has no inner loops. */
const written = (kernel: Kernel): Extent => {
  if (kernel.kind === 'scatter') {
    const { view, sizes } = scatteredRows(kernel)
    return extentOf(view, sizes)
  }
  const loops = loopsOf(kernel)
  if (kernel.kind !== 'row' || kernel.per === 'element') return extentOf(kernel.output, loops)
  return extentOf({ ...kernel.output, strides: kernel.output.strides.slice(0, kernel.outer.length) }, kernel.outer)
}
