import type { DType } from '#lib/dtype.ts'
import { compile, type Expression, typeOf } from '#lib/kernel/expression.ts'
import { neutral } from '#lib/kernel/combine.ts'
import type { Combine, View } from '#lib/kernel/kernel.ts'
import { formOf } from '#lib/kernel/scalar.ts'

/** Pieces of WGSL shared by all kernel families: constants, expressions, views as bindings, loops. */

/** A compute shader, and the buffers its bindings stand for, in binding order; the first is written. */
export interface Shader {
  /** WGSL without the scalar functions that it calls (prelude.ts). */
  readonly code: string
  readonly buffers: readonly number[]
  readonly workgroups: readonly [number, number]
}

/** Shaders that run one after another, and the elements of a scratch buffer that they share. */
export interface WithScratch {
  readonly shaders: readonly Shader[]
  readonly scratch: number
}

/** How a value is held in registers. */
export const valueType = (type: DType): string => type

/** How an element lies in memory: truth values as 0 or 1. */
export const storedType = (type: DType): string => type === 'bool' ? 'i32' : type

// ---- constants -------------------------------------------------------------------------------------------------

const leastNormal = 2 ** -126

/** An f32, i32 or bool as WGSL has it; infinities, NaN and -0 by the variables of prelude.ts. */
export const constantText = (value: number, type: DType): string => {
  if (type === 'bool') return value !== 0 ? 'true' : 'false'
  if (type === 'i32') return value === -2147483648 ? 'i32(-2147483648)' : value < 0 ? `i32(${value})` : `${value}i`
  if (Number.isNaN(value)) return 'bitcast<f32>(nan_bits_)'
  const single = Math.fround(value)
  if (single === Infinity) return 'bitcast<f32>(infinity_bits_)'
  if (single === -Infinity) return '(-bitcast<f32>(infinity_bits_))'
  if (Object.is(single, -0)) return 'bitcast<f32>(negative_zero_bits_)'
  if (single !== 0 && Math.abs(single) < leastNormal) return subnormalText(single)
  const digits = String(single)
  return single < 0 ? `f32(-${digits.slice(1)})` : /[.e]/.test(digits) ? `${digits}f` : `${digits}.0f`
}

/** A subnormal number by its count of units of 2^-149: as digits it may be taken for 0. */
const subnormalText = (x: number): string => `bitcast<f32>(${x < 0 ? 2 ** 31 - x * 2 ** 149 : x * 2 ** 149}u)`

// ---- expressions -----------------------------------------------------------------------------------------------

/** An expression as a WGSL function of the leaves it uses. */
export interface ElementFunction {
  readonly text: string
  readonly type: DType
  readonly inputs: readonly number[]
  readonly folds: readonly number[]
  readonly indices: readonly number[]
  /** The call, given texts for the leaves. */
  readonly call: (input: (n: number) => string, fold?: (n: number) => string, index?: (n: number) => string) => string
}

const ascending = (set: ReadonlySet<number>): readonly number[] => [...set].sort((a, b) => a - b)

const isConstant = (e: Expression): e is Extract<Expression, { constant: number }> => 'constant' in e

type Calculation = Extract<Expression, { call: unknown }>

/** x · 0 for a zero that is known: a compiler may take that for 0, where it is NaN (of NaN or an infinity) or -0. */
const productWithZero = (e: Calculation, write: (e: Expression) => string): string | undefined => {
  const zero = e.call === 'multiply'
    ? e.of.find((part) => isConstant(part) && part.type === 'f32' && Math.fround(part.constant) === 0)
    : undefined
  if (zero === undefined || !isConstant(zero)) return undefined
  const product = `times_zero_(${write(e.of.find((part) => part !== zero) ?? zero)})`
  return Object.is(Math.fround(zero.constant), -0) ? `negate_(${product})` : product
}

const [sums, products] = [['add', 'subtract'], ['multiply', 'divide']] as const
const isOneOf = (names: readonly string[], e: Expression): boolean => 'call' in e && names.includes(e.call)
const hasConstant = (e: Expression): boolean => 'call' in e && e.of.some(isConstant)

/**
 * The operands that must be rounded before a calculation goes on. WGSL lets a compiler take (x · a) · b for x · (a · b),
 * (x - y) + y for x, and x · a + x · b for x · (a + b), or add a product without rounding it; where a · b is 0 or ∞, or x is lost
 * beside y, that is another number.
 */
const roundedFirst = (e: Calculation, write: (e: Expression) => string): readonly Expression[] => {
  if (isOneOf(products, e)) return hasConstant(e) ? e.of.filter((part) => isOneOf(products, part) && hasConstant(part)) : []
  if (!isOneOf(sums, e)) return []
  const [one, other] = e.of
  const factors = (part: Expression): readonly string[] => 'call' in part && isOneOf(products, part) ? part.of.map(write) : []
  const shared = factors(one!).some((factor) => factors(other!).includes(factor))
  return e.of.filter((part) => isOneOf(sums, part) || (shared && isOneOf(products, part)))
}

/** Equal parts of an expression are computed once; parts of constants only, here and now. */
export const elementFunction = (
  name: string,
  expression: Expression,
  inputs: readonly DType[],
  folds: readonly DType[] = [],
): ElementFunction => {
  const used = { inputs: new Set<number>(), folds: new Set<number>(), indices: new Set<number>() }
  const lines: string[] = []
  const names = new Map<string, string>()
  const known = new Map<Expression, string>()
  const constants = new Map<Expression, Expression>()

  const reduce = (e: Expression): Expression => {
    if (!('call' in e)) return e
    const before = constants.get(e)
    if (before !== undefined) return before
    const of = e.of.map(reduce)
    const reduced: Expression = !of.every(isConstant)
      ? { call: e.call, of }
      : { constant: compile({ call: e.call, of })([], [], []), type: typeOf(e, inputs, folds) }
    constants.set(e, reduced)
    return reduced
  }

  const write = (e: Expression): string => {
    if ('input' in e) {
      used.inputs.add(e.input)
      return `x${e.input}`
    }
    if ('fold' in e) {
      used.folds.add(e.fold)
      return `y${e.fold}`
    }
    if ('index' in e) {
      used.indices.add(e.index)
      return `i${e.index}`
    }
    if ('constant' in e) return constantText(e.constant, e.type)
    const before = known.get(e)
    if (before !== undefined) return before
    const type = typeOf(e, inputs, folds)
    const form = formOf(e.call, e.of[0] === undefined ? undefined : typeOf(e.of[0], inputs, folds))
    const first = type === 'f32' ? roundedFirst(e, write) : []
    const operand = (part: Expression): string =>
      first.includes(part) ? `bitcast<f32>(bitcast<u32>(${write(part)}) | no_bits_)` : write(part)
    const value = productWithZero(e, write) ?? form.wgsl(...e.of.map(operand))
    let variable = names.get(value)
    if (variable === undefined) {
      variable = `e${names.size}`
      names.set(value, variable)
      lines.push(`  let ${variable}: ${valueType(type)} = ${value};`)
    }
    known.set(e, variable)
    return variable
  }

  const result = write(reduce(expression))
  const type = typeOf(expression, inputs, folds)
  const parameters = [
    ...ascending(used.inputs).map((n) => `x${n}: ${valueType(inputs[n]!)}`),
    ...ascending(used.folds).map((n) => `y${n}: ${valueType(folds[n]!)}`),
    ...ascending(used.indices).map((n) => `i${n}: i32`),
  ]
  return {
    text: `fn ${name}(${parameters.join(', ')}) -> ${valueType(type)} {\n${lines.join('\n')}\n  return ${result};\n}`,
    type,
    inputs: ascending(used.inputs),
    folds: ascending(used.folds),
    indices: ascending(used.indices),
    call: (input, fold = () => '0', index = () => '0') =>
      `${name}(${
        [
          ...ascending(used.inputs).map(input),
          ...ascending(used.folds).map(fold),
          ...ascending(used.indices).map(index),
        ].join(', ')
      })`,
  }
}

/** One step of a fold. */
export const combineText = (combine: Combine, type: DType, a: string, b: string): string => {
  if (type === 'bool') return combine === 'min' ? `(${a} && ${b})` : `(${a} || ${b})`
  if (combine === 'sum') return `(${a} + ${b})`
  return type === 'i32' ? `${combine}(${a}, ${b})` : `${combine === 'max' ? 'maximum_' : 'minimum_'}(${a}, ${b})`
}

export const neutralText = (combine: Combine, type: DType): string => constantText(neutral(combine, type), type)

// ---- views as bindings -----------------------------------------------------------------------------------------

/** The bindings of a shader under construction; views of one buffer, type and width share one. */
export class Bindings {
  readonly #declared = new Map<string, number>()
  readonly #lines: string[] = []
  readonly buffers: number[] = []

  #bind(view: View, width: 1 | 4, access: 'read' | 'read_write'): string {
    const element = width === 4 ? `vec4<${storedType(view.type)}>` : storedType(view.type)
    const key = `${view.buffer} ${element} ${access}`
    let binding = this.#declared.get(key)
    if (binding === undefined) {
      binding = this.buffers.length
      this.#declared.set(key, binding)
      this.buffers.push(view.buffer)
      this.#lines.push(`@group(0) @binding(${binding}) var<storage, ${access}> b${binding}: array<${element}>;`)
    }
    return `b${binding}`
  }

  output(view: View, width: 1 | 4 = 1): string {
    return this.#bind(view, width, 'read_write')
  }

  input(view: View, width: 1 | 4 = 1): string {
    return this.#bind(view, width, 'read')
  }

  get text(): string {
    return this.#lines.join('\n')
  }
}

/** A stored element as a value: truth values are tested. */
export const fromStored = (type: DType, stored: string): string => type === 'bool' ? `(${stored} != 0)` : stored
/** Whether an element of a mask keeps its pair of query and key: a bool that is true, an f32 other than -∞. */
export const maskKeeps = (type: DType, stored: string): string =>
  type === 'f32' ? `(bitcast<u32>(${stored}) != 0xff800000u)` : fromStored(type, stored)
export const toStored = (type: DType, value: string): string => type === 'bool' ? `select(0, 1, ${value})` : value

/** Whether groups of four elements along the last loop lie together on a multiple of four, for every position. */
export const aligned = (offset: number, strides: readonly number[], size: number): boolean =>
  size % 4 === 0 && strides.at(-1) === 1 && offset % 4 === 0 && strides.slice(0, -1).every((stride) => stride % 4 === 0)

// ---- index arithmetic ------------------------------------------------------------------------------------------

/** base + Σ names·strides; nothing is multiplied by 0 or 1. */
export const offsetText = (base: number | string, names: readonly string[], strides: readonly number[]): string => {
  const terms = strides.flatMap((stride, loop) => {
    const name = names[loop]!
    return stride === 0 || name === '0' ? [] : stride === 1 ? [name] : [`${name} * ${stride < 0 ? `(${stride})` : stride}`]
  })
  const parts = base === 0 || base === '0' ? terms : [String(base), ...terms]
  return parts.length === 0 ? '0' : parts.join(' + ')
}

/** Statements that split the linear position `variable` (a `var` of type u32, used up) into one i32 per loop. */
export const decodeText = (variable: string, sizes: readonly number[], prefix: string): string =>
  sizes.map((size, loop) =>
    loop === 0
      ? `let ${prefix}0 = i32(${variable});`
      : `let ${prefix}${loop} = i32(${variable} % ${size}u); ${variable} = ${variable} / ${size}u;`
  ).reverse().join('\n  ')

export const namesOf = (sizes: readonly number[], prefix: string): readonly string[] => sizes.map((_, loop) => `${prefix}${loop}`)

// ---- the whole -------------------------------------------------------------------------------------------------

const mostWorkgroups = 65535

export interface ShaderParts {
  readonly bindings: Bindings
  /** Module-scope declarations. */
  readonly declarations: readonly string[]
  /** Threads in all (or workgroups, with `per: 'workgroup'`), counted by `thread` (or `group`) in the body. */
  readonly count: number
  readonly per?: 'thread' | 'workgroup'
  readonly workgroup: number
  readonly body: string
}

/** Puts a shader together. More workgroups than one dimension may have go on in the second. */
export const shader = (parts: ShaderParts): Shader => {
  const groups = parts.per === 'workgroup' ? parts.count : Math.ceil(parts.count / parts.workgroup)
  const across = Math.min(groups, mostWorkgroups)
  const down = Math.ceil(groups / across)
  const group = down === 1 ? 'group_id.x' : `group_id.y * ${across}u + group_id.x`
  const exact = parts.per === 'workgroup' ? across * down === groups : across * down * parts.workgroup === parts.count
  const start = parts.per === 'workgroup'
    ? `let group = ${group};\n  ${exact ? '' : `if (group >= ${groups}u) { return; }`}`
    : `let thread = (${group}) * ${parts.workgroup}u + local;\n  ${exact ? '' : `if (thread >= ${parts.count}u) { return; }`}`
  // The third number of a workgroup is always 0, which no compiler knows.
  const opaque = [...parts.declarations, parts.body].some((text) => text.includes('no_bits_')) ? 'no_bits_ = group_id.z;' : ''
  const code = [
    parts.bindings.text,
    ...parts.declarations,
    `@compute @workgroup_size(${parts.workgroup})
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  ${opaque}
  ${start}
  ${parts.body}
}`,
  ].join('\n')
  return { code, buffers: parts.bindings.buffers, workgroups: [across, down] }
}

export const lanes = ['x', 'y', 'z', 'w'] as const
