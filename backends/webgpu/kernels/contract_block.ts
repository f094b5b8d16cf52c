import { elementsOf } from '#lib/kernel/kernel.ts'
import {
  Bindings,
  decodeText,
  elementFunction,
  fromStored,
  lanes,
  namesOf,
  offsetText,
  type Shader,
  shader,
  storedType,
  toStored,
  valueType,
} from '../emit.ts'
import { atLevel, type Cascade, cascade, flushSums, levelsOf } from '../cascade.ts'
import { innermost } from '../loops.ts'
import type { Contraction, Operand } from './contract.ts'

/**
 * A contraction in registers alone: each thread computes a block of up to 8 rows and 8 columns, columns as vectors of
 * four. Without workgroup memory and barriers, which an emulated GPU pays for dearly (ten times the naive kernel there).
 */

const blockRows = 8
const blockColumns = 8

/** How four elements of an operand are loaded at once: along its free loops, along the inner ones, or not at all. */
type Along = 'free' | 'inner' | null

const fourth = (stride: number): boolean => stride % 4 === 0

const alongOf = (o: Operand, free: 'rows' | 'columns', sizes: Contraction): Along => {
  const rest = (strides: readonly number[]): boolean => strides.slice(0, -1).every(fourth)
  if (!fourth(o.view.offset) || !o.batch.every(fourth)) return null
  if (innermost(o[free]) === 1 && fourth(sizes[free].at(-1)!) && rest(o[free]) && o.inner.every(fourth)) return 'free'
  if (innermost(o.inner) === 1 && fourth(sizes.inner.at(-1)!) && rest(o.inner) && o[free].every(fourth)) return 'inner'
  return null
}

/** Whether four columns of an operand in the output's shape can be taken at once. */
const wholeColumns = (o: Operand, sizes: Contraction): boolean =>
  innermost(o.columns) === 1 && fourth(sizes.columns.at(-1)!) && o.columns.slice(0, -1).every(fourth) &&
  fourth(o.view.offset) && o.batch.every(fourth) && o.rows.every(fourth)

const count = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

/** A line that gives the offset of linear position `at` along a loop group. */
const offsetAlong = (name: string, at: string, base: string, sizes: readonly number[], strides: readonly number[]): string => {
  if (sizes.length === 0) return `let ${name} = ${base};`
  if (sizes.length === 1) return `let ${name} = ${offsetText(base, [`i32(${at})`], strides)};`
  return `var ${name}: i32; { var u = ${at};\n${decodeText('u', sizes, 'd')}\n${name} = ${
    offsetText(base, namesOf(sizes, 'd'), strides)
  }; }`
}

export const blockShader = (c: Contraction): Shader => {
  const type = c.left.view.type
  const rows = elementsOf(c.rows)
  const columns = elementsOf(c.columns)
  const left = alongOf(c.left, 'rows', c)
  const right = alongOf(c.right, 'columns', c)
  const step = left === 'inner' || right === 'inner' ? 4 : 1

  // Blocks of equal height, so that nine rows become 5 + 5 and not 8 + 8; whole vectors where rows are loaded in fours.
  const rowBlocks = Math.ceil(rows / blockRows)
  const height = left === 'free' ? (rows % 8 === 0 ? 8 : 4) : Math.ceil(rows / rowBlocks)
  const groups = columns > 4 ? blockColumns / 4 : 1
  const across = Math.ceil(columns / (groups * 4))
  const down = Math.ceil(rows / height)
  const rowNumbers = count(height)
  const groupNumbers = count(groups)

  const bindings = new Bindings()
  const epilogue = elementFunction('epilogue', c.epilogue, [type, ...c.extras.map(({ view }) => view.type)])
  const extras = epilogue.inputs.filter((n) => n > 0)
  const outWhole = wholeColumns(c.output, c)
  const out = bindings.output(c.output.view, outWhole ? 4 : 1)
  const leftBuffer = bindings.input(c.left.view, left === null ? 1 : 4)
  const rightBuffer = bindings.input(c.right.view, right === null ? 1 : 4)
  const unit = (along: Along): number => along === null ? 1 : 4
  const divided = (strides: readonly number[], by: number): readonly number[] => strides.map((stride) => stride / by)
  const batchNames = namesOf(c.batch, 'n')

  // ---- where the block lies
  const lines: string[] = [
    `var t = thread;`,
    `let column = (t % ${across}u) * ${groups * 4}u; t = t / ${across}u;`,
    `let row = (t % ${down}u) * ${height}u; t = t / ${down}u;`,
    decodeText('t', c.batch, 'n'),
  ]
  const startOf = (o: Operand, by: number): string => offsetText(o.view.offset / by, batchNames, divided(o.batch, by))
  lines.push(`let left_start = ${startOf(c.left, unit(left))};`, `let right_start = ${startOf(c.right, unit(right))};`)

  const clamp = (at: string, last: number): string => `min(${at}, ${last}u)`
  // With vectors along a free loop its innermost stride, 1, becomes a quarter: positions are then counted in fours.
  const freeOffset = (name: string, at: string, base: string, sizes: readonly number[], strides: readonly number[]): string =>
    offsetAlong(name, `(${at}) / 4u`, base, [...sizes.slice(0, -1), sizes.at(-1)! / 4], [...divided(strides.slice(0, -1), 4), 1])
  if (left === 'free') {
    for (const g of count(height / 4)) {
      lines.push(freeOffset(`l${g}`, clamp(`row + ${4 * g}u`, rows - 4), 'left_start', c.rows, c.left.rows))
    }
  } else {
    for (const i of rowNumbers) {
      lines.push(offsetAlong(`l${i}`, clamp(`row + ${i}u`, rows - 1), 'left_start', c.rows, divided(c.left.rows, unit(left))))
    }
  }
  if (right === 'free') {
    for (const g of groupNumbers) {
      lines.push(freeOffset(`r${g}`, clamp(`column + ${4 * g}u`, columns - 4), 'right_start', c.columns, c.right.columns))
    }
  } else {
    for (const j of count(groups * 4)) {
      lines.push(
        offsetAlong(`r${j}`, clamp(`column + ${j}u`, columns - 1), 'right_start', c.columns, divided(c.right.columns, unit(right))),
      )
    }
  }

  // ---- the sums
  const sums = rowNumbers.flatMap((i) => groupNumbers.map((g) => `sum${i}_${g}`))
  const walk = innerLoops(c, left, right, step, leftBuffer, rightBuffer, height, groups, sums)
  for (const level of levelsOf(walk)) for (const sum of sums) lines.push(`var ${atLevel(sum, level)} = vec4<${type}>();`)
  if (elementsOf(c.inner) > 0) lines.push(walk.text)

  // ---- what becomes of them
  const vector = (o: Operand): boolean => wholeColumns(o, c)
  for (const n of [0, ...extras]) {
    const o = n === 0 ? c.output : c.extras[n - 1]!
    lines.push(`let start${n} = ${startOf(o, 1)};`)
    for (const g of groupNumbers) {
      for (const j of vector(o) ? [0] : [0, 1, 2, 3]) {
        lines.push(offsetAlong(`c${n}_${4 * g + j}`, clamp(`column + ${4 * g + j}u`, columns - 1), '0', c.columns, o.columns))
      }
    }
  }
  for (const i of rowNumbers) {
    const body: string[] = []
    for (const n of [0, ...extras]) {
      const o = n === 0 ? c.output : c.extras[n - 1]!
      body.push(offsetAlong(`o${n}`, `row + ${i}u`, `start${n}`, c.rows, o.rows))
    }
    for (const g of groupNumbers) {
      const stored = (j: number): string =>
        toStored(
          c.output.view.type,
          epilogue.call((n) => {
            if (n === 0) return `${atLevel(`sum${i}_${g}`, walk.levels - 1)}.${lanes[j]!}`
            const o = c.extras[n - 1]!
            if (vector(o)) return fromStored(o.view.type, `x${n}_${g}.${lanes[j]!}`)
            return fromStored(o.view.type, `${bindings.input(o.view)}[o${n} + c${n}_${4 * g + j}]`)
          }),
        )
      const loads = extras.filter((n) => vector(c.extras[n - 1]!)).map((n) =>
        `let x${n}_${g} = ${bindings.input(c.extras[n - 1]!.view, 4)}[(o${n} + c${n}_${4 * g}) / 4];`
      )
      const inside = (j: number, text: string): string =>
        columns % (groups * 4) === 0 ? text : `if (column + ${4 * g + j}u < ${columns}u) { ${text} }`
      if (outWhole) {
        body.push(
          inside(
            0,
            `${loads.join(' ')} ${out}[(o0 + c0_${4 * g}) / 4] = vec4<${storedType(c.output.view.type)}>(${
              [0, 1, 2, 3].map(stored).join(', ')
            });`,
          ),
        )
      } else {
        body.push('{', ...loads, ...[0, 1, 2, 3].map((j) => inside(j, `${out}[o0 + c0_${4 * g + j}] = ${stored(j)};`)), '}')
      }
    }
    lines.push(rows % height === 0 ? `{\n${body.join('\n')}\n}` : `if (row + ${i}u < ${rows}u) {\n${body.join('\n')}\n}`)
  }

  return shader({
    bindings,
    declarations: [epilogue.text],
    count: elementsOf(c.batch) * down * across,
    workgroup: 8,
    body: lines.join('\n'),
  })
}

/** Walks the inner loops, one or four positions at a time, and adds each position's outer product to the `sums`. */
const innerLoops = (
  c: Contraction,
  left: Along,
  right: Along,
  step: 1 | 4,
  leftBuffer: string,
  rightBuffer: string,
  height: number,
  groups: number,
  sums: readonly string[],
): Cascade => {
  const type = valueType(c.left.view.type)
  const names = c.inner.length === 0 ? [] : namesOf(c.inner, 'k')
  // Offsets are counted in fours for an operand loaded in fours; `k` of the last loop counts steps.
  const offset = (o: Operand, along: Along, lane: number): string => {
    const strides = o.inner.map((stride, loop) => {
      const last = loop === o.inner.length - 1
      return along === 'inner' ? (last ? step / 4 : stride / 4) : (along === 'free' ? stride / 4 : stride) * (last ? step : 1)
    })
    const start = along === 'inner' ? 0 : lane * (along === 'free' ? innermost(o.inner) / 4 : innermost(o.inner))
    return offsetText(start, names, strides)
  }
  const body: string[] = []
  if (left === 'inner') {
    body.push(`let lk = ${offset(c.left, left, 0)};`)
    for (const i of count(height)) body.push(`let a${i} = ${leftBuffer}[l${i} + lk];`)
  }
  if (right === 'inner') {
    body.push(`let rk = ${offset(c.right, right, 0)};`)
    for (const j of count(groups * 4)) body.push(`let b${j}_ = ${rightBuffer}[r${j} + rk];`)
  }
  for (const lane of count(step)) {
    const component = lanes[lane]!
    body.push('{')
    if (left !== 'inner') body.push(`let lk = ${offset(c.left, left, lane)};`)
    if (right !== 'inner') body.push(`let rk = ${offset(c.right, right, lane)};`)
    if (left === 'free') { for (const g of count(height / 4)) body.push(`let a${g} = ${leftBuffer}[l${g} + lk];`) }
    if (left === null) { for (const i of count(height)) body.push(`let a${i} = ${leftBuffer}[l${i} + lk];`) }
    for (const g of count(groups)) {
      const column = (j: number): string => right === 'inner' ? `b${4 * g + j}_.${component}` : `${rightBuffer}[r${4 * g + j} + rk]`
      body.push(
        right === 'free' ? `let w${g} = ${rightBuffer}[r${g} + rk];` : `let w${g} = vec4<${type}>(${[0, 1, 2, 3].map(column).join(', ')});`,
      )
    }
    for (const i of count(height)) {
      const a = left === 'inner' ? `a${i}.${component}` : left === 'free' ? `a${i >> 2}.${lanes[i & 3]!}` : `a${i}`
      for (const g of count(groups)) body.push(`sum${i}_${g} += ${a} * w${g};`)
    }
    body.push('}')
  }
  return cascade({
    loops: names.map((name, loop) => ({ name, to: loop === names.length - 1 ? c.inner[loop]! / step : c.inner[loop]! })),
    body: body.join('\n'),
    terms: step,
    flush: flushSums(sums, `vec4<${type}>()`),
    // Whole numbers come out the same in any order.
    ...(c.left.view.type === 'f32' ? {} : { block: Infinity }),
  })
}
