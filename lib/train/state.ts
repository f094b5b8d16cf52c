import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { type Mesh, piecesAlong } from '../language/mesh.ts'
import {
  type Declaration,
  type Declarations,
  type DeclarationTree,
  isDeclaration,
  parameter as declareParameter,
} from '../language/program.ts'
import { readSpec } from '../language/read-spec.ts'
import { type Layout, printSpec, type Shape } from '../layout/layout.ts'
import { zeros } from './initialise.ts'
import type { Optimiser } from './optimiser.ts'

/** A parameter of a training by its dotted name. */
export interface Named {
  readonly name: string
  readonly declaration: Declaration
}

/** The optimiser's state: a count of steps, its numbers, and its moments by the parameters' names. */
export const stateOf = (optimiser: Optimiser, parameters: readonly Named[], mesh: Mesh): Declarations => ({
  step: declareParameter('', 'i32', zeros),
  ...Object.fromEntries(optimiser.numbers.map((number) => [number, declareParameter('', zeros)])),
  ...Object.fromEntries(optimiser.moments.map((moment) => [
    moment,
    Object.fromEntries(
      parameters.map(({ name, declaration: { spec } }) => [name, declareParameter(momentSpec(spec, optimiser, mesh), zeros)]),
    ),
  ])),
})

/** A parameter's dims, cut over one more axis. A spec that cannot be read is refused where the parameter itself is. */
const momentSpec = (spec: string, { shard }: Optimiser, mesh: Mesh): string =>
  pipe(
    E.tryCatch(() => readSpec('parameter', spec, 'f32'), () => spec),
    E.match((unread) => unread, ({ shape, layout }) =>
      printSpec(shape, sharded(shape, layout, mesh.axes.some(({ name }) => name === shard) ? shard : undefined, mesh))),
  )

/** A layout with one more axis, along the longest dim that has no cut; as it is, where the axis cuts already or no dim is left. */
const sharded = (shape: Shape, layout: Layout, axis: string | undefined, mesh: Mesh): Layout => {
  if (axis === undefined || layout.cuts.some((cut) => cut.includes(axis))) return layout
  const open = shape.dims.flatMap(({ size }, i) => layout.cuts[i]!.length === 0 && size >= piecesAlong(mesh, [axis]) ? [{ size, i }] : [])
  const longest = open.reduce((best, one) => one.size > best.size ? one : best, { size: 0, i: -1 })
  return { ...layout, cuts: layout.cuts.map((cut, i) => i === longest.i ? [axis] : cut) }
}

/** Inputs with one more dim in front, for so many batches one behind the other. */
export const stacked = (inputs: Declarations, dim: string, batches: number): Declarations =>
  mapDeclarations(inputs, (one) => ({ ...one, spec: `${dim}:${batches} ${one.spec}`.trim() }))

const mapDeclarations = (tree: DeclarationTree, change: (one: Declaration) => Declaration): Declarations =>
  Object.fromEntries(
    Object.entries(tree).map(([key, part]: [string, DeclarationTree]) => [
      key,
      isDeclaration(part) ? change(part) : mapDeclarations(part, change),
    ]),
  )
