import { makeNode, type Node, nodeOf, tensorOf } from '../language/record.ts'
import { refuse } from '../language/refusal.ts'
import type { AnyTensor } from '../language/tensor.ts'
import { printSpec, wholeLayout } from '../layout/layout.ts'
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
    gradients: (given) => checked(backward(given as unknown as CustomGradient<I, Y>), inputs),
  }
  return tensorOf(makeNode({ op, attributes: {}, operands: [result], shape, layout, mesh, where, pullback })) as unknown as Y
}

/** Gradients that fit their inputs: as many, each of the same dims in the same order. */
const checked = (gradients: readonly (AnyTensor | undefined)[], inputs: readonly AnyTensor[]): readonly (AnyTensor | undefined)[] => {
  if (gradients.length !== inputs.length) {
    refuse(`customGradient: there are ${inputs.length} inputs but ${gradients.length} gradients; give undefined where there is none`)
  }
  const whole = ({ shape }: Node): string => `${printSpec(shape, wholeLayout(shape))} (${shape.type})`
  gradients.forEach((gradient, i) => {
    if (gradient === undefined) return
    const [want, got] = [whole(nodeOf(inputs[i]!)), whole(nodeOf(gradient))]
    if (got !== want) refuse(`customGradient: input ${i + 1} is ${want} but its gradient is ${got}`)
  })
  return gradients
}
