import type { DType } from '#lib/dtype.ts'
import { combineValues, neutral } from '#lib/kernel/combine.ts'
import { compile, type Evaluate, type Expression, typeOf } from '#lib/kernel/expression.ts'
import type {
  AttentionGradientKernel,
  AttentionKernel,
  ContractKernel,
  GatherKernel,
  Kernel,
  MapKernel,
  RowKernel,
  ScatterKernel,
  View,
} from '#lib/kernel/kernel.ts'
import { inRangeOfSingle } from '#lib/kernel/float64.ts'
import { elementsOf, scatteredRows } from '#lib/kernel/kernel.ts'
import type { offsets } from './offsets.ts'

/** The kernel families' meaning, in float64 with the range of float32: the formulas of `kernel.ts` written out as loops. */

export type Buffers = readonly Float64Array[]
type Offsets = typeof offsets

const typesOf = (views: readonly View[]): readonly DType[] => views.map((view) => view.type)

/** Positions along each loop in the whole tensor: what `index` gives. One list per loop. */
const positions = (offsets: Offsets, sizes: readonly number[], origin: readonly number[]): readonly Int32Array[] =>
  sizes.map((_, loop) => offsets(sizes, sizes.map((_, other) => (other === loop ? 1 : 0)), origin[loop]!))

const usesIndex = (e: Expression): boolean => 'index' in e || ('call' in e && e.of.some(usesIndex))

export const map = (k: MapKernel, buffers: Buffers, offsets: Offsets): void => {
  const evaluate = compile(k.expression, typesOf(k.inputs))
  const from = k.inputs.map((view) => offsets(k.sizes, view.strides, view.offset))
  const sources = k.inputs.map((view) => buffers[view.buffer]!)
  const to = offsets(k.sizes, k.output.strides, k.output.offset)
  const out = buffers[k.output.buffer]!
  const along = usesIndex(k.expression) ? positions(offsets, k.sizes, k.origin) : []
  const x = new Float64Array(sources.length)
  const index = new Float64Array(along.length)
  for (let i = 0; i < to.length; i++) {
    for (let n = 0; n < x.length; n++) x[n] = sources[n]![from[n]![i]!]!
    for (let n = 0; n < index.length; n++) index[n] = along[n]![i]!
    out[to[i]!] = evaluate(x, [], index)
  }
}

export const row = (k: RowKernel, buffers: Buffers, offsets: Offsets): void => {
  const types = typesOf(k.inputs)
  const foldTypes: DType[] = []
  for (const { expression } of k.folds) foldTypes.push(typeOf(expression, types, foldTypes))
  const folds = k.folds.map(({ combine, expression }, n) => ({
    start: neutral(combine, foldTypes[n]!),
    combine: combineValues(combine, foldTypes[n]!),
    evaluate: compile(expression, types, foldTypes),
  }))
  const result = compile(k.result, types, foldTypes)

  const depth = k.outer.length
  const outerOf = (view: View) => offsets(k.outer, view.strides.slice(0, depth), view.offset)
  const innerOf = (view: View) => offsets(k.inner, view.strides.slice(depth))
  const sources = k.inputs.map((view) => buffers[view.buffer]!)
  const fromOuter = k.inputs.map(outerOf)
  const fromInner = k.inputs.map(innerOf)
  const out = buffers[k.output.buffer]!
  const toOuter = outerOf(k.output)
  const toInner = innerOf(k.output)
  const indexed = usesIndex(k.result) || k.folds.some(({ expression }) => usesIndex(expression))
  const alongOuter = indexed ? positions(offsets, k.outer, k.origin.slice(0, depth)) : []
  const alongInner = indexed ? positions(offsets, k.inner, k.origin.slice(depth)) : []

  const x = new Float64Array(sources.length)
  const folded = new Float64Array(folds.length)
  const index = new Float64Array(alongOuter.length + alongInner.length)
  const inner = elementsOf(k.inner)
  const at = (o: number, i: number, evaluate: Evaluate): number => {
    for (let n = 0; n < x.length; n++) x[n] = sources[n]![fromOuter[n]![o]! + fromInner[n]![i]!]!
    for (let n = 0; n < alongOuter.length; n++) index[n] = alongOuter[n]![o]!
    for (let n = 0; n < alongInner.length; n++) index[depth + n] = alongInner[n]![i]!
    return evaluate(x, folded, index)
  }

  for (let o = 0; o < toOuter.length; o++) {
    folds.forEach(({ start, combine, evaluate }, n) => {
      let value = start
      for (let i = 0; i < inner; i++) value = combine(value, at(o, i, evaluate))
      folded[n] = foldTypes[n] === 'f32' ? inRangeOfSingle(value) : value
    })
    if (k.per === 'row') out[toOuter[o]!] = result([], folded, [])
    else for (let i = 0; i < inner; i++) out[toOuter[o]! + toInner[i]!] = at(o, i, result)
  }
}

export const contract = (k: ContractKernel, buffers: Buffers, offsets: Offsets): void => {
  const groups = [k.batch, k.rows, k.columns, k.inner]
  const of = (view: View) => {
    let first = 0
    return groups.map((sizes, n) => {
      const strides = view.strides.slice(first, first += sizes.length)
      return offsets(sizes, strides, n === 0 ? view.offset : 0)
    }) as [Int32Array, Int32Array, Int32Array, Int32Array]
  }
  const left = of(k.left)
  const right = of(k.right)
  const extras = k.extras.map(of)
  const output = of(k.output)
  const [batch, rows, columns, inner] = groups.map(elementsOf) as [number, number, number, number]
  const a = buffers[k.left.buffer]!
  const b = buffers[k.right.buffer]!
  const others = k.extras.map((view) => buffers[view.buffer]!)
  const out = buffers[k.output.buffer]!
  const integers = k.left.type === 'i32'
  const epilogue = compile(k.epilogue, [k.left.type, ...typesOf(k.extras)])
  const x = new Float64Array(1 + others.length)
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const fromLeft = left[0][n]! + left[1][i]!
        const fromRight = right[0][n]! + right[2][j]!
        let sum = 0
        for (let q = 0; q < inner; q++) sum += a[fromLeft + left[3][q]!]! * b[fromRight + right[3][q]!]!
        x[0] = integers ? sum | 0 : inRangeOfSingle(sum)
        for (let e = 0; e < others.length; e++) {
          const from = extras[e]!
          x[1 + e] = others[e]![from[0][n]! + from[1][i]! + from[2][j]!]!
        }
        out[output[0][n]! + output[1][i]! + output[2][j]!] = epilogue(x, [], [])
      }
    }
  }
}

/** The element by which a mask leaves a pair of query and key out. */
const leftOut = (mask: View): number => mask.type === 'f32' ? -Infinity : 0

export const attention = (k: AttentionKernel, buffers: Buffers, offsets: Offsets): void => {
  const depth = k.rows.length
  const rowsOf = (view: View) => offsets(k.rows, view.strides.slice(0, depth), view.offset)
  const operand = (view: View): Operand => ({
    elements: buffers[view.buffer]!,
    rows: rowsOf(view),
    key: view.strides[depth]!,
    feature: view.strides[depth + 1]!,
  })
  const [query, key, value, output] = [operand(k.query), operand(k.key), operand(k.value), operand(k.output)]
  const carry = k.carry === null ? null : operand(k.carry)
  const mask = k.mask === null ? null : {
    elements: buffers[k.mask.buffer]!,
    rows: rowsOf(k.mask),
    key: k.mask.strides[depth]!,
    leavesOut: leftOut(k.mask),
    adds: k.mask.type === 'f32',
  }

  const scores = new Float64Array(k.keys)
  for (let r = 0; r < output.rows.length; r++) {
    // What is carried weighs as much as one key with its log-sum-exp as score.
    const carried = carry === null ? -Infinity : carry.elements[carry.rows[r]! + k.features * carry.feature]!
    let highest = carried
    for (let j = 0; j < k.keys; j++) {
      let score = 0
      for (let f = 0; f < k.features; f++) {
        score += query.elements[query.rows[r]! + f * query.feature]! *
          key.elements[key.rows[r]! + j * key.key + f * key.feature]!
      }
      score *= k.scale
      if (mask !== null) {
        const m = mask.elements[mask.rows[r]! + j * mask.key]!
        score = m === mask.leavesOut ? -Infinity : mask.adds ? score + m : score
      }
      scores[j] = score
      highest = Number.isNaN(score) || Number.isNaN(highest) ? NaN : Math.max(highest, score)
    }
    const before = carried === -Infinity ? 0 : Math.exp(carried - highest)
    let total = before
    for (let j = 0; j < k.keys; j++) total += scores[j] = Math.exp(scores[j]! - highest)
    for (let f = 0; f < k.features; f++) {
      let sum = before === 0 || carry === null ? 0 : before * carry.elements[carry.rows[r]! + f * carry.feature]!
      for (let j = 0; j < k.keys; j++) {
        // What a mask leaves out is not looked at: 0 · NaN would be NaN.
        if (mask !== null && mask.elements[mask.rows[r]! + j * mask.key]! === mask.leavesOut) continue
        sum += scores[j]! * value.elements[value.rows[r]! + j * value.key + f * value.feature]!
      }
      output.elements[output.rows[r]! + f * output.feature] = highest === -Infinity ? 0 : sum / total
    }
    if (k.logSum) {
      output.elements[output.rows[r]! + k.features * output.feature] = highest === -Infinity ? highest : highest + Math.log(total)
    }
  }
}

export const attentionGradient = (k: AttentionGradientKernel, buffers: Buffers, offsets: Offsets): void => {
  const depth = k.rows.length
  const walk = (view: View) => ({
    elements: buffers[view.buffer]!,
    rows: offsets(k.rows, view.strides.slice(0, depth), view.offset),
    inner: offsets(k.inner, view.strides.slice(depth, -1)),
    feature: view.strides.at(-1)!,
  })
  const [q, key, v, g, stats, out] = [walk(k.query), walk(k.key), walk(k.value), walk(k.cotangent), walk(k.stats), walk(k.output)]
  const [mask, carry] = [k.mask === null ? null : walk(k.mask), k.carry === null ? null : walk(k.carry)]
  const [first, second] = [new Float64Array(k.features), new Float64Array(k.features)]
  for (let r = 0; r < out.rows.length; r++) {
    first.fill(0)
    second.fill(0)
    for (let j = 0; j < out.inner.length; j++) {
      const at = (of: typeof q): number => of.rows[r]! + of.inner[j]!
      const [atQuery, atKey, atValue, atCotangent, atStats] = [at(q), at(key), at(v), at(g), at(stats)]
      let score = 0
      let product = 0
      for (let f = 0; f < k.features; f++) {
        score += q.elements[atQuery + f * q.feature]! * key.elements[atKey + f * key.feature]!
        product += g.elements[atCotangent + f * g.feature]! * v.elements[atValue + f * v.feature]!
      }
      score *= k.scale
      if (mask !== null) {
        const m = mask.elements[at(mask)]!
        // What a mask leaves out is not looked at: 0 · NaN would be NaN.
        if (m === leftOut(k.mask!)) continue
        if (k.mask!.type === 'f32') score += m
      }
      const [logSum, delta] = [stats.elements[atStats]!, stats.elements[atStats + stats.feature]!]
      const weight = logSum === -Infinity ? 0 : Math.exp(score - logSum)
      const slope = k.scale * weight * (product - delta)
      for (let f = 0; f < k.features; f++) {
        first[f]! += slope * (k.of === 'queries' ? key.elements[atKey + f * key.feature]! : q.elements[atQuery + f * q.feature]!)
        second[f]! += weight * g.elements[atCotangent + f * g.feature]!
      }
    }
    for (let f = 0; f < k.features; f++) {
      const carried = carry === null ? 0 : carry.elements[carry.rows[r]! + f * carry.feature]!
      out.elements[out.rows[r]! + f * out.feature] = carried + first[f]!
      if (k.of === 'queries') continue
      const carriedToo = carry === null ? 0 : carry.elements[carry.rows[r]! + k.carryPart + f * carry.feature]!
      out.elements[out.rows[r]! + k.part + f * out.feature] = carriedToo + second[f]!
    }
  }
}

interface Operand {
  readonly elements: Float64Array
  readonly rows: Int32Array
  readonly key: number
  readonly feature: number
}

export const gather = (k: GatherKernel, buffers: Buffers, offsets: Offsets): void => {
  const ids = buffers[k.ids.buffer]!
  const table = buffers[k.table.buffer]!
  const out = buffers[k.output.buffer]!
  const fromIds = offsets(k.sizes, k.ids.strides, k.ids.offset)
  const fromTable = offsets(k.sizes, k.table.strides, k.table.offset)
  const to = offsets(k.sizes, k.output.strides, k.output.offset)
  const absent = k.outside === 'NaN' && k.output.type === 'f32' ? NaN : 0
  for (let i = 0; i < to.length; i++) {
    const id = ids[fromIds[i]!]!
    out[to[i]!] = id >= 0 && id < k.size ? table[fromTable[i]! + id * k.step]! : absent
  }
}

export const scatter = (k: ScatterKernel, buffers: Buffers, offsets: Offsets): void => {
  const ids = buffers[k.ids.buffer]!
  const values = buffers[k.values.buffer]!
  const out = buffers[k.output.buffer]!
  const loops = [...k.batch, ...k.inner, ...k.rest]
  const fromIds = offsets(loops, k.ids.strides, k.ids.offset)
  const fromValues = offsets(loops, k.values.strides, k.values.offset)
  const to = offsets(loops, k.output.strides, k.output.offset)
  const integers = k.output.type === 'i32'
  const { view, sizes } = scatteredRows(k)
  const written = offsets(sizes, view.strides, view.offset)
  for (let i = 0; i < written.length; i++) out[written[i]!] = 0
  for (let i = 0; i < to.length; i++) {
    const row = ids[fromIds[i]!]! - k.first
    if (row < 0 || row >= k.rows) continue
    const at = to[i]! + row * k.step
    const sum = out[at]! + values[fromValues[i]!]!
    out[at] = integers ? sum | 0 : sum
  }
}

export const execute = (kernel: Kernel, buffers: Buffers, offsets: Offsets): void => {
  switch (kernel.kind) {
    case 'map':
      return map(kernel, buffers, offsets)
    case 'row':
      return row(kernel, buffers, offsets)
    case 'contract':
      return contract(kernel, buffers, offsets)
    case 'attention':
      return attention(kernel, buffers, offsets)
    case 'attention-gradient':
      return attentionGradient(kernel, buffers, offsets)
    case 'gather':
      return gather(kernel, buffers, offsets)
    case 'scatter':
      return scatter(kernel, buffers, offsets)
  }
}
