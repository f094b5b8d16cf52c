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
import { innermost, type Loops, simplify } from '../loops.ts'

/** A sum this long is cut in blocks, whose sums are then added: the rounding error grows with the square root only. */
const blockSize = 256

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

  /** Walks the row: every step in one thread, or each thread of the workgroup every n-th step. */
  const walk = (body: string, before = '', after = ''): string => {
    if (shared) {
      return `${before}\nfor (var step = local; step < ${elementsOf(steps)}u; step += ${groupThreads}u) {
        var s = step;\n${decodeText('s', steps, 'q')}\n${body}\n}\n${after}`
    }
    const most = steps.at(-1) ?? 1
    const block = blockSize / width
    const deep = steps.length - 1
    const innermostLoop = steps.length === 0
      ? `{\n${before}\n${body}\n${after}\n}`
      : most <= block
      ? `${before}\nfor (var q${deep} = 0; q${deep} < ${most}; q${deep}++) {\n${body}\n}\n${after}`
      : `for (var block = 0; block < ${most}; block += ${block}) {\n${before}
        let end = min(block + ${block}, ${most});
        for (var q${deep} = block; q${deep} < end; q${deep}++) {\n${body}\n}\n${after}\n}`
    return steps.slice(0, -1).reduceRight(
      (text, size, loop) => `for (var q${loop} = 0; q${loop} < ${size}; q${loop}++) {\n${text}\n}`,
      innermostLoop,
    )
  }

  const declarations = functions.map(({ text }) => text)
  const foldPass = (pass: readonly Fold[]): string => {
    const start = pass.map(({ n, combine, element: { type } }) => `var y${n}: ${valueType(type)} = ${neutralText(combine, type)};`)
    if (innerCount === 0) return start.join('\n')
    const partial = (n: number, lane: number): string => width === 4 ? `part${n}_${lane}` : `part${n}`
    const eachLane = width === 4 ? [0, 1, 2, 3] : [0]
    const before = pass.flatMap(({ n, combine, element: { type } }) =>
      eachLane.map((lane) => `var ${partial(n, lane)}: ${valueType(type)} = ${neutralText(combine, type)};`)
    )
    const body = [
      loads(pass.map(({ element }) => element)),
      ...pass.flatMap(({ n, combine, element }) =>
        eachLane.map((lane) => `${partial(n, lane)} = ${combineText(combine, element.type, partial(n, lane), call(element, lane))};`)
      ),
    ]
    const after = pass.map(({ n, combine, element: { type } }) => {
      const parts = eachLane.map((lane) => partial(n, lane))
      const joined = parts.length === 1
        ? parts[0]!
        : combineText(combine, type, combineText(combine, type, parts[0]!, parts[1]!), combineText(combine, type, parts[2]!, parts[3]!))
      return `y${n} = ${combineText(combine, type, `y${n}`, joined)};`
    })
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
    return [...start, walk(body.join('\n'), before.join('\n'), after.join('\n')), ...tree].join('\n')
  }

  const finish = perRow
    ? `${shared ? 'if (local == 0u) ' : ''}{ ${out}[base0] = ${toStored(k.output.type, call(result, 0))}; }`
    : innerCount === 0
    ? ''
    : walk([
      loads([result]),
      width === 4
        ? `${out}[(${at(0)}) / 4] = vec4<${storedType(k.output.type)}>(${
          lanes.map((_, lane) => toStored(k.output.type, call(result, lane))).join(', ')
        });`
        : `${out}[${at(0)}] = ${toStored(k.output.type, call(result, 0))};`,
    ].join('\n'))

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
