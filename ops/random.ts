import { call, real } from '#lib/kernel/expression.ts'
import { generator } from '#lib/language/generate.ts'
import { knownOptions } from '#lib/language/options.ts'
import { checkLength, elementNumber, type RandomOptions, type Source, sourceOf, uniformAt } from '#lib/language/random.ts'
import { atLine } from '#lib/language/refusal.ts'
import type { SpecForm } from '#lib/language/rules/form.ts'
import type { RandomForm } from '#lib/language/rules/random.ts'
import { sourceLine } from '#lib/language/source.ts'
import type { Accept, AnyTensor, MeshOf, Tensor } from '#lib/language/tensor.ts'

/** A generator with random options, read and checked. */
const random = (name: string, make: (spec: string, source: Source, operands: readonly AnyTensor[]) => AnyTensor) =>
(
  spec: string,
  options: RandomOptions,
): AnyTensor => {
  const { source, operands } = atLine(sourceLine(), () => {
    knownOptions(name, options, ['seed', 'stream'])
    return sourceOf(name, options)
  })
  return make(spec, source, operands)
}

const uniformOp = random(
  'uniform',
  generator<Source>(
    'uniform',
    'f32',
    (shape, source) => uniformAt(source, 'uniform', elementNumber(shape), 0),
    (shape) => checkLength('uniform', shape),
  ),
)

/**
 * Numbers in [0, 1), multiples of 2⁻²⁴, from a counter-based generator (Threefry-2x32: Salmon et al., SC 2011): element n is a
 * function of the seed, the stream, the op and n alone, so that every layout and every backend sees the same numbers. Calls
 * with equal seed and stream give equal numbers; calls that differ in either are independent of each other, and of `normal`
 * and `dropout` whatever their seeds.
 *
 * The seed is a whole number within ±2⁵³, or an i32 tensor without dims that each run gives anew:
 * `uniform('t:16 e:4', { seed: step })`. `stream`, a whole number below 2²⁹ (0 unless said), tells calls with one such seed
 * apart. At most 2³² elements. No gradient.
 */
export const uniform = <const S extends string, const O extends RandomOptions>(
  spec: Accept<S, SpecForm<'uniform', S>>,
  options: Accept<O, RandomForm<'uniform', O, 'seed, stream'>>,
): Tensor<S, '', MeshOf<O['seed']>> => uniformOp(spec, options as RandomOptions) as Tensor<S, '', MeshOf<O['seed']>> & AnyTensor

const normalOp = random(
  'normal',
  generator<Source>(
    'normal',
    'f32',
    (shape, source) => {
      const element = elementNumber(shape)
      // 1 - u lies in (0, 1], so that its logarithm is finite.
      const radius = call(
        'squareRoot',
        call('multiply', real(-2), call('logarithm', call('subtract', real(1), uniformAt(source, 'radius', element, 0)))),
      )
      const angle = call('multiply', real(2 * Math.PI), uniformAt(source, 'angle', element, 0))
      return call('multiply', radius, call('cosine', angle))
    },
    (shape) => checkLength('normal', shape),
  ),
)

/**
 * Standard normal numbers √(-2 ln(1 - u)) cos(2πv) (Box and Muller, 1958) of two streams u and v of their own. Seed, stream, and
 * what is the same for which layouts: as for `uniform`. No gradient.
 */
export const normal = <const S extends string, const O extends RandomOptions>(
  spec: Accept<S, SpecForm<'normal', S>>,
  options: Accept<O, RandomForm<'normal', O, 'seed, stream'>>,
): Tensor<S, '', MeshOf<O['seed']>> => normalOp(spec, options as RandomOptions) as Tensor<S, '', MeshOf<O['seed']>> & AnyTensor
