import { type AttentionKernel, elementsOf, type View } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import { aligned, Bindings, constantText, decodeText, lanes, maskKeeps, namesOf, offsetText, type Shader, shader } from '../emit.ts'
import { atLevel, cascade, flushSums, levelsOf } from '../cascade.ts'
import { innermost, simplify } from '../loops.ts'

/**
 * Streaming attention: scores are never stored, each thread walks the keys once with a running maximum (Milakov and
 * Gimelshein, "Online normalizer calculation for softmax", 2018). It takes several queries and several keys at a time,
 * so that every key and value it loads serves several queries; features are taken in fours where all views allow it.
 *
 * A masked key has score -inf. While all keys of a query are masked, its maximum stays -inf and nothing is added; a value that
 * a mask leaves out must not be looked at, since 0 · NaN would be NaN. To test each product would make the walk 1.7 times as
 * long: instead a second, careful shader makes those rows anew whose results are not all finite, key by key. The result of a
 * block of keys before this one is where the walk begins: its log-sum-exp is the maximum, of weight 1.
 *
 * Totals and weighted sums go from level to level as all long sums do (cascade.ts). The running maximum is that of all keys so
 * far; a level above has the one that there was when something last reached it, by which it is brought down when more comes.
 */

/** Measured on an emulated GPU: 4 x 8 is four times as fast as 1 x 1; 8 x 8 gains little and compiles for 0.4 s. */
const keysAtATime = (shape: Shape): number => shape === 'gpu' ? 4 : 8

/**
 * Queries per thread, but not so many that few threads are left. A real GPU has threads enough, and no registers for
 * several queries' sums.
 */
const queriesPerThread = (shape: Shape, rows: number): number => shape === 'gpu' ? 1 : rows >= 256 ? 4 : rows >= 64 ? 2 : 1

const count = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

export const attentionShaders = (k: AttentionKernel, shape: Shape): readonly Shader[] =>
  k.mask === null ? [attentionShader(k, shape, false)] : [attentionShader(k, shape, false), attentionShader(k, shape, true)]

const attentionShader = (k: AttentionKernel, shape: Shape, careful: boolean): Shader => {
  const depth = k.rows.length
  const views = [k.output, k.query, k.key, k.value, k.mask, k.carry]
  const { sizes, strides } = simplify(k.rows, views.map((view) => view?.strides.slice(0, depth) ?? k.rows.map(() => 0)))
  const byKey = (view: View): number => view.strides[depth]!
  const byFeature = (view: View): number => view.strides[depth + 1]!
  const fitsFours = (view: View, n: number): boolean => aligned(view.offset, [...strides[n]!, byKey(view), byFeature(view)], k.features)
  const wide = [k.query, k.key, k.value].every((view, n) => fitsFours(view, n + 1))
  const width = wide ? 4 : 1
  // A log-sum-exp behind each row leaves rows where no fours begin, and is a single element itself.
  const outputWidth = wide && !k.logSum && fitsFours(k.output, 0) ? 4 : 1
  const units = k.features / width
  const element = wide ? 'vec4<f32>' : 'f32'
  const bits = outputWidth === 4 ? 'vec4<u32>' : 'u32'

  // Neighbouring queries of one thread: the last row loop, if it leaves keys and values where they are.
  const last = sizes.at(-1) ?? 1
  const shared = innermost(strides[2]!) === 0 && innermost(strides[3]!) === 0
  const perThread = shared && !careful ? Math.min(last, queriesPerThread(shape, elementsOf(sizes))) : 1
  const queries = count(perThread)
  const keys = count(Math.min(careful ? 1 : keysAtATime(shape), k.keys))
  const blocks = sizes.length === 0 ? sizes : [...sizes.slice(0, -1), Math.ceil(last / perThread)]
  const exact = last % perThread === 0
  const outer = namesOf(sizes, 'p').slice(0, -1)

  const bindings = new Bindings()
  const out = bindings.output(k.output, outputWidth)
  const [query, key, value] = [k.query, k.key, k.value].map((view) => bindings.input(view, width)) as [string, string, string]
  const mask = k.mask === null ? null : bindings.input(k.mask)
  const carry = k.carry === null ? null : bindings.input(k.carry)

  /** Where a view starts for query `r` of the thread, in elements or in fours. */
  const start = (view: View, n: number, by: number, r: number): string =>
    offsetText(view.offset / by, [...outer, `at${r}`], strides[n]!.map((stride) => stride / by))
  const feature = (view: View, base: string): string => offsetText(base, ['f'], [wide ? 1 : byFeature(view)])
  /** Feature \`f\` of a row that is held in single elements: a four of them, where the others are. */
  const single = (buffer: string, view: View, base: string, lane: number): string =>
    `${buffer}[${offsetText(base, [`(f * ${width} + ${lane})`], [byFeature(view)])}]`
  const lane = (value: string, n: number): string => wide ? `${value}.${lanes[n]}` : value
  const eachLane = count(width)
  const product = (a: string, b: string): string => wide ? `dot(${a}, ${b})` : `${a} * ${b}`

  /** Statements that scale and mask a score. */
  const scored = (r: number, j: number): string => {
    const raw = `score${r}_${j} * ${constantText(k.scale, 'f32')}`
    const stored = `${mask}[${offsetText(`mask${r}`, [`(j + ${j})`], [k.mask === null ? 0 : byKey(k.mask)])}]`
    if (k.mask === null) return `score${r}_${j} = ${raw};`
    const added = k.mask.type === 'f32' ? `${raw} + ${stored}` : raw
    return `let kept${r}_${j} = ${maskKeeps(k.mask.type, stored)};\nscore${r}_${j} = select(lowest, ${added}, kept${r}_${j});`
  }
  /** One step of the walk, over some of the keys: scores, the running maximum and total, and the weighted values. */
  const step = (some: readonly number[]): string => {
    const lines: string[] = []
    for (const j of some) {
      lines.push(`let key${j} = key_start + (j + ${j}) * ${byKey(k.key) / width};`)
      lines.push(`let value${j} = value_start + (j + ${j}) * ${byKey(k.value) / width};`)
    }
    const scores = queries.flatMap((r) => some.map((j) => `score${r}_${j}`))
    const products = cascade({
      loops: [{ name: 'f', to: units }],
      terms: width,
      flush: flushSums(scores, '0.0'),
      body: [
        ...queries.map((r) => `let q${r} = ${query}[${feature(k.query, `query${r}`)}];`),
        ...some.map((j) => `let k${j} = ${key}[${feature(k.key, `key${j}`)}];`),
        ...queries.flatMap((r) => some.map((j) => `score${r}_${j} += ${product(`q${r}`, `k${j}`)};`)),
      ].join('\n'),
    })
    lines.push(...levelsOf(products).flatMap((level) => scores.map((score) => `var ${atLevel(score, level)} = 0.0;`)), products.text)
    if (products.levels > 1) lines.push(...scores.map((score) => `${score} = ${atLevel(score, products.levels - 1)};`))
    for (const r of queries) {
      for (const j of some) lines.push(scored(r, j))
      const higher = some.reduce((high, j) => `maximum_(${high}, score${r}_${j})`, `highest${r}`)
      lines.push(
        `let higher${r} = ${higher};`,
        `let none${r} = higher${r} == lowest;`,
        `let shrink${r} = select(exponential_(highest${r} - higher${r}), 0.0, none${r});`,
        ...some.map((j) => `let weight${r}_${j} = select(exponential_(score${r}_${j} - higher${r}), 0.0, none${r});`),
        `highest${r} = higher${r};`,
        `total${r} = total${r} * shrink${r} + (${some.map((j) => `weight${r}_${j}`).join(' + ')});`,
      )
    }
    const seen = (r: number, j: number): string => careful ? `select(${element}(0.0), v${j}, kept${r}_${j})` : `v${j}`
    lines.push(
      `for (var f = 0; f < ${units}; f++) {`,
      ...some.map((j) => `let v${j} = ${value}[${feature(k.value, `value${j}`)}];`),
      ...queries.map((r) =>
        `sums${r}[f] = sums${r}[f] * shrink${r} + (${some.map((j) => `weight${r}_${j} * ${seen(r, j)}`).join(' + ')});`
      ),
      '}',
    )
    return lines.join('\n')
  }

  const flush = (level: number): string =>
    queries.map((r) => {
      const [highest, total, sums] = ['highest', 'total', 'sums'].map((name) => (at: number): string => atLevel(`${name}${r}`, at))
      const shrink = `shrink${r}_level${level}`
      return `let ${shrink} = select(exponential_(${highest!(level + 1)} - ${highest!(0)}), 0.0, ${highest!(0)} == lowest);
      ${highest!(level + 1)} = ${highest!(0)};
      ${total!(level + 1)} = ${total!(level + 1)} * ${shrink} + ${total!(level)};
      ${total!(level)} = 0.0;
      for (var f = 0; f < ${units}; f++) {
        ${sums!(level + 1)}[f] = ${sums!(level + 1)}[f] * ${shrink} + ${sums!(level)}[f];
        ${sums!(level)}[f] = ${element}(0.0);
      }`
    }).join('\n')
  const whole = k.keys - k.keys % Math.max(1, keys.length)
  const walk = cascade({ loops: [{ name: 'j', to: whole, by: keys.length }], body: step(keys), flush })
  const top = walk.levels - 1
  const above = levelsOf(walk).slice(1)
  const begin = queries.map((r) =>
    `var sums${r}: array<${element}, ${units}>;
  ${
      k.carry === null || carry === null
        ? `var highest${r} = lowest;
  var total${r} = 0.0;`
        : `let carry${r} = ${start(k.carry, 5, 1, r)};
  var highest${r} = ${carry}[carry${r} + ${k.features * byFeature(k.carry)}];
  var total${r} = select(1.0, 0.0, highest${r} == lowest);
  for (var f = 0; f < ${units}; f++) { sums${r}[f] = ${element}(${
          eachLane.map((n) => single(carry, k.carry!, `carry${r}`, n)).join(', ')
        }); }`
    }
  ${
      above.map((level) =>
        `var ${atLevel(`highest${r}`, level)} = lowest;
  var ${atLevel(`total${r}`, level)} = 0.0;
  var ${atLevel(`sums${r}`, level)}: array<${element}, ${units}>;`
      ).join('\n')
    }`
  ).join('\n')
  const finish = queries.map((r) => {
    const [sums, total] = [atLevel(`sums${r}`, top), atLevel(`total${r}`, top)]
    return `${exact ? '' : `if (p${sizes.length - 1} * ${perThread} + ${r} < ${last}) `}{
    let output = ${start(k.output, 0, outputWidth, r)};
    for (var f = 0; f < ${units}; f++) {
      let result = select(${sums}[f] / ${total}, ${element}(0.0), highest${r} == lowest);
      ${
      outputWidth === width
        ? `${out}[${feature(k.output, 'output')}] = result;`
        : eachLane.map((n) => `${single(out, k.output, 'output', n)} = ${lane('result', n)};`).join('\n      ')
    }
    }
    ${
      k.logSum
        ? `${out}[output + ${k.features * byFeature(k.output)}] = select(highest${r} + log(${total}), lowest, highest${r} == lowest);`
        : ''
    }
  }`
  }).join('\n')
  /** Leaves rows as they are whose results are all finite. */
  const returnIfFinite = (): string =>
    `var finite = true;
  let before = ${start(k.output, 0, outputWidth, 0)};
  for (var f = 0; f < ${k.features / outputWidth}; f++) {
    let result = bitcast<${bits}>(${out}[${offsetText('before', ['f'], [outputWidth === 1 ? byFeature(k.output) : 1])}]);
    finite = finite && all((result & ${bits}(0x7f800000u)) != ${bits}(0x7f800000u));
  }
  if (finite) { return; }`
  const body = `var t = thread;
  ${decodeText('t', blocks, 'p')}
  let lowest = -bitcast<f32>(infinity_bits_);
  ${
    queries.map((r) =>
      `let at${r} = ${sizes.length === 0 ? '0' : `min(p${sizes.length - 1} * ${perThread} + ${r}, ${last - 1})`};
  let query${r} = ${start(k.query, 1, width, r)};
  ${k.mask === null ? '' : `let mask${r} = ${start(k.mask, 4, 1, r)};`}`
    ).join('\n')
  }
  let key_start = ${start(k.key, 2, width, 0)};
  let value_start = ${start(k.value, 3, width, 0)};
  ${careful ? returnIfFinite() : ''}
  ${begin}
  ${whole === 0 ? '' : walk.text}
  ${whole === k.keys ? '' : `{ let j = ${whole};\n${step(count(k.keys - whole))}\n}`}
  ${whole === k.keys ? '' : above.map((level) => `{\n${flush(level - 1)}\n}`).join('\n')}
  ${finish}`
  const threads = elementsOf(blocks)
  return shader({ bindings, declarations: [], count: threads, workgroup: threads >= 1024 ? 32 : 8, body })
}
