import { type AttentionKernel, elementsOf, type View } from '#lib/kernel/kernel.ts'
import { aligned, Bindings, constantText, decodeText, fromStored, namesOf, offsetText, type Shader, shader } from '../emit.ts'
import { simplify } from '../loops.ts'

/**
 * Streaming attention: one thread per query row walks the keys once with a running maximum (Milakov and Gimelshein,
 * "Online normalizer calculation for softmax", 2018), so scores are never stored. Features are taken in fours where all
 * views allow it. A masked key has score -inf; while all are, the maximum stays -inf and nothing is added.
 */
export const attentionShader = (k: AttentionKernel): Shader => {
  const depth = k.rows.length
  const views = [k.output, k.query, k.key, k.value, ...(k.mask === null ? [] : [k.mask])]
  const { sizes, strides } = simplify(k.rows, views.map((view) => view.strides.slice(0, depth)))
  const along = (view: View): readonly [number, number] => [view.strides[depth]!, view.strides[depth + 1]!]
  const wide = [k.output, k.query, k.key, k.value].every((view, n) =>
    aligned(view.offset, [...strides[n]!, ...along(view)], k.features))
  const width = wide ? 4 : 1
  const units = k.features / width
  const element = wide ? 'vec4<f32>' : 'f32'
  const names = namesOf(sizes, 'p')
  const bindings = new Bindings()
  const out = bindings.output(k.output, width)
  const [query, key, value] = [k.query, k.key, k.value].map((view) => bindings.input(view, width)) as [string, string, string]
  /** Offset of a view's row, in elements or in fours. */
  const start = (view: View, n: number): string =>
    offsetText(view.offset / width, names, strides[n]!.map((stride) => stride / width))
  /** Strides of the key and feature loops, in the same unit. */
  const steps = (view: View): readonly [number, number] => {
    const [byKey, byFeature] = along(view)
    return [byKey / width, wide ? 1 : byFeature]
  }
  const at = (view: View, base: string): string => offsetText(base, ['j', 'f'], steps(view))
  const product = wide ? 'dot(q[f], ' : '(q[f] * '

  const masked = k.mask === null ? '' : (() => {
    const byKey = k.mask.strides[depth]!
    const stored = `${bindings.input(k.mask)}[${offsetText('mask_row', ['j'], [byKey])}]`
    return k.mask.type === 'f32' ? `score = score + ${stored};`
      : `score = select(-bitcast<f32>(infinity_bits_), score, ${fromStored('bool', stored)});`
  })()

  const body = `var t = thread;
  ${decodeText('t', sizes, 'p')}
  let query_row = ${start(k.query, 1)};
  let key_row = ${start(k.key, 2)};
  let value_row = ${start(k.value, 3)};
  ${k.mask === null ? '' : `let mask_row = ${offsetText(k.mask.offset, names, strides[4]!)};`}
  var q: array<${element}, ${units}>;
  var sums: array<${element}, ${units}>;
  for (var f = 0; f < ${units}; f++) { q[f] = ${query}[${offsetText('query_row', ['f'], [steps(k.query)[1]])}] * ${constantText(k.scale, 'f32')}; }
  var highest = -bitcast<f32>(infinity_bits_);
  let lowest = highest;
  var total = 0.0;
  for (var j = 0; j < ${k.keys}; j++) {
    var score = 0.0;
    for (var f = 0; f < ${units}; f++) { score += ${product}${key}[${at(k.key, 'key_row')}]); }
    ${masked}
    if (score > highest || is_nan_(score)) {
      let higher = maximum_(highest, score);
      let shrink = select(exponential_(highest - higher), 0.0, highest == lowest);
      total = total * shrink;
      for (var f = 0; f < ${units}; f++) { sums[f] = sums[f] * shrink; }
      highest = higher;
    }
    let weight = select(exponential_(score - highest), 0.0, highest == lowest);
    total = total + weight;
    for (var f = 0; f < ${units}; f++) { sums[f] = sums[f] + weight * ${value}[${at(k.value, 'value_row')}]; }
  }
  let output_row = ${start(k.output, 0)};
  for (var f = 0; f < ${units}; f++) {
    ${out}[${offsetText('output_row', ['f'], [steps(k.output)[1]])}] = select(sums[f] / total, ${element}(0.0), highest == lowest);
  }`
  return shader({
    bindings,
    declarations: [],
    count: elementsOf(sizes),
    workgroup: elementsOf(sizes) >= 1024 ? 32 : 8,
    body,
  })
}
