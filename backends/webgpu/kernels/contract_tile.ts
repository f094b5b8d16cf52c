import { elementsOf } from '#lib/kernel/kernel.ts'
import { Bindings, decodeText, elementFunction, fromStored, namesOf, offsetText, type Shader, shader, toStored } from '../emit.ts'
import { atLevel, cascade, flushSums, levelsOf } from '../cascade.ts'
import { innermost } from '../loops.ts'
import type { Contraction, Operand } from './contract.ts'

/**
 * A contraction for a real GPU: a workgroup of 16 x 16 threads computes 64 rows and 64 columns, and brings 16 inner
 * positions of both operands into workgroup memory at a time. Each thread computes 4 x 4 sums.
 *
 * With several `parts` each takes a part of the inner positions, and writes its sums to a place of its own in the output's buffer.
 */

export const tile = 64
const depth = 16
const side = 16
const threads = side * side
const each = tile / side

const count = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

/** Loads a tile: neighbouring threads take elements that lie side by side in the buffer. */
const loadText = (c: Contraction, o: Operand, free: 'rows' | 'columns', name: string, buffer: string): string => {
  const byInner = innermost(o.inner) === 1 && innermost(o[free]) !== 1
  const positions = byInner ? { inner: `at % ${depth}u`, free: `at / ${depth}u` } : { inner: `at / ${tile}u`, free: `at % ${tile}u` }
  const freeCount = elementsOf(c[free])
  const innerCount = elementsOf(c.inner)
  return `for (var at = local; at < ${tile * depth}u; at += ${threads}u) {
    let inner_at = ${positions.inner};
    let free_at = ${positions.free};
    var f = ${free === 'rows' ? 'row' : 'column'} + free_at;
    var k = start + inner_at;
    var value = ${o.view.type}(0);
    if (f < ${freeCount}u && k < ${innerCount}u) {
      ${decodeText('f', c[free], 'f')}
      ${decodeText('k', c.inner, 'k')}
      value = ${buffer}[${offsetText(`${name}_start`, [...namesOf(c[free], 'f'), ...namesOf(c.inner, 'k')], [...o[free], ...o.inner])}];
    }
    ${name}_tile[inner_at * ${tile}u + free_at] = value;
  }`
}

export const tileShader = (c: Contraction, parts = 1): Shader => {
  const type = c.left.view.type
  const rows = elementsOf(c.rows)
  const columns = elementsOf(c.columns)
  const inner = elementsOf(c.inner)
  // A part ends where a tile does.
  const length = parts === 1 ? inner : depth * Math.ceil(inner / parts / depth)
  const down = Math.ceil(rows / tile)
  const across = Math.ceil(columns / tile)
  const bindings = new Bindings()
  const epilogue = elementFunction('epilogue', c.epilogue, [type, ...c.extras.map(({ view }) => view.type)])
  const out = bindings.output(c.output.view)
  const left = bindings.input(c.left.view)
  const right = bindings.input(c.right.view)
  const batchNames = namesOf(c.batch, 'n')
  const start = (o: Operand): string => offsetText(o.view.offset, batchNames, o.batch)
  const at = (n: number, o: Operand): string =>
    offsetText(`start${n}`, [...namesOf(c.rows, 'u'), ...namesOf(c.columns, 'v')], [...o.rows, ...o.columns])
  const extras = epilogue.inputs.filter((n) => n > 0)
  // All sums are named: an array with running indices would leave the registers.
  const own = count(each)
  const sums = own.flatMap((i) => own.map((j) => `sum${i}_${j}`))
  const walk = cascade({
    loops: [{ name: 'position', to: length, by: depth, unsigned: true }],
    terms: depth,
    flush: flushSums(sums, `${type}(0)`),
    // Whole numbers come out the same in any order.
    ...(type === 'f32' ? {} : { block: Infinity }),
    body: `let start = first + position;
    ${loadText(c, c.left, 'rows', 'left', left)}
    ${loadText(c, c.right, 'columns', 'right', right)}
    workgroupBarrier();
    for (var k = 0u; k < ${depth}u; k++) {
      ${own.map((i) => `let a${i} = left_tile[k * ${tile}u + y * ${each}u + ${i}u];`).join('\n')}
      ${own.map((j) => `let b${j} = right_tile[k * ${tile}u + x + ${j * side}u];`).join('\n')}
      ${own.flatMap((i) => own.map((j) => `sum${i}_${j} += a${i} * b${j};`)).join('\n')}
    }
    workgroupBarrier();`,
  })
  const value = (i: number, j: number): string =>
    epilogue.call((n) =>
      n === 0
        ? atLevel(`sum${i}_${j}`, walk.levels - 1)
        : fromStored(c.extras[n - 1]!.view.type, `${bindings.input(c.extras[n - 1]!.view)}[${at(n, c.extras[n - 1]!)}]`)
    )
  const store = (i: number, j: number): string =>
    `{
      var v = column + x + ${j * side}u;
      if (v < ${columns}u) {
        ${decodeText('v', c.columns, 'v')}
        ${out}[${at(0, c.output)}] = ${toStored(c.output.view.type, value(i, j))};
      }
    }`

  const body = `var t = group;
  let column = (t % ${across}u) * ${tile}u; t = t / ${across}u;
  let row = (t % ${down}u) * ${tile}u; t = t / ${down}u;
  ${parts === 1 ? 'let first = 0u;' : `let part = t % ${parts}u; t = t / ${parts}u;\n  let first = part * ${length}u;`}
  ${decodeText('t', c.batch, 'n')}
  let left_start = ${start(c.left)};
  let right_start = ${start(c.right)};
  let x = local % ${side}u;
  let y = local / ${side}u;
  ${levelsOf(walk).flatMap((level) => sums.map((sum) => `var ${atLevel(sum, level)} = ${type}(0);`)).join('\n')}
  ${walk.text}
  let start0 = ${parts === 1 ? '' : `i32(part) * ${elementsOf(c.batch) * rows * columns} + `}${start(c.output)};
  ${extras.map((n) => `let start${n} = ${start(c.extras[n - 1]!)};`).join('\n')}
  ${
    own.map((i) =>
      `{
    var u = row + y * ${each}u + ${i}u;
    if (u < ${rows}u) {
      ${decodeText('u', c.rows, 'u')}
      ${own.map((j) => store(i, j)).join('\n')}
    }
  }`
    ).join('\n')
  }`
  return shader({
    bindings,
    declarations: [
      `var<workgroup> left_tile: array<${type}, ${tile * depth}>;`,
      `var<workgroup> right_tile: array<${type}, ${tile * depth}>;`,
      epilogue.text,
    ],
    count: elementsOf(c.batch) * parts * down * across,
    per: 'workgroup',
    workgroup: threads,
    body,
  })
}
