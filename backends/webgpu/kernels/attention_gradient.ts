import { type AttentionGradientKernel, elementsOf, type View } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import { aligned, Bindings, constantText, decodeText, lanes, maskKeeps, namesOf, offsetText, type Shader, shader } from '../emit.ts'
import { atLevel, cascade, flushSums, levelsOf } from '../cascade.ts'
import { simplify } from '../loops.ts'

/** Pairs that are summed before the output is touched, where it is the second level of sums. */
const blockInOutput = 256

/**
 * The two gradients of attention have one shape: a thread keeps two rows of its own (a query and its cotangent, or a key and
 * its value) and walks those of the other side, making the weight of each pair anew from the log-sum-exp of the forward pass
 * (FlashAttention, arXiv 2205.14135, appendix B.4). Nothing of the size queries × keys is stored. A pair that a mask leaves
 * out is not looked at, since 0 · NaN would be NaN. Sums over many pairs go from level to level (cascade.ts). A real GPU has no
 * registers for a second level of two gradients: there it is the output itself, and two levels of √n terms each do.
 */
export const attentionGradientShader = (k: AttentionGradientKernel, shape: Shape): Shader => {
  const depth = k.rows.length
  const ofKeys = k.of === 'keys'
  const views: readonly View[] = [k.query, k.key, k.value, k.cotangent, k.stats, k.output, ...present(k.mask), ...present(k.carry)]
  const [query, key, value, cotangent, stats, output] = [0, 1, 2, 3, 4, 5] as const
  const [mask, carry] = [k.mask === null ? -1 : 6, k.carry === null ? -1 : views.length - 1]
  const rows = simplify(k.rows, views.map((view) => view.strides.slice(0, depth)))
  const inner = simplify(k.inner, views.map((view) => view.strides.slice(depth, -1)))
  const byFeature = (view: number): number => views[view]!.strides.at(-1)!
  const wide = [query, key, value, cotangent].every((view) =>
    aligned(views[view]!.offset, [...rows.strides[view]!, ...inner.strides[view]!, byFeature(view)], k.features)
  )
  const width = wide ? 4 : 1
  const units = k.features / width
  const element = wide ? 'vec4<f32>' : 'f32'

  const bindings = new Bindings()
  const out = bindings.output(k.output)
  const buffers = views.map((view, n) => n === output ? out : bindings.input(view, n <= cotangent ? width : 1))

  const rowNames = namesOf(rows.sizes, 'p')
  const innerNames = namesOf(inner.sizes, 'i')
  const divided = (strides: readonly number[], by: number): readonly number[] => strides.map((stride) => stride / by)
  /** Where a view's row begins, in elements or in fours. */
  const rowStart = (view: number, by: number): string => offsetText(views[view]!.offset / by, rowNames, divided(rows.strides[view]!, by))
  const innerStart = (view: number, by: number): string => offsetText(`row${view}`, innerNames, divided(inner.strides[view]!, by))
  const load = (view: number, base: string): string => `${buffers[view]}[${offsetText(base, ['f'], [wide ? 1 : byFeature(view)])}]`
  const product = (a: string, b: string): string => wide ? `dot(${a}, ${b})` : `${a} * ${b}`
  /** The rows that a thread keeps, and those that it walks. */
  const [own, others] = ofKeys ? [[key, value], [query, cotangent]] as const : [[query, cotangent], [key, value]] as const

  const stored = k.mask === null ? '' : `${buffers[mask]}[${innerStart(mask, 1)}]`
  const scored = (sum: string): string => `${sum} * ${constantText(k.scale, 'f32')}${k.mask?.type === 'f32' ? ` + ${stored}` : ''}`
  const ifKept = (body: string): string => k.mask === null ? body : `if ${maskKeeps(k.mask.type, stored)} {\n${body}\n}`
  const eachLane = Array.from({ length: width }, (_, n) => n)
  /** One statement for each lane of feature group f of one gradient: its place in the output, in the carry, and in a sum. */
  const perLane = (part: number, carriedPart: number, statement: (to: string, carried: string, lane: string) => string): string =>
    eachLane.map((n) => {
      const at = (view: number, offset: number): string =>
        `${buffers[view]}[${
          offsetText(offset === 0 ? `row${view}` : `row${view} + ${offset}`, [`(f * ${width} + ${n})`], [byFeature(view)])
        }]`
      return statement(at(output, part), carry < 0 ? '' : at(carry, carriedPart), wide ? `.${lanes[n]}` : '')
    }).join('\n    ')
  /** The same for all gradients that a thread makes, feature group after feature group. */
  const gradients = ofKeys ? ['first', 'second'] : ['first']
  const forGradients = (statement: (sums: string) => (to: string, carried: string, lane: string) => string): string =>
    `for (var f = 0; f < ${units}; f++) {
    ${gradients.map((sums, n) => n === 0 ? perLane(0, 0, statement(sums)) : perLane(k.part, k.carryPart, statement(sums))).join('\n    ')}
  }`

  const products = cascade({
    loops: [{ name: 'f', to: units }],
    terms: width,
    flush: flushSums(['score', 'slope'], '0.0'),
    body: `score += ${product('near[f]', load(others[0], 'a'))};
      slope += ${product('far[f]', load(others[1], 'b'))};`,
  })
  const last = (name: string): string => atLevel(name, products.levels - 1)
  const pair = `let a = ${innerStart(others[0], width)};
    let b = ${innerStart(others[1], width)};
    let s = ${innerStart(stats, 1)};
    ${levelsOf(products).flatMap((level) => ['score', 'slope'].map((sum) => `var ${atLevel(sum, level)} = 0.0;`)).join('\n')}
    ${products.text}
    let log_sum = ${buffers[stats]}[s];
    let weight = select(exponential_(${scored(last('score'))} - log_sum), 0.0, log_sum == lowest);
    let change = weight * (${last('slope')} - ${buffers[stats]}[s + ${byFeature(stats)}]) * ${constantText(k.scale, 'f32')};
    for (var f = 0; f < ${units}; f++) {
      first[f] += change * ${load(others[0], 'a')};
      ${ofKeys ? `second[f] += weight * ${load(others[1], 'b')};` : ''}
    }`
  const pairs = elementsOf(inner.sizes)
  const inOutput = shape === 'gpu' && ofKeys && pairs > blockInOutput
  const walk = cascade({
    loops: [{ name: 'n', to: pairs, unsigned: true }],
    body: `var m = n;\n${decodeText('m', inner.sizes, 'i')}\n${ifKept(pair)}`,
    ...(inOutput ? { block: Math.max(blockInOutput, Math.ceil(Math.sqrt(pairs))) } : {}),
    flush: (level) =>
      !inOutput
        ? `for (var f = 0; f < ${units}; f++) {\n${flushSums(gradients, `${element}(0.0)`, '[f]')(level)}\n}`
        : level > 0
        ? ''
        : `${forGradients((sums) => (to, _, lane) => `${to} += ${sums}[f]${lane};`)}
        for (var f = 0; f < ${units}; f++) { ${gradients.map((sums) => `${sums}[f] = ${element}(0.0);`).join(' ')} }`,
  })
  const levels = inOutput ? [0] : levelsOf(walk)
  const top = levels.length - 1

  const body = `var t = thread;
  ${decodeText('t', rows.sizes, 'p')}
  let lowest = -bitcast<f32>(infinity_bits_);
  ${views.map((_, view) => `let row${view} = ${rowStart(view, view <= cotangent ? width : 1)};`).join('\n  ')}
  var near: array<${element}, ${units}>;
  var far: array<${element}, ${units}>;
  ${levelsOf(walk).flatMap((level) => gradients.map((name) => `var ${atLevel(name, level)}: array<${element}, ${units}>;`)).join('\n  ')}
  for (var f = 0; f < ${units}; f++) {
    near[f] = ${load(own[0], `row${own[0]}`)};
    far[f] = ${load(own[1], `row${own[1]}`)};
  }
  ${inOutput ? forGradients(() => (to, carried) => `${to} = ${carried === '' ? '0.0' : carried};`) : ''}
  ${pairs === 0 ? '' : walk.text}
  ${
    inOutput
      ? ''
      : forGradients((sums) => (to, carried, lane) => `${to} = ${atLevel(sums, top)}[f]${lane}${carried === '' ? '' : ` + ${carried}`};`)
  }`
  const threads = elementsOf(rows.sizes)
  return shader({ bindings, declarations: [], count: threads, workgroup: threads >= 1024 ? 32 : 8, body })
}

const present = (view: View | null): readonly View[] => view === null ? [] : [view]
