import { on } from '../language/messages.ts'
import { cutOf, isUndecided, type Layout, type Pending, printCuts, type Shape } from './layout.ts'

/** Declarations that a message proposes: texts of `layout`, and where to write them. */

/** An operand as the rules see it. */
export interface Placed {
  readonly shape: Shape
  readonly layout: Layout
}

/** An operand with the part it plays. */
export interface Part extends Placed {
  readonly side: string
}

const cutsBy = (cut: readonly string[], axes: readonly string[]): boolean => !isUndecided(cut) && cut.some((axis) => axes.includes(axis))

/** Whether any of the axes cuts a dim. */
export const cutByAny = ({ layout }: Placed, axes: readonly string[]): boolean => layout.cuts.some((cut) => cutsBy(cut, axes))

const printed = ({ shape, layout }: Placed, change: (cut: readonly string[], name: string) => readonly string[]): string =>
  `layout('${printCuts(shape, { ...layout, cuts: layout.cuts.map((cut, i) => change(cut, shape.dims[i]!.name)) })}')`

/** How to finish what is pending without changing the layout. */
export const finish = (placed: Placed, pending: readonly Pending[]): string => {
  const [first, ...more] = pending
  const fix = printed(placed, (cut) => cut)
  return first === undefined || first.combine !== 'sum' || more.length > 0 ? fix : `${fix} or sumOver('${first.axis}')`
}

/** The layout with one dim cut by the axes, and every dim that shares an axis with them whole. */
export const withCut = (placed: Placed, dim: string, axes: readonly string[]): string =>
  printed(placed, (cut, name) => name === dim ? axes : cutsBy(cut, axes) ? [] : cut)

/** The layout with every dim that the axis cuts whole. */
export const withoutAxis = (placed: Placed, axis: string): string => printed(placed, (cut) => cutsBy(cut, [axis]) ? [] : cut)

/** The layout with one dim whole. */
export const gathered = (placed: Placed, dim: string): string => printed(placed, (cut, name) => name === dim ? [] : cut)

/**
 * A declaration that makes the dim whole and lets its axes cut another one, none of `skip`: the dims after it are tried
 * first, then those before. Where no other dim can be cut, it is gathered.
 */
export const moved = (part: Part, dim: string, axes: readonly string[], skip: readonly string[]): string => {
  const { shape, layout, side } = part
  const at = shape.dims.findIndex(({ name }) => name === dim)
  const kept = printCuts(shape, { ...layout, cuts: layout.cuts.map((cut, i) => i === at ? [] : cut) })
  const [first, second] = [...shape.dims.slice(at + 1), ...shape.dims.slice(0, at)]
    .filter(({ name, size }) => size !== 1 && cutOf(shape, layout, name).length === 0 && !skip.includes(name))
    .map(({ name }) => `${kept}${kept === '' ? '' : ' '}${name}@${axes.join('+')}`)
  return `layout('${first ?? kept}')${on(side)} before it${second === undefined ? '' : ` (or '${second}')`}`
}
