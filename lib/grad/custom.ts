import { makeNode, type Node, nodeOf, tensorOf } from '../language/record.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { crossByName, type Op } from '../op.ts'

const op: Op = {
  name: 'customGradient',
  shape: ([x]) => x!,
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[0]],
  kernel: ([x]) => ({ family: 'view', view: { of: 'reorder', dims: x!.dims.map(({ name }) => name) } }),
}

/** What a gradient of one's own is told: the gradient of the output, and the tensors that went in and came out. */
export interface CustomGradient<I extends readonly AnyTensor[], Y extends AnyTensor> {
  readonly cotangent: Y
  readonly inputs: I
  readonly output: Y
}

/**
 * A function with a gradient of one's own: `backward` gives one for each input, or undefined where there is none. Each must
 * have the dims of its input in the same order.
 *
 *     const clipped = customGradient((x: Activation) => x, ({ cotangent }) => [pipe(cotangent, minimum(1), maximum(-1))])
 */
export const customGradient = <I extends readonly AnyTensor[], Y extends AnyTensor>(
  forward: (...inputs: I) => Y,
  backward: (given: CustomGradient<I, Y>) => readonly (AnyTensor | undefined)[],
) =>
(...inputs: I): Y => {
  const result: Node = nodeOf(forward(...inputs))
  const { shape, layout, mesh, where } = result
  const pullback: Node['pullback'] = {
    of: inputs.map(nodeOf),
    gradients: (given) => backward(given as unknown as CustomGradient<I, Y>),
  }
  return tensorOf(makeNode({ op, attributes: {}, operands: [result], shape, layout, mesh, where, pullback })) as unknown as Y
}
