import type { DType } from '../dtype.ts'
import { input, integer, real } from '../kernel/expression.ts'
import type { Kernel, View } from '../kernel/kernel.ts'
import type { Template } from '../kernel/template.ts'
import type { Shape } from '../layout/layout.ts'
import { dimOf, type Piece, stridesAlong } from './views.ts'

interface Local {
  readonly operands: readonly Piece[]
  readonly types: readonly DType[]
  readonly result: Piece
  readonly shape: Shape
  /** Where the result's piece starts in the whole tensor. */
  readonly origin: readonly number[]
}

const viewOf = (piece: Piece, type: DType, loops: readonly (string | null)[]): View => ({
  buffer: piece.buffer,
  type,
  offset: piece.offset,
  strides: stridesAlong(piece, loops),
})

const sizeAmong = (pieces: readonly Piece[], dim: string): number =>
  pieces.map((piece) => dimOf(piece, dim)?.size).find((size) => size !== undefined)!

/** A template on a rank's pieces. */
export const kernelsOf = (template: Template, { operands, types, result, shape, origin }: Local): readonly Kernel[] => {
  const names = result.dims.map(({ name }) => name)
  const sizes = result.dims.map(({ size }) => size)
  const output = viewOf(result, shape.type, names)
  const sizesAlong = (piece: Piece, dims: readonly string[]): readonly number[] => dims.map((dim) => dimOf(piece, dim)!.size)
  switch (template.family) {
    case 'map':
      return [{
        kind: 'map',
        sizes,
        origin,
        expression: template.expression,
        output,
        inputs: operands.map((operand, i) => viewOf(operand, types[i]!, names)),
      }]
    case 'row': {
      const outer = names.filter((name) => !template.inner.includes(name))
      const loops = [...outer, ...template.inner]
      return [{
        kind: 'row',
        outer: sizesAlong(result, outer),
        inner: template.inner.map((name) => sizeAmong(operands, name)),
        origin: loops.map((name) => origin[names.indexOf(name)] ?? 0),
        inputs: operands.map((operand, i) => viewOf(operand, types[i]!, loops)),
        folds: template.folds,
        result: template.result,
        per: template.per,
        output: viewOf(result, shape.type, loops),
      }]
    }
    case 'contract': {
      const [left, right, ...extras] = operands
      const has = (piece: Piece, name: string): boolean => dimOf(piece, name) !== undefined
      const batch = names.filter((name) => has(left!, name) && has(right!, name))
      const rows = names.filter((name) => !has(right!, name))
      const columns = names.filter((name) => !has(left!, name))
      const loops = [...batch, ...rows, ...columns, ...template.inner]
      return [{
        kind: 'contract',
        batch: sizesAlong(result, batch),
        rows: sizesAlong(result, rows),
        columns: sizesAlong(result, columns),
        inner: sizesAlong(left!, template.inner),
        left: viewOf(left!, types[0]!, loops),
        right: viewOf(right!, types[1]!, loops),
        extras: extras.map((extra, i) => viewOf(extra, types[i + 2]!, [...batch, ...rows, ...columns, ...template.inner.map(() => null)])),
        epilogue: template.epilogue,
        output: viewOf(result, shape.type, [...batch, ...rows, ...columns, ...template.inner.map(() => null)]),
      }]
    }
    case 'attention': {
      const [query, key, value, mask] = operands
      const { over, features, maskKeys, scale } = template
      const rows = names.filter((name) => name !== features)
      // The queries' own position along `over` is another loop than the keys'.
      const own = rows.map((name) => name === over ? null : name)
      const masked = rows.map((name) => name === maskKeys ? null : name)
      return [{
        kind: 'attention',
        rows: sizesAlong(result, rows),
        keys: dimOf(key!, over)!.size,
        features: dimOf(query!, features)!.size,
        scale,
        query: viewOf(query!, 'f32', [...rows, null, features]),
        key: viewOf(key!, 'f32', [...own, over, features]),
        value: viewOf(value!, 'f32', [...own, over, features]),
        mask: mask === undefined ? null : viewOf(mask, types[3]!, [...masked, maskKeys, null]),
        output: viewOf(result, 'f32', [...rows, null, features]),
      }]
    }
    case 'gather': {
      const [table, ids] = operands
      const dim = dimOf(table!, template.dim)!
      return [{
        kind: 'gather',
        sizes,
        ids: viewOf(ids!, 'i32', names),
        table: viewOf(table!, types[0]!, names.map((name) => name === template.dim ? null : name)),
        step: dim.stride,
        size: dim.size,
        output,
      }]
    }
    case 'place': {
      // An operand without the dim is one position of it.
      const lengthOf = (operand: Piece): number => dimOf(operand, template.dim)?.size ?? 1
      const filled = operands.reduce((sum, operand) => sum + lengthOf(operand), 0) === dimOf(result, template.dim)!.size
      const fill: Kernel = {
        kind: 'map',
        sizes,
        origin,
        inputs: [],
        output,
        expression: shape.type === 'f32' ? real(template.fill) : integer(template.fill),
      }
      let at = template.before
      const copies = operands.map((operand, i): Kernel => {
        const start = at
        at += lengthOf(operand)
        return {
          kind: 'map',
          sizes: names.map((name) => name === template.dim ? lengthOf(operand) : dimOf(operand, name)!.size),
          origin,
          expression: input(0),
          inputs: [viewOf(operand, types[i]!, names)],
          output: { ...output, offset: output.offset + start * dimOf(result, template.dim)!.stride },
        }
      })
      return filled ? copies : [fill, ...copies]
    }
    case 'view':
      return [copyForMerge(template, operands[0]!, types[0]!, result, shape)]
  }
}

/** A merge of dims that don't lie one inside the other: each element is fetched from where it is. */
const copyForMerge = (
  template: Extract<Template, { family: 'view' }>,
  operand: Piece,
  type: DType,
  result: Piece,
  shape: Shape,
): Kernel => {
  if (template.view.of !== 'merge') throw new Error(`a ${template.view.of} is always a view`)
  const { dims, to } = template.view
  const loops = result.dims.flatMap(({ name }) => name === to ? dims : [name])
  let stride = dimOf(result, to)!.stride
  const strides = new Map<string, number>(result.dims.map((dim) => [dim.name, dim.stride]))
  for (const name of [...dims].reverse()) {
    strides.set(name, stride)
    stride *= dimOf(operand, name)!.size
  }
  return {
    kind: 'map',
    sizes: loops.map((name) => dimOf(operand, name)!.size),
    origin: loops.map(() => 0),
    expression: input(0),
    inputs: [viewOf(operand, type, loops)],
    output: { buffer: result.buffer, type: shape.type, offset: result.offset, strides: loops.map((name) => strides.get(name)!) },
  }
}
