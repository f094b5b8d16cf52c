import { fused } from '#lib/grad/fused.ts'
import { call, type Expression, fold, index, input, integer, real } from '#lib/kernel/expression.ts'
import type { RowTemplate } from '#lib/kernel/template.ts'
import { plus, scaled } from '#lib/language/define.ts'
import * as say from '#lib/language/messages.ts'
import { type KnownOptions, knownOptions } from '#lib/language/options.ts'
import { nodeOf, record } from '#lib/language/record.ts'
import { atLine, refuse } from '#lib/language/refusal.ts'
import type { CrossEntropy, CrossEntropyDims, CrossEntropyOptions } from '#lib/language/rules/loss.ts'
import { sourceLine } from '#lib/language/source.ts'
import { type AnyTensor, type Stage, stage } from '#lib/language/tensor.ts'
import { sizeOf } from '#lib/layout/layout.ts'
import { needDim, needFree, needKind, noExtra, sameSizes, without } from '#lib/layout/shapes.ts'
import { crossByName, type Op } from '#lib/op.ts'

type Attributes = { readonly dim: string; readonly ignore: number | null; readonly smoothing: number }

// A row's largest logit m, its label, the label's own x - m, Σ e^(x - m) over all others, and Σ (x - m).
const [largest, label, picked, others, all] = [fold(0), fold(1), fold(2), fold(3), fold(4)]
const shifted = call('subtract', input(0), largest)
const power = call('exponential', shifted)
const own = call('exponential', picked)
const choose = (condition: Expression, x: Expression, y: Expression): Expression => call('select', condition, x, y)

/** Folds of logits (input 0) and labels (input 1), where `isLabel` says whether a position is the label. */
const foldsOf = (isLabel: Expression): RowTemplate['folds'] => [
  { combine: 'max', expression: input(0) },
  { combine: 'max', expression: input(1) },
  { combine: 'sum', expression: choose(isLabel, shifted, real(0)) },
  { combine: 'sum', expression: choose(isLabel, real(0), power) },
]

/** The value where the label names one of `count` positions, 0 where it is to be ignored, NaN elsewhere. */
const counted = (value: Expression, { ignore }: Attributes, count: number): Expression => {
  const outside = call('or', call('less', label, integer(0)), call('lessOrEqual', integer(count), label))
  const known = choose(outside, real(NaN), value)
  return ignore === null ? known : choose(call('equal', label, integer(ignore)), real(0), known)
}

/**
 * log Σ e^(x - m) - Σ q (x - m). The logarithm's argument is 1 where the label is nearly certain: it is taken from what it has
 * beyond 1, others + (own - 1), so that small losses keep their digits.
 */
const lossOf = (attributes: Attributes, count: number): Expression => {
  const { smoothing } = attributes
  const logSum = call('logarithmOfOnePlus', call('add', others, plus(own, -1)))
  const loss = smoothing === 0
    ? call('subtract', logSum, picked)
    : call('subtract', logSum, call('add', scaled(picked, 1 - smoothing), scaled(all, smoothing / count)))
  return counted(loss, attributes, count)
}

/** softmax - q: for the label itself 1 is taken from its share by way of the others' shares, which keeps the digits. */
const slopeOf = (isLabel: Expression, { smoothing }: Attributes, count: number): Expression => {
  const sum = call('add', own, others)
  const less = (x: Expression, share: number): Expression => share === 0 ? x : plus(x, -share)
  return choose(
    isLabel,
    less(call('negate', call('divide', others, sum)), smoothing / count - smoothing),
    less(call('divide', power, sum), smoothing / count),
  )
}

const op: Op<Attributes> = {
  name: 'crossEntropy',
  sides: () => ['logits', 'labels'],
  shape: ([x, labels], { dim, ignore, smoothing }) => {
    if (ignore !== null && ignore !== (ignore | 0)) refuse(say.optionIs('crossEntropy', 'ignore', ignore, 'a whole number of i32'))
    if (!(typeof smoothing === 'number' && smoothing >= 0 && smoothing < 1)) {
      refuse(say.optionIs('crossEntropy', 'smoothing', smoothing, 'a number from 0 to less than 1'))
    }
    needDim('crossEntropy', x!, dim, 'logits')
    needFree('crossEntropy', labels!, dim, 'labels')
    noExtra('crossEntropy', labels!, x!, 'logits')
    sameSizes('crossEntropy', x!, labels!, 'logits', 'labels')
    needKind('crossEntropy', x!, 'real', 'logits')
    needKind('crossEntropy', labels!, 'index', 'labels')
    return without(x!, [dim])
  },
  crossings: (operands, result, { dim }) => crossByName(operands, result, { [dim]: 'whole' }),
  linear: [],
  gradient: ({ operands: [x, labels], cotangent, attributes }) => [() => {
    const { shape } = nodeOf(x!)
    const count = sizeOf(shape, attributes.dim)!
    const isLabel = call('equal', index(shape.dims.length - 1), input(1))
    return fused({
      name: 'crossEntropy gradient',
      operands: [x!, labels!, cotangent],
      result: shape,
      inner: [attributes.dim],
      folds: foldsOf(isLabel),
      expression: counted(call('multiply', input(2), slopeOf(isLabel, attributes, count)), attributes, count),
      linear: [2],
    })
  }],
  kernel: ([x], { dims }, attributes) => {
    const isLabel = call('equal', index(dims.length), input(1))
    return {
      family: 'row',
      inner: [attributes.dim],
      per: 'row',
      folds: [
        ...foldsOf(isLabel),
        ...(attributes.smoothing === 0 ? [] : [{ combine: 'sum' as const, expression: shifted }]),
      ],
      result: lossOf(attributes, sizeOf(x!, attributes.dim)!),
    }
  },
}

/**
 * The cross-entropy of logits against integer labels, one loss for each position: -Σ q log softmax(x) along a dim v, which must be
 * whole, of V positions. `labels` (i32) name a position of v each; their dims are among the logits' others. With `smoothing` ε
 * (Szegedy et al. 2016, section 7) q is 1 - ε at the label and ε / V everywhere, else 1 at the label. The loss is 0 where the label
 * is `ignore`, whatever the logits are, and NaN for any other label outside 0 … V - 1. Nothing of the size of v is stored.
 *
 *     const losses = pipe(logits, crossEntropy('v', labels, { ignore: -100, smoothing: 0.1 }))
 *     const counts = pipe(labels, equal(-100), not, cast('f32'))
 *     const loss = pipe(losses, sum('b t'), layout(''), divide(pipe(counts, sum('b t'), layout(''))))   // the mean over all that count
 *
 * Derivative: g (softmax(x) - q), and 0 where the label is `ignore`.
 */
export const crossEntropy = <const D extends string, Labels extends AnyTensor, const O extends CrossEntropyDims = CrossEntropyDims>(
  dim: D,
  labels: Labels,
  options?: KnownOptions<'crossEntropy', O, CrossEntropyOptions>,
): Stage<CrossEntropy<D, Labels, O>> => {
  const where = sourceLine()
  return stage((x) => {
    const given = (options ?? {}) as CrossEntropyDims
    atLine(where, () => knownOptions('crossEntropy', given, crossEntropyOptions))
    const { ignore = null, smoothing = 0 } = given
    return record(op, { dim, ignore, smoothing }, [x, labels], where)
  })
}

const crossEntropyOptions: CrossEntropyOptions = ['ignore', 'smoothing']
