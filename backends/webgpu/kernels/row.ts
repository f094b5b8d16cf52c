import type { DType } from '#lib/dtype.ts'
import { elementsOf, type RowKernel, type View } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import {
  aligned,
  Bindings,
  combineText,
  constantText,
  decodeText,
  type ElementFunction,
  elementFunction,
  fromStored,
  lanes,
  namesOf,
  neutralText,
  offsetText,
  type Shader,
  shader,
  storedType,
  toStored,
  valueType,
} from '../emit.ts'
import { atLevel, cascade, levelsOf, walked } from '../cascade.ts'
import { innermost, type Loops, simplify } from '../loops.ts'

/** Rows shorter than this are left to one thread each, also on a GPU. */
const shortRow = 32

/** Threads of the workgroup that shares a row: about one per step, within what is reasonable. */
const threadsFor = (steps: number): number => steps <= 32 ? 32 : steps <= 64 ? 64 : steps <= 1024 ? 128 : 256

interface Fold {
  readonly element: ElementFunction
  readonly combine: RowKernel['folds'][number]['combine']
  readonly n: number
}

/** Folds that need no later result can share one walk over the row. */
const passesOf = (folds: readonly Fold[]): readonly (readonly Fold[])[] => {
  const passOf: number[] = []
  const passes: Fold[][] = []
  for (const fold of folds) {
    const pass = Math.max(0, ...fold.element.folds.map((n) => passOf[n]! + 1))
    passOf.push(pass)
    ;(passes[pass] ??= []).push(fold)
  }
  return passes
}

export const rowShader = (k: RowKernel, shape: Shape): Shader => {
  const types = k.inputs.map((view) => view.type)
  const foldTypes: DType[] = []
  const folds = k.folds.map(({ combine, expression }, n): Fold => {
    const element = elementFunction(`fold${n}`, expression, types, foldTypes)
    foldTypes.push(element.type)
    return { element, combine, n }
  })
  const result = elementFunction('result', k.result, types, foldTypes)
  const functions = [...folds.map(({ element }) => element), result]

  const depth = k.outer.length
  const views = [k.output, ...k.inputs]
  const pinned = new Set(functions.flatMap(({ indices }) => indices))
  const outer = simplify(k.outer, views.map((v) => v.strides.slice(0, depth)), new Set([...pinned].filter((n) => n < depth)))
  const perRow = k.per === 'row'
  const innerStrides = views.map((v, at) => at === 0 && perRow ? k.inner.map(() => 0) : v.strides.slice(depth))
  const inner = simplify(k.inner, innerStrides, new Set([...pinned].filter((n) => n >= depth).map((n) => n - depth)))
  const innerCount = elementsOf(inner.sizes)

  // Along the row four at a time, if every operand either lies so or stays the same.
  const used = [...new Set(functions.flatMap(({ inputs }) => inputs))]
  const last = inner.sizes.at(-1) ?? 1
  const fits = (view: View, at: number): boolean => aligned(view.offset, [...outer.strides[at]!, ...inner.strides[at]!], last)
  const still = (at: number): boolean => innermost(inner.strides[at]!) === 0
  const width: 1 | 4 = inner.sizes.length > 0 && last % 4 === 0 &&
      (perRow || fits(k.output, 0)) && used.every((n) => still(n + 1) || fits(k.inputs[n]!, n + 1))
    ? 4
    : 1
  const steps = width === 4 ? [...inner.sizes.slice(0, -1), last / 4] : inner.sizes

  const bindings = new Bindings()
  const out = bindings.output(k.output, perRow ? 1 : width)
  const outerNames = namesOf(outer.sizes, 'p')
  const innerNames = namesOf(steps, 'q')
  const scaled = (strides: readonly number[]): readonly number[] =>
    strides.map((stride, loop) => loop === strides.length - 1 ? stride * width : stride)
  const bases = [0, ...used.map((n) => n + 1)].map((at) =>
    `let base${at} = ${offsetText(views[at]!.offset, outerNames, outer.strides[at]!)};`
  )
  const at = (view: number): string => offsetText(`base${view}`, innerNames, scaled(inner.strides[view]!))

  const loads = (elements: readonly ElementFunction[]): string =>
    [...new Set(elements.flatMap(({ inputs }) => inputs))].map((n) => {
      const view = k.inputs[n]!
      if (width === 4 && !still(n + 1)) return `let v${n} = ${bindings.input(view, 4)}[(${at(n + 1)}) / 4];`
      return `let v${n} = ${fromStored(view.type, `${bindings.input(view)}[${at(n + 1)}]`)};`
    }).join('\n')
  const input = (lane: number) => (n: number): string =>
    width === 4 && !still(n + 1) ? fromStored(k.inputs[n]!.type, `v${n}.${lanes[lane]!}`) : `v${n}`
  const index = (lane: number) => (n: number): string => {
    const [loops, prefix, loop]: readonly [Loops, string, number] = n < depth ? [outer, 'p', n] : [inner, 'q', n - depth]
    const now = loops.position.get(loop) ?? null
    if (now === null) return constantText(k.origin[n]!, 'i32')
    const wide = prefix === 'q' && now === inner.sizes.length - 1 && width === 4
    return wide ? `q${now} * 4 + ${k.origin[n]! + lane}` : `${prefix}${now} + ${k.origin[n]!}`
  }
  const call = (element: ElementFunction, lane: number): string => element.call(input(lane), (n) => `y${n}`, index(lane))

  const groupThreads = threadsFor(elementsOf(steps))
  const shared = shape === 'gpu' && innerCount >= shortRow &&
    (used.some((n) => innermost(inner.strides[n + 1]!) === 1) || elementsOf(outer.sizes) < 1024)

  /** The loops along the row: every step in one thread, or each thread of the workgroup every n-th step. */
  const loops = shared
    ? [{ name: 'step', from: 'local', to: elementsOf(steps), by: groupThreads, unsigned: true }]
    : innerNames.map((name, loop) => ({ name, to: steps[loop]! }))
  const atStep = (body: string): string => shared ? `var s = step;\n${decodeText('s', steps, 'q')}\n${body}` : body

  const declarations = functions.map(({ text }) => text)
  /** One walk along the row for several folds. Each lane of a four has an accumulator, which a flush empties into those above. */
  const foldPass = (pass: readonly Fold[]): string => {
    const eachLane = width === 4 ? [0, 1, 2, 3] : [0]
    const accumulators = ({ n }: Fold, level: number): readonly string[] =>
      level === 0 ? eachLane.map((lane) => `part${n}_${lane}`) : [atLevel(`y${n}`, level)]
    const neutral = ({ combine, element: { type } }: Fold): string => neutralText(combine, type)
    const combined = ({ combine, element: { type } }: Fold, a: string, b: string): string => combineText(combine, type, a, b)
    /** What a level's accumulators hold together. */
    const joined = (fold: Fold, level: number): string => {
      const [a, b, c, d] = accumulators(fold, level)
      return b === undefined ? a! : combined(fold, combined(fold, a!, b), combined(fold, c!, d!))
    }
    const flush = (level: number): string =>
      pass.flatMap((fold) => {
        const [above] = accumulators(fold, level + 1)
        return [
          `${above} = ${combined(fold, above!, joined(fold, level))};`,
          ...accumulators(fold, level).map((name) => `${name} = ${neutral(fold)};`),
        ]
      }).join('\n')
    const body = [
      loads(pass.map(({ element }) => element)),
      ...pass.flatMap((fold) => accumulators(fold, 0).map((name, lane) => `${name} = ${combined(fold, name, call(fold.element, lane))};`)),
    ].join('\n')
    // Largest and smallest elements and whole numbers come out the same in any order.
    const rounds = pass.some(({ combine, element: { type } }) => combine === 'sum' && type === 'f32')
    const walk = cascade({ loops, body: atStep(body), flush, ...(rounds ? {} : { block: Infinity }) })
    const start = pass.flatMap((fold) =>
      levelsOf(walk).flatMap((level) => accumulators(fold, level)).map((name) =>
        `var ${name}: ${valueType(fold.element.type)} = ${neutral(fold)};`
      )
    )
    const total = pass.map((fold) => `var y${fold.n} = ${innerCount === 0 ? neutral(fold) : joined(fold, walk.levels - 1)};`)
    const tree = !shared ? [] : pass.map(({ n, combine, element: { type } }) => {
      declarations.push(`var<workgroup> shared${n}: array<${storedType(type)}, ${groupThreads}>;`)
      const other = fromStored(type, `shared${n}[local + width]`)
      const own = fromStored(type, `shared${n}[local]`)
      return `shared${n}[local] = ${toStored(type, `y${n}`)};
        workgroupBarrier();
        for (var width = ${groupThreads / 2}u; width > 0u; width = width / 2u) {
          if (local < width) { shared${n}[local] = ${toStored(type, combineText(combine, type, own, other))}; }
          workgroupBarrier();
        }
        y${n} = ${fromStored(type, `shared${n}[0]`)};`
    })
    return [...(innerCount === 0 ? [] : [...start, walk.text]), ...total, ...tree].join('\n')
  }

  const finish = perRow
    ? `${shared ? 'if (local == 0u) ' : ''}{ ${out}[base0] = ${toStored(k.output.type, call(result, 0))}; }`
    : innerCount === 0
    ? ''
    : walked(
      loops,
      atStep([
        loads([result]),
        width === 4
          ? `${out}[(${at(0)}) / 4] = vec4<${storedType(k.output.type)}>(${
            lanes.map((_, lane) => toStored(k.output.type, call(result, lane))).join(', ')
          });`
          : `${out}[${at(0)}] = ${toStored(k.output.type, call(result, 0))};`,
      ].join('\n')),
    )

  const rows = elementsOf(outer.sizes)
  const passes = passesOf(folds).map(foldPass)
  const body = [
    `var t = ${shared ? 'group' : 'thread'};`,
    decodeText('t', outer.sizes, 'p'),
    ...bases,
    ...passes,
    finish,
  ].join('\n')
  return shader(
    shared
      ? { bindings, declarations, count: rows, per: 'workgroup', workgroup: groupThreads, body }
      : { bindings, declarations, count: rows, workgroup: rows >= 1024 ? 64 : rows >= 64 ? 16 : 4, body },
  )
}
