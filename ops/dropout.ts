import { call, input, real } from '#lib/kernel/expression.ts'
import * as say from '#lib/language/messages.ts'
import { knownOptions } from '#lib/language/options.ts'
import { checkLength, elementNumber, type RandomOptions, shown, type Source, sourceOf, uniformAt } from '#lib/language/random.ts'
import { record } from '#lib/language/record.ts'
import { atLine, refuse } from '#lib/language/refusal.ts'
import type { RandomForm } from '#lib/language/rules/random.ts'
import type { Linear } from '#lib/language/rules/unary.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type Accept, type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { needKind } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

const op: Op<Source & { readonly rate: number }> = {
  name: 'dropout',
  sides: () => ['input', 'seed'],
  shape: ([x]) => {
    needKind('dropout', x!, 'real')
    checkLength('dropout', x!)
    return x!
  },
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[0]],
  // What it does to the input it does to the gradient: the same elements are dropped.
  gradient: ({ operands: [, ...seed], cotangent, attributes }) => [() => record(op, attributes, [cotangent, ...seed], sourceLine())],
  kernel: (_, result, { rate, ...source }) => ({
    family: 'map',
    expression: call(
      'select',
      call('less', uniformAt(source, 'dropout', elementNumber(result), 1), real(threshold(rate))),
      real(0),
      call('multiply', input(0), real(1 / (1 - rate))),
    ),
  }),
}

/** The rate rounded up to one of the numbers that it is compared with: they are on the same side, and float32 holds it exactly. */
const threshold = (rate: number): number => Math.ceil(rate * 2 ** 24) * 2 ** -24

export interface DropoutOptions extends RandomOptions {
  /** The probability of being dropped, from 0 to below 1. */
  readonly rate: number
}

/**
 * Drops elements at random: `pipe(x, dropout({ rate: 0.1, seed: step, stream: layer }))` is 0 with probability `rate`, else
 * x / (1 - rate), so that the mean stays (Srivastava et al. 2014, JMLR 15, section 10). An element is dropped where u < rate,
 * for u of 24 bits that is a function of seed, stream and the element's number in the whole tensor alone: every layout and mesh
 * drops the same ones, and so does what `checkpoint` computes once more. What is dropped is 0 even if it was NaN or infinite.
 *
 * Seed and stream: as for `uniform`, with whose numbers these have nothing in common; layers that share a seed tell themselves
 * apart by their streams, or they drop the same elements. With a constant seed each run drops the same ones. Linear: a pending
 * sum stays pending. Derivative: the same elements dropped, the others 1 / (1 - rate).
 */
export const dropout = <const O extends DropoutOptions>(
  options: Accept<O, RandomForm<'dropout', O, 'rate, seed, stream'>>,
): Stage<Linear<'dropout'>> => {
  const where = sourceLine()
  const { source, rate, operands } = atLine(where, () => read(options as DropoutOptions))
  return stage((x: AnyTensor) => record(op, { ...source, rate }, [x, ...operands], where))
}

const read = (options: DropoutOptions) => {
  knownOptions('dropout', options, ['rate', 'seed', 'stream'])
  const { rate } = options
  if (typeof rate !== 'number' || !(rate >= 0 && rate < 1)) refuse(say.notRate('dropout', shown(rate)))
  return { ...sourceOf('dropout', options), rate }
}
