import type { DType } from '../dtype.ts'
import type { Expression } from '../kernel/expression.ts'
import type { Shape } from '../layout/layout.ts'
import { type Attributes, crossByName, type Op } from '../op.ts'
import { readSpec } from './read-spec.ts'
import { record } from './record.ts'
import { sourceLine } from './source.ts'
import type { AnyTensor } from './tensor.ts'

/**
 * An op without operands: a function of the position alone. Its result is declared whole; since each rank can make any
 * piece of it, the pass lays it out as its consumers want, for nothing.
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
    kernel: (_, result, attributes) => ({ family: 'map', expression: expression(result, attributes) }),
  }
  return (spec: string, attributes: A): AnyTensor => {
    const where = sourceLine()
    return record(op, { ...attributes, spec }, [], where, () => readSpec(name, spec, type).layout)
  }
}
