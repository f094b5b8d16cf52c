import fc from 'fast-check'
import { type AnyTensor, input, layout, type Mesh, mesh, parameter, type Program, program, sumOver } from '#lib/mod.ts'
import { Refusal } from '#lib/language/refusal.ts'
import {
  add,
  attention,
  cast,
  concat,
  contract,
  gather,
  iota,
  max,
  mean,
  merge,
  minimum,
  multiply,
  negate,
  rename,
  scatterAdd,
  select,
  slice,
  softmax,
  split,
  sum,
  tanh,
} from '#ops/mod.ts'

/** A random program in a form that prints and shrinks: what comes in, and ops that pick their operands by number. */
export interface Recipe {
  readonly mesh: string
  readonly inputs: readonly string[]
  readonly ops: readonly Choice[]
  /** How many of the last values go out. */
  readonly outputs: number
}
interface Choice {
  readonly op: number
  readonly x: number
  readonly y: number
  readonly way: number
}

/** Sizes that most meshes don't divide; the same name has the same size everywhere. */
const sizes: Readonly<Record<string, number>> = { t: 5, s: 6, e: 4, f: 3, o: 1 }

/** A tensor as the recipes handle it: its dims are not known to the types. */
type Value = AnyTensor

interface Dim {
  readonly name: string
  readonly size: number
}
const dimsOf = (x: Value): readonly Dim[] =>
  x.spec === '' ? [] : x.spec.split(' ').map((part) => {
    const [, name, size] = /^(\w+):(\d+)/.exec(part)!
    return { name: name!, size: Number(size) }
  })
const pick = <A>(list: readonly A[], number: number): A | undefined => list[number % list.length]

/** `layout` with one way of dealing the axes out over a tensor's dims. */
const someLayout = (x: Value, of: Mesh, way: number): string => {
  const dims = dimsOf(x)
  const cuts = dims.map((): string[] => [])
  let rest = way
  for (const { name } of of.axes) {
    cuts[rest % (dims.length + 1)]?.push(name)
    rest = Math.floor(rest / (dims.length + 1))
  }
  return dims.flatMap(({ name }, i) => cuts[i]!.length === 0 ? [] : [`${name}@${cuts[i]!.join('+')}`]).join(' ')
}

/** The ops of the recipes: each makes a value of x (and y), or nothing where it does not fit. */
const makers: readonly ((x: Value, y: Value, way: number, of: Mesh, weights: readonly Value[]) => Value | undefined)[] = [
  (x) => tanh(x),
  (x) => negate(x),
  (x, y) => add(y)(x),
  (x, y) => multiply(y)(x),
  (x, _, way) => softmax(pick(dimsOf(x), way)!.name)(x),
  (x, _, way, __, weights) => {
    const dim = pick(dimsOf(x), way)!.name
    const weight = weights.find((one) => dimsOf(one)[0]!.name === dim && !dimsOf(x).some(({ name }) => name === dimsOf(one)[1]!.name))
    return weight === undefined ? undefined : contract(weight, dim)(x)
  },
  (x, y, way) => {
    const shared = dimsOf(x).filter(({ name }) => dimsOf(y).some((dim) => dim.name === name))
    return shared.length === 0 ? undefined : contract(y, pick(shared, way)!.name)(x)
  },
  (x, _, way, of) => layout(someLayout(x, of, way))(x),
  (x, _, way, of) => layout(someLayout(x, of, way))(x),
  (x, _, way) => sum(pick(dimsOf(x), way)!.name)(x),
  (x, _, way) => way % 2 === 0 ? mean(pick(dimsOf(x), way >> 1)!.name)(x) : max(pick(dimsOf(x), way >> 1)!.name)(x),
  (x) => x.pending === '' || x.pending.includes(':') ? undefined : sumOver(x.pending.split('+')[0]!)(x),
  (x, _, way) => {
    const dim = dimsOf(x).filter(({ size }) => size === 6 || size === 4)[0]
    if (dim === undefined) return undefined
    return split(dim.name, way % 2 === 0 ? `u:2 v:${dim.size / 2}` : `u:${dim.size / 2} v:2`)(x)
  },
  (x, _, way) => {
    const dims = dimsOf(x)
    if (dims.length < 2) return undefined
    const first = way % (dims.length - 1)
    return merge(`${dims[first]!.name} ${dims[first + 1]!.name}`, 'm')(x)
  },
  (x, _, way) => rename(pick(dimsOf(x), way)!.name, 'r')(x),
  (x, _, way) =>
    way % 2 === 0
      ? select(pick(dimsOf(x), way >> 1)!.name, 0)(x)
      : slice(pick(dimsOf(x), way >> 1)!.name, { from: 1, count: pick(dimsOf(x), way >> 1)!.size - 1 })(x),
  (x, y, way) => {
    const [dim, ...others] = dimsOf(x).map(({ name }) => name)
    return way % 2 === 0 || others.length === 0 ? concat(dim!, y)(x) : attention({ over: dim!, features: pick(others, way >> 1)! })(y, x)(x)
  },
  (x, y, way, of) => {
    // Keys and values of their own or the same, queries with the keys' dim or another one; cut over the ring's axis or left as they are.
    const [dim, ...others] = dimsOf(y).map(({ name }) => name)
    const features = pick(others, way)
    if (features === undefined) return undefined
    const ring = pick(of.axes, way >> 1)!.name
    const cut = way % 3 === 0 ? (z: Value) => z : (z: Value) => layout(`${dim}@${ring}`)(z)
    const [query, key] = [cut(x), cut(y)]
    return attention({ over: dim!, features, ring })(key, way % 4 < 2 ? key : cut(tanh(y)))(way % 5 < 2 ? rename(dim!, 'r')(query) : query)
  },
  (x, _, way) => {
    const dim = pick(dimsOf(x), way)!
    return multiply(cast('f32')(iota(`${dim.name}:${dim.size}` as string, dim.name) as Value) as Value)(x) as Value
  },
  (x, _, way) => {
    // Rows that several positions are added to, and with three rows positions that are added to none.
    const part = pick(x.spec.split(' '), way)!
    const ids = minimum(3)(iota(part, part.split(':')[0]!) as Value) as Value
    return scatterAdd(way % 2 === 0 ? 'r:3' : 'r:5', ids)(x)
  },
  (x, _, way) => {
    const { name, size } = pick(dimsOf(x), way)!
    return size < 3 ? undefined : gather(name, minimum(2)(iota('r:4', 'r') as Value) as Value)(x)
  },
]

/** What the first attempt gives that the language accepts. */
const firstAccepted = (attempts: readonly (() => Value | undefined)[]): Value | undefined => {
  for (const attempt of attempts) {
    try {
      return attempt()
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown
    }
  }
  return undefined
}

const tooLong = (x: Value, most: number): boolean => dimsOf(x).filter(({ size }) => size > 1).length > most

/** A program from a recipe: what the language refuses in any layout, or what has more than `dims` dims, is left out. */
export const programOf = ({ mesh: text, inputs, ops, outputs }: Recipe, dims: number): Program => {
  const of = mesh(text)
  const weight = (dim: string, to: string): string => `${dim}:${sizes[dim]} ${to}:${sizes[to]}`
  return program(
    'random',
    of,
    {
      given: inputs.map((spec) => input(spec as string)),
      weights: [
        parameter(weight('t', 'f')),
        parameter(weight('s', 'e')),
        parameter(`${weight('e', 'f')}@${of.axes[0]!.name}` as string),
        parameter(weight('f', 's')),
      ],
    },
    ({ given, weights }) => {
      const values: Value[] = [...given]
      for (const { op, x, y, way } of ops) {
        // Numbers count from the end: most ops continue what was made last.
        const [left, right] = [values.at(-1 - x % values.length)!, values.at(-1 - y % values.length)!]
        const made = firstAccepted([
          () => makers[op]!(left, right, way, of, weights),
          () => makers[op]!(layout(someLayout(left, of, way))(left), right, way, of, weights),
          () => makers[op]!(layout('')(left), layout('')(right), way, of, weights),
        ])
        if (made !== undefined && !tooLong(made, dims) && dimsOf(made).length > 0) values.push(made)
      }
      return values.slice(Math.max(0, values.length - outputs))
    },
  )
}

/** Inputs over two dims, declared in some way or left to the planner. */
const inputOn = (text: string, dims: readonly string[], undecided: boolean): fc.Arbitrary<string> => {
  const axes = mesh(text).axes.map(({ name }) => name)
  const layouts = fc.array(fc.integer({ min: -1, max: dims.length - 1 }), { minLength: axes.length, maxLength: axes.length }).map((
    places,
  ) => dims.map((_, dim) => axes.filter((_, i) => places[i] === dim).join('+')))
  return fc.oneof(layouts, undecided ? fc.constantFrom(dims.map(() => '?'), dims.map((_, i) => i === 0 ? '?' : '')) : layouts)
    .map((cuts) => dims.map((dim, i) => `${dim}:${sizes[dim]}${cuts[i] === '' ? '' : `@${cuts[i]}`}`).join(' '))
}

/** Recipes for one of the meshes, with at most so many ops; without `undecided`, every dim is declared. */
export const recipes = (meshes: readonly string[], ops: number, undecided = true): fc.Arbitrary<Recipe> =>
  fc.constantFrom(...meshes).chain((text) =>
    fc.record({
      mesh: fc.constant(text),
      inputs: fc.oneof(
        fc.tuple(inputOn(text, ['t', 's'], undecided)),
        fc.tuple(inputOn(text, ['s', 'e'], undecided)),
        fc.tuple(inputOn(text, ['o', 's'], undecided)),
        fc.tuple(inputOn(text, ['t', 's'], undecided), inputOn(text, ['s', 'e'], undecided)),
        fc.tuple(inputOn(text, ['t', 's'], undecided), inputOn(text, ['t', 's'], undecided)),
      ),
      ops: fc.array(
        fc.record({
          op: fc.nat(makers.length - 1),
          x: fc.oneof(fc.constant(0), fc.nat(3)),
          y: fc.nat(3),
          way: fc.nat(99),
        }),
        { minLength: Math.ceil(ops / 2), maxLength: ops },
      ),
      outputs: fc.constantFrom(1, 1, 2),
    })
  )
