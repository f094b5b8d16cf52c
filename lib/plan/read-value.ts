import type { Layout, Pending, Shape } from '../layout/layout.ts'
import { type Mesh, mesh } from '../language/mesh.ts'
import { readSpec } from '../language/read-spec.ts'
import { boxOn } from '../layout/transfer.ts'
import type { Box } from '../layout/pieces.ts'
import type { Plan, PlanPort, PlanValue } from './plan.ts'

/** A plan's value as shape and layout. */
export const readValue = ({ spec, pending, type }: PlanValue): { readonly shape: Shape; readonly layout: Layout } => {
  const [, axis, by] = /([A-Za-z_]\w*)>(\d+)/.exec(spec) ?? []
  const { shape, layout } = readSpec('plan', spec.replace(/>\d+/g, ''), type)
  const open = pending === '' ? [] : pending.split('+').map((part): Pending => {
    const [axis, combine = 'sum'] = part.split(':')
    return { axis: axis!, combine: combine as Pending['combine'] }
  })
  const turn = axis === undefined ? {} : { turn: { axis, by: Number(by) } }
  return { shape, layout: { cuts: layout.cuts, pending: open, ...turn } }
}

export const meshOf = (plan: Plan): Mesh => mesh(plan.mesh)

/** The part of an input or output that a rank holds. */
export const boxOf = (plan: Plan, port: PlanPort, rank: number): Box => {
  const { shape, layout } = readValue(plan.values[port.value]!)
  return boxOn(shape, layout, meshOf(plan), rank)
}
