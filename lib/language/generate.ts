import type { DType } from '../dtype.ts'
import type { Expression } from '../kernel/expression.ts'
import type { Shape } from '../layout/layout.ts'
import { type Attributes, crossByName, type Op } from '../op.ts'
import { checkAxes } from './layout.ts'
import { readSpec } from './read-spec.ts'
import { record } from './record.ts'
import { sourceLine } from './source.ts'
import type { AnyTensor } from './tensor.ts'

/**
 * A function of the position alone, and of operands without dims where there are any. Its result is declared as the spec says:
 * whole, where that names no axes; since each rank can make any piece of it, the pass lays it out as its consumers want, for
 * nothing. It has no gradient.
 */
export const generator = <A extends Attributes>(
  name: string,
  type: DType,
  expression: (shape: Shape, attributes: A) => Expression,
  check: (shape: Shape, attributes: A) => void = () => {},
) => {
  const op: Op<A & { readonly spec: string }> = {
    name,
    shape: (_, attributes) => {
      const { shape } = readSpec(name, attributes.spec, type)
      check(shape, attributes)
      return shape
    },
    crossings: (operands, result) => crossByName(operands, result),
    linear: [],
    constant: true,
    kernel: (_, result, attributes) => ({ family: 'map', expression: expression(result, attributes) }),
  }
  return (spec: string, attributes: A, operands: readonly AnyTensor[] = []): AnyTensor => {
    const where = sourceLine()
    return record(op, { ...attributes, spec }, operands, where, (_, __, mesh) => {
      const { shape, layout } = readSpec(name, spec, type)
      // Without operands no mesh is known yet; the trace checks the axes in the end.
      shape.dims.forEach((dim, i) => checkAxes(name, dim.name, layout.cuts[i]!, mesh))
      return layout
    })
  }
}
