import fc from 'fast-check'

/** Random programs as text, most of them wrong in one way or another: what the types and the trace are compared on. */

const names = ['b', 't', 's', 'e', 'h'] as const
const sizes: { readonly [dim: string]: number } = { b: 1, t: 6, s: 8, e: 4, h: 3 }

const dim = fc.constantFrom<string>(...names)
const otherDim = fc.constantFrom<string>(...names, 'k')
const dims = fc.shuffledSubarray([...names], { minLength: 1, maxLength: 3 }).map((list) => list.join(' '))
const meshes = fc.constantFrom('sp=2', 'sp=4', 'sp=2 tp=3', 'sp=4 tp=2')

/** Cuts for some of the dims: each axis at most once, both on one dim at times, now and then a dim left to the planner. */
const cuts = (of: readonly string[], mesh: string) => {
  const axes = mesh.split(' ').map((axis) => axis.split('=')[0]!)
  return fc.tuple(fc.shuffledSubarray(axes), fc.shuffledSubarray([...of]), fc.nat(11)).map(
    ([cutting, chosen, luck]): ReadonlyMap<string, string> => {
      if (chosen.length === 0 || cutting.length === 0) return new Map()
      if (luck === 0) return new Map([[chosen[0]!, '?']])
      if (luck === 1 || chosen.length < cutting.length) return new Map([[chosen[0]!, cutting.join('+')]])
      return new Map(cutting.map((axis, i) => [chosen[i]!, axis]))
    },
  )
}

const spec = (mesh: string) =>
  fc.tuple(fc.shuffledSubarray([...names], { minLength: 1, maxLength: 4 }), fc.nat(20)).chain(([list, luck]) =>
    cuts(list, mesh).map((cut) =>
      list.map((name, i) => {
        const size = luck === 0 && i === 0 ? 5 : sizes[name]!
        return `${name}:${size}${cut.has(name) ? `@${cut.get(name)!}` : ''}`
      }).join(' ')
    )
  )

const layoutText = (mesh: string) => cuts(names, mesh).map((cut) => [...cut].map(([name, axes]) => `${name}@${axes}`).join(' '))

const operand = fc.constantFrom('y', 'z', 'y', 'z', 'p', 'i', 'm', 'x', '2', '0.5')
const tensor = fc.constantFrom('y', 'z', 'x', 'p')

const stageOf = (mesh: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom('gelu', 'exp', 'negate', 'square', 'not', "cast('i32')", "cast('f32')"),
    fc.tuple(fc.constantFrom('softmax', 'variance', 'logSumExp', 'unstackOne', 'layerNorm'), otherDim)
      .map(([op, d]) => op === 'unstackOne' ? `select('${d}', 1)` : `${op}('${d}')`),
    fc.tuple(fc.constantFrom('sum', 'mean', 'max', 'min'), dims).map(([op, ds]) => `${op}('${ds}')`),
    fc.tuple(fc.constantFrom('add', 'subtract', 'multiply', 'divide', 'maximum', 'greater', 'equal', 'power'), operand).map(([op, y]) =>
      `${op}(${y})`
    ),
    fc.tuple(dim, tensor, tensor).map(([d, y, z]) => `layerNorm('${d}', { scale: ${y}, shift: ${z} })`),
    fc.tuple(tensor, dims).map(([w, ds]) => `contract(${w}, '${ds}')`),
    fc.tuple(tensor, tensor, dim).map(([w, b, d]) => `linear({ weight: ${w}, bias: ${b} }, '${d}')`),
    layoutText(mesh).map((text) => `layout('${text}')`),
    fc.constantFrom("sumOver('sp')", "sumOver('tp')"),
    fc.tuple(dim, fc.constantFrom('k:2 l:3', 'k:4 l:2', 'k:2 l:2', 'k:1 l:3', 'k:4 l:1', 'k:8')).map(([d, parts]) =>
      `split('${d}', '${parts}')`
    ),
    fc.tuple(dims, otherDim).map(([ds, to]) => `merge('${ds}', '${to}')`),
    fc.tuple(otherDim, otherDim).map(([d, to]) => `rename('${d}', '${to}')`),
    fc.shuffledSubarray([...names], { minLength: 2 }).map((list) => `reorder('${list.join(' ')}')`),
    fc.tuple(dim, fc.nat(3), fc.nat(5)).map(([d, from, count]) => `slice('${d}', { from: ${from}, count: ${count} })`),
    fc.tuple(dim, fc.nat(2)).map(([d, before]) => `pad('${d}', { before: ${before} })`),
    fc.tuple(dim, tensor).map(([d, y]) => `concat('${d}', ${y})`),
    otherDim.map((d) => `repeat('${d}:2')`),
    dim.map((d) => `gather('${d}', i)`),
    fc.tuple(fc.constantFrom('k', 'k', 'k', 'e'), fc.oneof({ weight: 2, arbitrary: fc.constant('') }, dims)).map(([d, keep]) =>
      `scatterAdd('${d}:5', i${keep === '' ? '' : `, { keep: '${keep}' }`})`
    ),
    fc.tuple(dim, dim, tensor, tensor).map(([over, features, k, v]) =>
      `attention({ over: '${over}', features: '${features}' })(${k}, ${v})`
    ),
    fc.tuple(dim, dim, tensor).map(([over, features, k]) => `attention({ over: '${over}', features: '${features}', mask: m })(${k}, ${k})`),
    fc.tuple(dim, dim, tensor, tensor, fc.constantFrom('sp', 'sp', 'tp')).map(([over, features, k, v, ring]) =>
      `attention({ over: '${over}', features: '${features}', ring: '${ring}' })(${k}, ${v})`
    ),
    fc.tuple(dim, dim, fc.constantFrom('sp', 'tp')).map(([over, features, ring]) =>
      `attention({ over: '${over}', features: '${features}', ring: '${ring}', mask: m })(x, x)`
    ),
    fc.tuple(dim, fc.constantFrom('sp', 'tp')).map(([over, ring]) =>
      `selfAttention({ parts: 'h', over: '${over}', features: 'e', ring: '${ring}' })`
    ),
    fc.tuple(dim, dim).map(([over, features]) => `selfAttention({ parts: 'h', over: '${over}', features: '${features}' })`),
    fc.tuple(tensor, tensor).map(([y, z]) => `greater(0), where(${y}, ${z})`),
    fc.tuple(dim, operand).map(([d, y]) => `residual(softmax('${d}'), multiply(${y}))`),
    fc.tuple(layoutText(mesh), dim).map(([text, d]) => `seq(layout('${text}'), softmax('${d}'))`),
  )

/** The body of a program: `x` goes through one to four stages; `p` is a pending sum of `y` where one of its dims is cut. */
export const randomProgram: fc.Arbitrary<(name: string) => string> = meshes.chain((mesh) =>
  fc.tuple(spec(mesh), spec(mesh), spec(mesh), spec(mesh), spec(mesh), fc.array(stageOf(mesh), { minLength: 1, maxLength: 4 }), fc.nat(3))
    .map(([x, y, z, i, m, stages, luck]) => (name: string) => {
      // Most operands are alike to x, or else nothing but dims that differ would ever be refused.
      const [a, b] = [luck === 0 ? y : x, luck <= 1 ? z : x]
      const summed = /(\w+):\d+@/.exec(a)?.[1] ?? a.split(':')[0]!
      return [
        `export const ${name} = program('${name}', mesh('${mesh}'), {`,
        `  x: input('${x}'), y: input('${a}'), z: input('${b}'), i: input('${i}', 'i32'), m: input('${m}', 'bool'),`,
        `}, ({ x, y, z, i, m }) => {`,
        `  const p = pipe(y, sum('${summed}'))`,
        '  return pipe(x,',
        ...stages.map((stage, n) => `    ${stage}${n === stages.length - 1 ? ')' : ','}`),
        '})',
      ].join('\n')
    })
)
