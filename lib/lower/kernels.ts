import type { DType } from '../dtype.ts'
import { input, literal } from '../kernel/expression.ts'
import type { AttentionGradientKernel, AttentionKernel, Kernel, ScatterKernel, View } from '../kernel/kernel.ts'
import type { AttentionGradientTemplate, AttentionTemplate, Template } from '../kernel/template.ts'
import type { Shape } from '../layout/layout.ts'
import { dimOf, type Piece, stridesAlong } from './views.ts'

interface Local {
  readonly operands: readonly Piece[]
  readonly types: readonly DType[]
  readonly result: Piece
  readonly shape: Shape
  /** Where the result's piece starts in the whole tensor. */
  readonly origin: readonly number[]
  /** Where an operand's piece starts along one of its dims. */
  readonly startOf: (operand: number, dim: string) => number
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
export const kernelsOf = (template: Template, local: Local): readonly Kernel[] => {
  const { operands, types, result, shape, origin } = local
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
    case 'attention':
    case 'attention-gradient':
      return [template.family === 'attention' ? attentionKernel(template, local) : attentionGradientKernel(template, local)]
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
        outside: template.outside,
        output,
      }]
    }
    case 'scatter':
      return [scatterKernel(template.dim, local)]
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
        expression: literal(template.fill, shape.type),
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

/** A mask as the block of keys sees it, which may be some of those that the mask is for. */
const maskView = (
  { maskKeys, over }: AttentionTemplate | AttentionGradientTemplate,
  at: number,
  { operands, types, startOf }: Local,
  loops: readonly (string | null)[],
): View | null => {
  if (maskKeys === null) return null
  const view = viewOf(operands[at]!, types[at]!, loops)
  return { ...view, offset: view.offset + (startOf(1, over) - startOf(at, maskKeys)) * dimOf(operands[at]!, maskKeys)!.stride }
}

const attentionKernel = (template: AttentionTemplate, local: Local): AttentionKernel => {
  const { over, features, maskKeys, scale, carried, logSum } = template
  const { operands, result } = local
  const [query, key, value] = operands as [Piece, Piece, Piece]
  const rows = result.dims.map(({ name }) => name).filter((name) => name !== features)
  // The queries' own position along \`over\` is another loop than the keys'.
  const own = rows.map((name) => name === over ? null : name)
  return {
    kind: 'attention',
    rows: rows.map((name) => dimOf(result, name)!.size),
    keys: dimOf(key, over)!.size,
    features: dimOf(query, features)!.size,
    scale,
    query: viewOf(query, 'f32', [...rows, null, features]),
    key: viewOf(key, 'f32', [...own, over, features]),
    value: viewOf(value, 'f32', [...own, over, features]),
    mask: maskView(template, 3, local, [...rows.map((name) => name === maskKeys ? null : name), maskKeys, null]),
    carry: carried ? viewOf(operands.at(-1)!, 'f32', [...rows, null, features]) : null,
    logSum,
    output: viewOf(result, 'f32', [...rows, null, features]),
  }
}

/** Loops are those of queries and those of keys; dims that both have are rows for both gradients. */
const attentionGradientKernel = (template: AttentionGradientTemplate, local: Local): AttentionGradientKernel => {
  const { over, features, maskKeys, scale, carried, of, part } = template
  const { operands, result } = local
  const [query, key, value, cotangent, stats] = operands as [Piece, Piece, Piece, Piece, Piece]
  const nameOf = ({ name }: { readonly name: string }): string => name
  const queryRows = query.dims.map(nameOf).filter((name) => name !== features)
  const shared = queryRows.filter((name) => name !== over && dimOf(key, name) !== undefined)
  const own = queryRows.filter((name) => !shared.includes(name))
  // A loop is named by its dim, the keys' one apart: it may have the name of one of the queries' dims.
  const keyLoop = ''
  const [rows, inner] = of === 'queries' ? [queryRows, [keyLoop]] : [[...shared, keyLoop], own]
  const loops = [...rows, ...inner]
  const ofQueries = loops.map((name) => name === keyLoop ? null : name)
  const ofKeys = loops.map((name) => name === keyLoop ? over : shared.includes(name) ? name : null)
  const ofMask = loops.map((name) => name === keyLoop ? maskKeys : name === maskKeys ? null : name)
  const ofResult = of === 'queries' ? ofQueries : ofKeys
  const sizeOf = (name: string): number => name === keyLoop ? dimOf(key, over)!.size : dimOf(query, name)!.size
  const carry = carried ? operands.at(-1)! : undefined
  const partStride = (piece: Piece | undefined): number => of === 'queries' || piece === undefined ? 0 : dimOf(piece, part)!.stride
  return {
    kind: 'attention-gradient',
    of,
    rows: rows.map(sizeOf),
    inner: inner.map(sizeOf),
    features: dimOf(query, features)!.size,
    scale,
    query: viewOf(query, 'f32', [...ofQueries, features]),
    key: viewOf(key, 'f32', [...ofKeys, features]),
    value: viewOf(value, 'f32', [...ofKeys, features]),
    cotangent: viewOf(cotangent, 'f32', [...ofQueries, features]),
    stats: viewOf(stats, 'f32', [...ofQueries, features]),
    mask: maskView(template, 5, local, [...ofMask, null]),
    carry: carry === undefined ? null : viewOf(carry, 'f32', [...ofResult, features]),
    output: viewOf(result, 'f32', [...ofResult, features]),
    part: partStride(result),
    carryPart: partStride(carry),
  }
}

/** A piece of the result along the rows takes the ids of its own rows. */
const scatterKernel = (dim: string, { operands, types, result, shape, origin }: Local): ScatterKernel => {
  const [values, ids] = operands as [Piece, Piece]
  const names = result.dims.map(({ name }) => name)
  const isOfIds = (name: string): boolean => dimOf(ids, name) !== undefined
  const batch = names.filter((name) => name !== dim && isOfIds(name))
  const inner = ids.dims.map(({ name }) => name).filter((name) => !names.includes(name))
  const rest = names.filter((name) => name !== dim && !isOfIds(name))
  const loops = [...batch, ...inner, ...rest]
  const sizesIn = (piece: Piece, dims: readonly string[]): readonly number[] => dims.map((name) => dimOf(piece, name)!.size)
  const row = dimOf(result, dim)!
  return {
    kind: 'scatter',
    batch: sizesIn(ids, batch),
    inner: sizesIn(ids, inner),
    rest: sizesIn(values, rest),
    ids: viewOf(ids, 'i32', loops),
    values: viewOf(values, types[0]!, loops),
    first: origin[names.indexOf(dim)]!,
    rows: row.size,
    step: row.stride,
    output: viewOf(result, shape.type, loops),
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
